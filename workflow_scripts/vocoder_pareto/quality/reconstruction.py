"""Distances between a clip and its reconstruction, from auraloss and the study's own log-mel-spectrogram (PyTorch)."""

import auraloss
import numpy as np
import torch

from vocoder_pareto.audio.dataset_summary import WORDS
from vocoder_pareto.audio.features import features
from vocoder_pareto.audio.sound import little_sound
from vocoder_pareto.quality.metrics import UndefinedMetric
from vocoder_pareto.study.sections.front_ends import FrontEndSettings

_LONGEST_WINDOW = 2048  # of auraloss' resolutions; half of it is mirrored at both ends


def multi_resolution_stft(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Spectral convergence plus L1 of log magnitudes, averaged over windows of 240, 600 and 1200 samples.

    Source: Yamamoto et al. 2020 (Parallel WaveGAN, section 2.2), `auraloss.freq.MultiResolutionSTFTLoss`.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second.

    Raises:
        UndefinedMetric: the clip is shorter than half the longest window, or the reference, by whose spectrum the
            convergence is divided, is silent, constant or has next to no sound.
    """
    _require_sound(reference, sample_rate)
    if len(reference) <= _LONGEST_WINDOW // 2:
        raise UndefinedMetric(f"clip has {len(reference)} samples, needs more than {_LONGEST_WINDOW // 2}")
    return float(auraloss.freq.MultiResolutionSTFTLoss()(_batch(estimate), _batch(reference)))


def log_mel_distance(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Mean absolute difference of log(1 + mel power), with 80 bands, windows of 2048 samples and a hop of 256.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second.

    Raises:
        UndefinedMetric: the clip is shorter than one hop.
    """
    front_end = FrontEndSettings(sample_rate=sample_rate)
    if len(reference) < front_end.hop_length:
        raise UndefinedMetric(f"clip has {len(reference)} samples, needs {front_end.hop_length}")
    pair = torch.from_numpy(np.stack([reference, estimate]).astype(np.float64))
    mels = features(pair, front_end)  # (2, M, L)
    return float((mels[0] - mels[1]).abs().mean())


def si_sdr(reference: np.ndarray, estimate: np.ndarray, sample_rate: int) -> float:
    """Scale-invariant signal-to-distortion ratio in decibels; infinite where the estimate is a scaled reference.

    Misleading for vocoders, which are free to choose the phase: it is reported, and never ranks systems.

    Source: Le Roux et al. 2019, `auraloss.time.SISDRLoss`.

    Args:
        reference, estimate: (T,) samples in [-1, 1].
        sample_rate: samples per second.

    Raises:
        UndefinedMetric: one of the signals is silent or constant, or the reference has next to no sound.
    """
    _require_sound(reference, sample_rate)
    if np.ptp(estimate) == 0:
        raise UndefinedMetric("estimate is silent or constant")
    return -float(auraloss.time.SISDRLoss(eps=0.0)(_batch(estimate), _batch(reference)))


def _require_sound(reference: np.ndarray, sample_rate: int) -> None:
    """Raise UndefinedMetric where a ratio to the reference says nothing."""
    found = little_sound(reference, sample_rate)
    if found not in (None, "padded"):
        raise UndefinedMetric(f"reference has too little sound: {WORDS[found]}")


def _batch(signal: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(np.asarray(signal, np.float64))[None, None]  # (1, 1, T)
