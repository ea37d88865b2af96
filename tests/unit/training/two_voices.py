"""Two clips to train tiny vocoders on, whose spectra and loudness are known, and how far audio is from them."""

import numpy as np
import torch
from seeds import seed_of
from torch import Tensor

from vocoder_pareto.quality.spectral_distance import d_stft


def two_voices(frames: int, breath: float) -> Tensor:
    """Two clips of `frames` frames of 256 samples at 16 kHz: 11 harmonics of gliding tones, and noise of `breath`."""
    seconds = np.arange(frames * 256) / 16000
    frequency = np.array([[110.0], [131.0]]) * (1 + 0.3 * seconds / seconds[-1])
    phase = 2 * np.pi * np.cumsum(frequency, axis=1) / 16000
    tones = sum(np.sin(harmonic * phase + harmonic**2) / harmonic for harmonic in range(1, 12))
    noise = breath * np.random.default_rng(seed_of(0)).standard_normal(tones.shape)
    audio = 0.5 * tones / np.abs(tones).max(axis=1, keepdims=True) + noise
    return torch.from_numpy(audio.astype(np.float32))


def mean_d_stft(audio, guess) -> float:
    """D_STFT of each pair of clips, on the average."""
    return np.mean([d_stft(*pair) for pair in zip(np.asarray(audio), np.asarray(guess), strict=True)])
