"""What audio of any sample rate is brought to before it is compared: one rate, and one stretch of time."""

import math
from dataclasses import dataclass

import numpy as np
import soxr

_ROUNDED_SAMPLES = 0.05  # durations are told to the microsecond: so much of a sample is rounding


@dataclass(frozen=True)
class Comparison:
    """The rate and the stretch of time of all audio that is compared.

    Attributes:
        sample_rate: Samples per second.
        seconds: How long the stretch is, from the beginning of a clip.
    """

    sample_rate: int
    seconds: float

    def samples_at(self, sample_rate: int) -> int:
        """Whole samples of the stretch at `sample_rate`, at least one."""
        return max(1, math.floor(self.seconds * sample_rate + _ROUNDED_SAMPLES))

    def stretch_of(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """The stretch of `samples` (T,) at their own rate; zeros follow where they end before."""
        return _of_length(samples, self.samples_at(sample_rate))

    def compared(self, samples: np.ndarray, sample_rate: int) -> np.ndarray:
        """The stretch of `samples` (T,) at the rate of the comparison, resampled by soxr HQ as `librosa.load` does."""
        if sample_rate != self.sample_rate:
            samples = soxr.resample(np.asarray(samples, np.float32), sample_rate, self.sample_rate, quality="HQ")
        return _of_length(samples, self.samples_at(self.sample_rate))


def _of_length(samples: np.ndarray, length: int) -> np.ndarray:
    return np.pad(samples[:length], (0, max(0, length - len(samples))))
