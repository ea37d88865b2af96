"""Checkpoints of this project in the layouts of other projects, so that their code can use what was trained here."""

import logging
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.models.checkpoint import load_weights, read_checkpoint, write_archive
from vocoder_pareto.models.known_layouts import LAYOUTS, layout_called
from vocoder_pareto.models.layouts import to_theirs
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.systems import SystemSettings

log = logging.getLogger(__name__)


def convert_checkpoint(checkpoint: str | Path, name: str, output: str | Path) -> None:
    """Write the weights of a `checkpoint` as the project of the layout `name` does.

    Raises:
        UserError: The checkpoint cannot be read, its network is of another family, or the code of that project would
            compute something else with its weights.
    """
    layout, content = layout_called(name), read_checkpoint(checkpoint)
    model, _, size = content["system"].rpartition("-")
    system = SystemSettings(
        model,
        size,
        content["vocoder"],
        architecture=content["architecture"],
        n_mels=content["n_mels"],
        hop_length=content["hop_length"],
        sample_rate=content["sample_rate"],
    )
    vocoder = build_vocoder(system)
    if layout.family not in {kind.__name__ for kind in type(vocoder).__mro__}:
        fitting = [each.name for each in LAYOUTS if each.family == type(vocoder).__name__]
        raise UserError(
            f"{checkpoint}: a {type(vocoder).__name__} has no layout {name}; "
            + (f"allowed: {', '.join(fitting)}" if fitting else "no known project has one for it")
        )
    if faults := layout.faults_of(vocoder.architecture):
        raise UserError(
            f"{checkpoint}: the code of {layout.project} has another architecture: {'; '.join(faults)}, and train anew"
        )
    load_weights(vocoder, content["state_dict"], checkpoint)
    weights = to_theirs(vocoder, layout.pairs, is_folded=layout.weight_norm is False)
    weights |= {each: constant(vocoder, system.sample_rate) for each, constant in layout.constants.items()}
    weights = {each: value.clone() for each, value in weights.items()}  # parts of one tensor would be saved whole
    content_there: dict[str, Any] = weights
    for key in reversed(layout.container.split(".") if layout.container else ()):
        content_there = {key: content_there}
    with written_whole(output) as temporary:
        write_archive(temporary, content_there)
    if content["front_end"] is not None and not layout.is_for(content["front_end"]):
        log.warning(
            "%s: trained on another front end than published weights of %s (%s); give their code the mel-spectrograms "
            "of this one.", output, layout.project, layout.front_end,
        )  # fmt: skip
