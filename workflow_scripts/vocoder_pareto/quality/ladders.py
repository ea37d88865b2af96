"""Ladders of known quality: a recording made worse step by step, for a predictor to put in order.

Each step of a ladder is worse than the one before it, and the recording is better than all: nobody need listen to know.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import signal

# (samples (T,), samples per second, generator of what is random) → samples (T,)
Degrade = Callable[[np.ndarray, int, np.random.Generator], np.ndarray]
_FILTER_ORDER = 8
_N_FFT, _HOP_LENGTH = 2048, 256  # of the paper's mel-spectrograms


@dataclass(frozen=True)
class Ladder:
    """Ways to make a recording worse, from the mildest to the worst.

    Attributes:
        name: as readers see it.
        steps: name and function of each.
    """

    name: str
    steps: Sequence[tuple[str, Degrade]]


def with_noise(decibels: float) -> Degrade:
    """White noise is added, `decibels` below the mean power of the recording."""

    def degrade(samples: np.ndarray, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
        power = np.mean(np.square(samples, dtype=np.float64)) * 10 ** (-decibels / 10)
        return (samples + np.sqrt(power) * generator.standard_normal(len(samples))).astype(np.float32)

    return degrade


def inverted(iterations: int) -> Degrade:
    """The magnitudes of the spectrum are inverted by so many `iterations` of Griffin-Lim: the phases are lost.

    Not those of a mel-spectrogram, of which so much is lost that more iterations hardly help.
    """

    def degrade(samples: np.ndarray, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
        import librosa  # takes seconds

        magnitudes = np.abs(librosa.stft(samples, n_fft=_N_FFT, hop_length=_HOP_LENGTH))
        return librosa.griffinlim(
            magnitudes,
            n_iter=iterations,
            n_fft=_N_FFT,
            hop_length=_HOP_LENGTH,
            length=len(samples),
            random_state=int(generator.integers(2**32)),
        ).astype(np.float32)

    return degrade


def low_passed(hertz: float) -> Degrade:
    """What lies above `hertz` is taken out, forwards and backwards, so without shift."""

    def degrade(samples: np.ndarray, sample_rate: int, generator: np.random.Generator) -> np.ndarray:
        sections = signal.butter(_FILTER_ORDER, hertz, fs=sample_rate, output="sos")
        return signal.sosfiltfilt(sections, samples).astype(np.float32)

    return degrade


LADDERS = (
    Ladder("white noise", [(f"noise at {level} dB", with_noise(level)) for level in (20, 10, 0)]),
    Ladder("Griffin-Lim", [(f"Griffin-Lim of {count} iterations", inverted(count)) for count in (60, 2)]),
    Ladder("low-pass", [(f"low-pass at {hertz} Hz", low_passed(hertz)) for hertz in (4000, 2000, 1000)]),
)
