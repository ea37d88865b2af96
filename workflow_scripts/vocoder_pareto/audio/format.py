"""The format of the study's audio: the one place that holds the numbers of clips and mel-spectrograms."""

from dataclasses import dataclass, fields


@dataclass(frozen=True)
class AudioFormat:
    """Clips of equal length and their mel-spectrograms. The defaults are those of Douwes et al. 2023, section 4.1.

    Attributes:
        sample_rate: samples per second.
        clip_samples: samples of a clip, T; a multiple of `hop_length`.
        n_fft: samples of an analysis window, and of its Fourier transform.
        hop_length: samples between frames.
        n_mels: bands of the mel-spectrogram, M.

    Raises:
        ValueError: a number is not a positive whole one, or `clip_samples` is no multiple of `hop_length`.
    """

    sample_rate: int = 16000
    clip_samples: int = 16384
    n_fft: int = 2048
    hop_length: int = 256
    n_mels: int = 80

    def __post_init__(self):
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, int) or isinstance(value, bool) or value < 1:
                raise ValueError(f"{field.name} is {value!r}; must be a whole number of at least 1")
        if self.clip_samples % self.hop_length:
            raise ValueError(
                f"clip_samples is {self.clip_samples}; must be a multiple of hop_length ({self.hop_length})"
            )
        if self.hop_length > self.n_fft:
            raise ValueError(f"hop_length is {self.hop_length}; must be at most n_fft ({self.n_fft})")

    @property
    def frames(self) -> int:
        """Frames of a clip's mel-spectrogram, L."""
        return self.clip_samples // self.hop_length

    @property
    def clip_seconds(self) -> float:
        """Duration of a clip."""
        return self.clip_samples / self.sample_rate
