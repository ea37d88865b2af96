"""Whose weights a file holds, told by their names, so that they are read as theirs or a message can say what they are.

Every entry was read from the code of its project: the names from its modules, the front end from its preprocessing.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from vocoder_pareto.models.layouts import (
    NEW_NORM,
    OLD_NORM,
    Pairs,
    diffwave_pairs,
    hifigan_pairs,
    melgan_pairs,
    waveglow_pairs,
)

_HIFIGAN = frozenset({"conv_pre.weight", "ups.0.weight", "conv_post.weight"})
_HIFIGAN_FRONT_END = "22,050 Hz, n_fft 1024, hop 256, 80 bands to 8,000 Hz, ln(magnitude)"
_NORMED = re.compile("|".join(map(re.escape, (*OLD_NORM, *NEW_NORM))))


@dataclass(frozen=True)
class Layout:
    """The names of another project's weights.

    Attributes:
        project: Whose they are, for messages.
        weights: Names that all its files have, with weight norm as one weight; together no other project has them.
        weight_norm: Whether the weights are under weight norm; None for either.
        front_end: What its published weights were trained on, for messages.
        family: The name of the class here whose weights they can become; None where the networks differ.
        pairs: What becomes what, see `layouts`; None where the networks differ.
    """

    project: str
    weights: frozenset[str]
    weight_norm: bool | None
    front_end: str
    family: str | None = None
    pairs: Pairs | None = None


LAYOUTS = (
    Layout(
        "the HiFi-GAN of github.com/jik876/hifi-gan", _HIFIGAN, True, _HIFIGAN_FRONT_END, "HiFiGAN", hifigan_pairs
    ),
    Layout(
        "torchaudio's HiFi-GAN, or jik876's without weight norm",
        _HIFIGAN, False, _HIFIGAN_FRONT_END, "HiFiGAN", hifigan_pairs,
    ),
    Layout(
        "the MelGAN of github.com/descriptinc/melgan-neurips",
        frozenset({"model.1.weight", "model.3.weight", "model.4.block.2.weight", "model.4.shortcut.weight"}),
        None,
        "22,050 Hz, n_fft 1024, hop 256, 80 bands to 11,025 Hz, log10(magnitude)",
        "MelGAN",
        melgan_pairs,
    ),
    Layout(
        "the WaveGlow of github.com/NVIDIA/waveglow",
        frozenset({"upsample.weight", "convinv.0.conv.weight", "WN.0.start.weight", "WN.0.end.weight"}),
        None,
        _HIFIGAN_FRONT_END,
        "WaveGlow",
        waveglow_pairs,
    ),
    Layout(
        "the DiffWave of github.com/lmnt-com/diffwave",
        frozenset({
            "diffusion_embedding.projection1.weight", "residual_layers.0.dilated_conv.weight",
            "residual_layers.0.diffusion_projection.weight", "skip_projection.weight",
        }),
        None,
        "22,050 Hz, n_fft 1024, hop 256, 80 bands from 20 Hz, decibels of the normalised magnitude, 0 to 1",
        "DiffWave",
        diffwave_pairs,
    ),
    Layout(
        "the WaveGrad of github.com/lmnt-com/wavegrad",
        frozenset({"first_conv.weight", "last_conv.weight", "film.0.input_conv.weight", "upsample.0.block1.weight"}),
        None,
        "hop 300, 128 bands from 20 Hz, decibels of the normalised magnitude, 0 to 1",
    ),
)  # fmt: skip


def layout_of(names: Iterable[str]) -> Layout | None:
    """The known layout whose names are among `names`, those of a file's weights; None if there is none."""
    names = list(names)
    plain = {_NORMED.sub("weight", name) for name in names}
    normed = any(_NORMED.search(name) for name in names)
    for layout in LAYOUTS:
        if layout.weights <= plain and layout.weight_norm in (None, normed):
            return layout
    return None
