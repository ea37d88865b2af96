"""The signal whose mel-spectrograms are stored: a rising tone in noise, so that no band is near a floor."""

import numpy as np


def signal_of_test(samples: int) -> np.ndarray:
    """(samples,) float32 in [-1, 1]."""
    time = np.arange(samples)
    noise = np.random.default_rng(20).uniform(-0.4, 0.4, samples)
    return (noise + 0.3 * np.sin(1e-4 * time * (300 + time))).astype(np.float32)
