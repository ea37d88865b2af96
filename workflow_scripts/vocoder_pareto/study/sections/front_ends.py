"""Front ends: how a waveform becomes what a vocoder takes in, with those of published vocoders."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.settings import STRICT, plain

PAPER = "paper"
FrontEndName = Annotated[str, Field(pattern="^[A-Za-z0-9_]+$")]
_PER_BAND = float | Annotated[tuple[float, ...], Field(min_length=1)] | None


@dataclass(frozen=True, config=STRICT)
class GivenNormalization:
    """Numbers that a checkpoint brings: (value − mean) / scale, then held between minimum and maximum."""

    mean: _PER_BAND = None
    """One number, or one per band."""

    scale: _PER_BAND = None
    """One number, or one per band; not 0."""

    minimum: float | None = None
    """Smaller values become this one; null: none do."""

    maximum: float | None = None
    """Larger values become this one; null: none do."""

    def __post_init__(self):
        if 0 in (self.scale if isinstance(self.scale, tuple) else (self.scale,)):
            raise ValueError("scale is 0; must be another number")
        if None not in (self.minimum, self.maximum) and self.minimum >= self.maximum:  # type: ignore[operator]
            raise ValueError(f"minimum is {self.minimum:g}; must be below maximum ({self.maximum:g})")

    @property
    def is_given(self) -> bool:
        """Whether both mean and scale are there."""
        return self.mean is not None and self.scale is not None


@dataclass(frozen=True, config=STRICT)
class FrontEndSettings:
    """How waveforms become what a vocoder takes in. The defaults are those of Douwes et al. 2023, section 4.2.2."""

    representation: Literal["mel", "waveform"] = "mel"
    """mel: a mel-spectrogram | waveform: the samples themselves, a column of hop_length samples per frame, for codecs
    and vocoders that compute their own; of the keys below it takes sample_rate and hop_length alone."""

    sample_rate: int = Field(default=16000, ge=500, le=192_000)
    """Sample rate of audio and clips, in Hz. Recordings of another rate are resampled."""

    n_fft: int = Field(default=2048, ge=2, le=65_536)
    """Samples of the Fourier transform. HiFi-GAN's loss has a front end of its own, see mel_front_end and mel_n_fft
    (1024) of models.hifigan.training."""

    win_length: int | None = Field(default=None, ge=1, le=65_536)
    """Samples of the periodic Hann window, at most n_fft; null: n_fft."""

    hop_length: int = Field(default=256, ge=1, le=65_536)
    """Samples between frames; each frame becomes so many samples of audio. At most n_fft. 256 at 16000 Hz is 16 ms."""

    n_mels: int = Field(default=80, ge=1, le=65_536)
    """Mel bands."""

    fmin: float = Field(default=0.0, ge=0, le=96_000)
    """Lower edge of the lowest band, in Hz."""

    fmax: float | None = Field(default=None, gt=0, le=96_000)
    """Upper edge of the highest band, in Hz; null: half the sample rate."""

    mel_scale: Literal["slaney", "htk"] = "slaney"
    """slaney (librosa's) | htk (torchaudio's)."""

    mel_norm: Literal["slaney", "none"] = "slaney"
    """slaney: each band has an area of one, as in librosa | none: a peak of one, as in torchaudio."""

    power: int = Field(default=2, ge=1, le=2)
    """1: magnitudes | 2: powers."""

    epsilon: float = Field(default=0.0, ge=0, le=1)
    """Added to the power before the root of magnitudes is taken."""

    normalized_window: bool = False
    """Divide spectra by the root of the sum of the window's squares, as torchaudio does with normalized=True."""

    logarithm: Literal["log1p", "ln", "log10", "dB"] = "log1p"
    """log1p: ln(1 + x) | ln | log10 | dB: 20 log10 of magnitudes, 10 log10 of powers."""

    floor: float = Field(default=0.0, ge=0, le=1)
    """Smaller values become this one before the logarithm; more than 0 but for log1p."""

    padding: Literal["center_zeros", "center_reflect", "reflect"] = "center_reflect"
    """What lies beyond the ends, and where frames lie: center_zeros, center_reflect (frame l is centred on sample l ·
    hop_length; the frame on the very end is left out) | reflect (by (n_fft − hop_length) / 2 on each side, so that
    frames share the clip out). The paper does not say; its authors' code calls librosa 0.8.1, which reflects."""

    normalization: Literal["per_spectrogram", "dataset", "none"] | GivenNormalization = "per_spectrogram"
    """per_spectrogram (0 and 1 are its own minimum and maximum, as the paper says; loudness is lost) | dataset (those
    of the whole set, as the authors' code does; loudness is kept) | none | {mean: …, scale: …, minimum: …, maximum: …}
    ((value − mean) / scale, of numbers or lists of one number per band, then held between minimum and maximum, where
    these are not null)."""

    def __post_init__(self):
        if self.representation == "mel":
            for fault in self._faults():
                raise ValueError(fault)

    def _faults(self) -> Iterator[str]:
        window, highest = self.window_samples, self.highest_hertz
        if self.hop_length > self.n_fft:
            yield f"hop_length is {self.hop_length}; must be at most n_fft ({self.n_fft})"
        if window > self.n_fft:
            yield f"win_length is {window}; must be at most n_fft ({self.n_fft})"
        if not self.fmin < highest <= self.sample_rate / 2:
            yield (
                f"fmin is {self.fmin:g} and fmax {highest:g}; must be in rising order, and at most half of "
                f"sample_rate ({self.sample_rate / 2:g})"
            )
        if self.logarithm != "log1p" and self.floor == 0:
            yield f"floor is 0; must be more than 0 for the logarithm {self.logarithm}"
        if self.padding == "reflect" and (self.n_fft - self.hop_length) % 2:
            yield f"hop_length is {self.hop_length}; n_fft ({self.n_fft}) less it must be even for the padding reflect"
        if isinstance(self.normalization, GivenNormalization):
            for name in ("mean", "scale"):
                values = getattr(self.normalization, name)
                if isinstance(values, tuple) and len(values) != self.n_mels:
                    yield f"normalization.{name} has {len(values)} numbers; must be one or n_mels ({self.n_mels})"

    @property
    def window_samples(self) -> int:
        """Samples of the window."""
        return self.win_length or self.n_fft

    @property
    def highest_hertz(self) -> float:
        """Upper edge of the highest band."""
        return self.fmax or self.sample_rate / 2

    @property
    def bands(self) -> int:
        """Rows of what a vocoder takes in, M: mel bands, or samples per frame."""
        return self.n_mels if self.representation == "mel" else self.hop_length

    @property
    def has_range(self) -> bool:
        """Whether values are normalised by a minimum and maximum that are found in the data."""
        return self.representation == "mel" and self.normalization in ("per_spectrogram", "dataset")

    @property
    def fault_of_use(self) -> str | None:
        """What a system that names this front end still lacks, in words."""
        if isinstance(self.normalization, GivenNormalization) and not self.normalization.is_given:
            return "normalization: mean and scale are null; give those of the checkpoint, one number per band"
        return None

    def told(self) -> dict[str, Any]:
        """The settings as plain values, with what null stands for: what files tell of a front end."""
        return {**plain(self), "win_length": self.window_samples, "fmax": self.highest_hertz}

    def clip_samples(self, seconds: float) -> int:
        """Samples of a clip, T: as many whole frames as hold `seconds`."""
        return math.ceil(round(seconds * self.sample_rate / self.hop_length, 6)) * self.hop_length


