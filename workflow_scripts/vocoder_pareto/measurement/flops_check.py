"""Whether the FLOPs per joule of a stored record are those of its architecture, counted anew.

Only architectures of this library can be counted: the file of a vocoder of somebody's own is not part of a set.
"""

import json
import math
from collections.abc import Iterator
from functools import cache

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.complexity import counted_flops
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.set_schema import SetRecord
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.workflow_files import workflow_folder

# The count was of clips of another length, whose ends weigh otherwise, and may have been by another version.
_APART = 0.1


def faults_of_flops(record: SetRecord) -> Iterator[str]:
    """That `bounds.flops_per_joule` is not what the architecture does, if it is one of this library."""
    told, joules = record.bounds.flops_per_joule, record.energy_joules_per_audio_second
    if joules is None:
        return
    protocol, settings = record.protocol, record.settings
    frame_seconds = protocol.audio_seconds_per_clip / protocol.batch_frames
    architecture, sampling = (json.dumps(part, sort_keys=True) for part in (settings.architecture, settings.sampling))
    try:
        counted = _flops_per_audio_second(
            record.model, record.size, architecture, sampling, settings.n_mels, frame_seconds
        )
    except UserError as error:
        yield f"settings: {str(error).splitlines()[0].removeprefix('config key ')}; restore what was measured"
        return
    if counted and told is None:
        yield f"bounds.flops_per_joule is null, and the operations of {record.model} can be counted; restore it"
    elif counted and told and not any(math.isclose(told * joules, flops, rel_tol=_APART) for flops in counted):
        yield (
            f"bounds.flops_per_joule {told:.5g} × {ENERGY} {joules:.5g} is {told * joules:.5g}, and the architecture "
            f"does {' or '.join(f'{flops:.5g}' for flops in counted)} FLOPs per second of audio; restore what was "
            "measured"
        )


@cache
def _flops_per_audio_second(
    model: str, size: str, architecture: str, sampling: str, n_mels: int | None, frame_seconds: float
) -> tuple[float, ...]:
    """What a system does with each front end whose frames last so long; nothing for a model that is not known here."""
    config = read_configuration([workflow_folder() / "config.yaml"])
    if model not in config["models"]:
        return ()
    fitting = {
        (end["hop_length"], end["sample_rate"], n_mels or end["n_mels"])
        for end in config["front_ends"].values()
        if end["hop_length"] and math.isclose(end["hop_length"] / end["sample_rate"], frame_seconds, rel_tol=1e-9)
    }
    counted = []
    for hop_length, sample_rate, bands in sorted(fitting):
        system = SystemSettings(
            model=model,
            size=size,
            vocoder=config["models"][model]["vocoder"],
            architecture=json.loads(architecture),
            sampling=json.loads(sampling),
            n_mels=bands,
            hop_length=hop_length,
            sample_rate=sample_rate,
        )
        frames = max(1, round(1.0 / frame_seconds))
        flops = counted_flops(count_operations(build_vocoder(system).prepare_for_inference(), frames).macs)
        if flops is not None:
            counted.append(flops / (frames * frame_seconds))
    return tuple(counted)
