import numpy as np
import pytest
import soxr
from seeds import seed_of

from vocoder_pareto.audio.espeak import SAMPLE_RATE, synthesize_speech


@pytest.fixture(scope="session")
def speech() -> np.ndarray:
    """1.024 s of synthetic speech at 16 kHz, in float32 as it comes from a file."""
    spoken = np.frombuffer(synthesize_speech("The quick brown fox jumps over the lazy dog."), np.int16) / 2**15
    clip = soxr.resample(spoken, SAMPLE_RATE, 16000)[:16384]
    return (np.round(clip * 2**15) / 2**15).astype(np.float32)


@pytest.fixture(scope="session")
def noisy_speech(speech) -> np.ndarray:
    noise = np.random.default_rng(seed_of(0)).normal(scale=0.02, size=len(speech))
    return (speech + noise).astype(np.float32)