_WAVEGLOW = FrontEndSettings(
    sample_rate=22050, n_fft=1024, fmax=8000.0, power=1, logarithm="ln", floor=1e-5, padding="center_reflect",
    normalization="none",
)  # fmt: skip
_HIFIGAN = replace(_WAVEGLOW, epsilon=1e-9, padding="reflect")
# (20 log10(x) - 20 + 100) / 100, held between 0 and 1.
_DIFFWAVE = replace(
    _WAVEGLOW, fmin=20.0, fmax=None, mel_scale="htk", mel_norm="none", normalized_window=True, logarithm="dB",
    normalization=GivenNormalization(-80.0, 100.0, 0.0, 1.0),
)  # fmt: skip
_PARALLEL_WAVEGAN = replace(
    _WAVEGLOW, fmin=80.0, fmax=7600.0, logarithm="log10", floor=1e-10, normalization=GivenNormalization()
)

# Where each one's numbers come from is told in docs/front_ends.md.
BUILT_IN: Mapping[str, FrontEndSettings] = {
    PAPER: FrontEndSettings(),
    "hifigan_22k": _HIFIGAN,
    "bigvgan_24k": replace(_HIFIGAN, sample_rate=24000, n_mels=100, fmax=12000.0),
    "melgan_22k": replace(_HIFIGAN, fmax=None, epsilon=0.0, logarithm="log10"),
    "waveglow_22k": _WAVEGLOW,
    "diffwave_22k": _DIFFWAVE,
    "wavegrad_24k": replace(_DIFFWAVE, sample_rate=24000, n_fft=2048, win_length=1200, hop_length=300, n_mels=128),
    "vocos_24k": replace(
        _WAVEGLOW, sample_rate=24000, n_mels=100, fmax=None, mel_scale="htk", mel_norm="none", floor=1e-7
    ),
    "parallel_wavegan_22k": _PARALLEL_WAVEGAN,
    "speechbrain_16k": replace(_WAVEGLOW, sample_rate=16000),
    "speecht5_16k": replace(_PARALLEL_WAVEGAN, sample_rate=16000, normalization="none"),
}
