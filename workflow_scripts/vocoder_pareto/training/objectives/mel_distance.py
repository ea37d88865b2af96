"""Distances of mel-spectrograms that recipes minimise, in single precision whatever the networks around compute in."""

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Literal

import torch
import torchaudio
from torch import Tensor
from torch.nn import functional

from vocoder_pareto.audio.features import features
from vocoder_pareto.models.layers import without_autocast
from vocoder_pareto.reflection import reflection_padded
from vocoder_pareto.study.sections.front_ends import FrontEndSettings

# Samples of the window and mel bands of each scale: Kumar et al. (2023), section 3.4.
SCALES = ((32, 5), (64, 10), (128, 20), (256, 40), (512, 80), (1024, 160), (2048, 320))


@dataclass(frozen=True)
class LogMel:
    """What a distance over several scales compares: the logarithm of max(mel magnitude, floor).

    Attributes:
        mel_scale: The scale of the bands, librosa's or torchaudio's.
        norm: Whether bands have an area of one (slaney), or a peak of one (None).
        floor: The least magnitude.
        logarithm: The logarithm.
    """

    mel_scale: Literal["slaney", "htk"]
    norm: Literal["slaney"] | None
    floor: float
    logarithm: Callable[[Tensor], Tensor]


SLANEY_LOG10 = LogMel("slaney", "slaney", 1e-5, torch.log10)  # of BigVGAN-v2
HTK_LN = LogMel("htk", None, 1e-7, torch.log)  # of Flow2GAN


def mel_distance(audio: Tensor, generated: Tensor, front_end: FrontEndSettings) -> Tensor:
    """Return the mean absolute difference of what `front_end` makes of two signals (B, T), a scalar."""
    with without_autocast(audio):  # powers lie beyond the range of float16, and cuFFT has no bfloat16
        return functional.l1_loss(features(generated.float(), front_end), features(audio.float(), front_end))


def multi_scale_mel_distance(audio: Tensor, generated: Tensor, sample_rate: int, kind: LogMel = SLANEY_LOG10) -> Tensor:
    """Return the sum over `SCALES` of the mean absolute difference of logarithmic mel-spectrograms, a scalar.

    Each scale has a periodic Hann window, a hop of a quarter of it, frames from the first sample to the last, beyond
    which the signal is reflected, and bands up to half the sample rate.

    Args:
        audio: A signal (B, T).
        generated: The other, (B, T).
        sample_rate: The samples per second.
        kind: The bands, and their logarithm.

    Source: Kumar et al. (2023), section 3.4, in the form of the official code of BigVGAN-v2 and of Flow2GAN.
    """
    with without_autocast(audio):
        pairs = ([_log_mel(each.float(), sample_rate, *scale, kind) for each in (audio, generated)] for scale in SCALES)
        return torch.stack([functional.l1_loss(other, one) for one, other in pairs]).sum()


def _log_mel(audio: Tensor, sample_rate: int, window_samples: int, bands: int, kind: LogMel) -> Tensor:
    window, filters = _analysis(sample_rate, window_samples, bands, kind, audio.device)
    padded = reflection_padded(audio.unsqueeze(1), window_samples // 2).squeeze(1)
    frames = padded.unfold(-1, window_samples, window_samples // 4)  # (B, L, window)
    magnitudes = torch.fft.rfft(frames * window).abs()
    return kind.logarithm((magnitudes @ filters).clamp(min=kind.floor))


@cache
@torch.inference_mode(False)  # a tensor made in inference mode could not be used in training afterwards
def _analysis(
    sample_rate: int, window_samples: int, bands: int, kind: LogMel, device: torch.device
) -> tuple[Tensor, Tensor]:
    """Window (n_fft) and mel filters (n_fft / 2 + 1, M)."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of bands between two bins, which are empty in the official codes, too
        filters = torchaudio.functional.melscale_fbanks(
            window_samples // 2 + 1, 0.0, sample_rate / 2, bands, sample_rate, norm=kind.norm, mel_scale=kind.mel_scale
        )
    return torch.hann_window(window_samples, device=device), filters.to(device)
