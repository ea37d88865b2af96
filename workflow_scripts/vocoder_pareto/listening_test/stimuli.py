"""The sounds of the test that are not from any system: its checks."""

import numpy as np
import soxr

from vocoder_pareto.audio import espeak

GOLD_SNR_DB = -10.0


def drowned_in_noise(samples: np.ndarray, seed: int) -> np.ndarray:
    """Speech with white noise 10 dB above it: gold, which everyone who listens gives the worst score."""
    noise = np.random.default_rng(seed).normal(size=len(samples))
    power = np.mean(np.square(samples, dtype=np.float64)) or 1e-4  # silence drowns as well
    return (samples + noise * np.sqrt(power / 10 ** (GOLD_SNR_DB / 10))).astype(np.float32)


def spoken(sentence: str, voice: str, sample_rate: int) -> np.ndarray:
    """A sentence spoken by eSpeak NG: (T,) float32 at `sample_rate`.

    Raises:
        UserError: eSpeak NG has no such voice.
    """
    pcm = np.frombuffer(espeak.synthesize_speech(sentence, voice), np.int16)
    return soxr.resample((pcm / 2.0**15).astype(np.float32), espeak.SAMPLE_RATE, sample_rate)
