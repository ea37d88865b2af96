"""A vocoder that is checked: built as often as a check needs, and given the same input every time."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor

from vocoder_pareto.audio.features import features, min_max_normalized, ranges_of
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder, copied
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.systems import SystemSettings

MOST_FRAMES = 48
CLIPS = 3
SEED = 0
# -60 dB of the loudest sample: far more than rounding adds up to, and less than anybody hears.
TOLERANCE = 1.0e-3


class Mend(Exception):
    """What a check found wrong, and how to mend it, in one line."""


class LeftOut(Exception):
    """Why a check says nothing about a vocoder, in one line."""


@dataclass(frozen=True)
class Candidate:
    """A vocoder to check.

    Attributes:
        system: Its classes and their settings.
        front_end: What makes its input.
    """

    system: SystemSettings
    front_end: FrontEndSettings

    def built(self, seed: int = SEED) -> Vocoder:
        """The vocoder as it is built, with the weights that `seed` gives it, not in training mode."""
        torch.manual_seed(seed)
        return build_vocoder(self.system).eval()

    def prepared(self) -> Vocoder:
        """The vocoder as it is used and measured."""
        return self.built().prepare_for_inference()

    def mel(self, frames: int, clips: int = 1) -> Tensor:
        """What the front end makes of `clips` clips of harmonics and noise, (clips, M, frames)."""
        return self._mels[:clips, :, :frames].clone()

    def audio(self, frames: int, clips: int = 1) -> Tensor:
        """The clips that `mel` is of, (clips, frames · hop_length)."""
        return self._clips[:clips, : frames * self.system.hop_length].clone()

    @cached_property
    def _clips(self) -> Tensor:
        source = torch.Generator().manual_seed(SEED)
        time = torch.arange(MOST_FRAMES * self.system.hop_length) / self.system.sample_rate
        pitches = torch.tensor([110.0, 160.0, 230.0])[:CLIPS, None, None]
        harmonics = torch.sin(2 * torch.pi * pitches * torch.arange(1, 11)[:, None] * time).mean(dim=1)
        return 0.5 * harmonics + 0.02 * torch.randn(harmonics.shape, generator=source)

    @cached_property
    def _mels(self) -> Tensor:
        values = features(self._clips, self.front_end)
        return min_max_normalized(values, ranges_of(values)) if self.front_end.has_range else values


def generators(clips: int = 1) -> list[torch.Generator]:
    """A source of noise for each clip, the same at every call."""
    return [torch.Generator().manual_seed(1000 + clip) for clip in range(clips)]


def difference(one: Tensor, other: Tensor) -> float:
    """The largest difference of two waveforms, as a share of the loudest sample of `other`; infinite for NaN."""
    largest, apart = float(other.abs().max()), float((one - other).abs().max())
    return apart / largest if largest and apart == apart else (0.0 if apart == 0 else float("inf"))


def alike(
    vocoder: Vocoder, mel: Tensor, both: Callable[[Vocoder, Tensor], tuple[Tensor, Tensor]], what: str, mend: str
) -> str:
    """Refuse two ways to generate that differ audibly, where that is not rounding which the network makes grow.

    So it does in a diffusion model of random weights: each step feeds on the rounding of the one before. In double
    precision the same growth begins at a billionth.

    Args:
        vocoder: The vocoder, which stays as it is.
        mel: Its input.
        both: Both ways, of a vocoder and its input.
        what: What differs, in words.
        mend: What to do about it, in words.

    Returns:
        A remark, if they agree in double precision alone.

    Raises:
        Mend: They differ.
    """
    apart = difference(*both(copied(vocoder), mel))
    if apart <= TOLERANCE:
        return ""
    try:
        exactly_apart = difference(*both(copied(vocoder).double(), mel.double()))
    except Exception:  # it may compute in single precision alone
        exactly_apart = apart
    if exactly_apart > TOLERANCE:
        raise Mend(f"{what} differs by {apart:.2g} of the loudest sample; {mend}")
    return "in double precision: rounding grows much in this network"


def require_close(one: Tensor, other: Tensor, what: str, mend: str) -> None:
    """Refuse waveforms that differ audibly.

    Raises:
        Mend: They do; it says `what` differs, by how much, and `mend`.
    """
    apart = difference(one, other)
    if apart > TOLERANCE:
        raise Mend(f"{what} differs by {apart:.2g} of the loudest sample; {mend}")
