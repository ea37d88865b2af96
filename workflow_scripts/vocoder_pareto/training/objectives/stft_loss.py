"""The multi-resolution STFT loss (Yamamoto et al., 2020, Parallel WaveGAN, section 2.2) that spectra are trained by.

For one resolution, with magnitudes |X| of the recording and |Y| of what is generated, both at least √1e-7:

    spectral convergence    ‖|X| − |Y|‖_F / ‖|X|‖_F
    log magnitude           the mean over bins and frames of |ln |X| − ln |Y||

The loss is the sum of both, a mean over resolutions. Spectra are those of `torch.stft` with a periodic Hann window and
centred frames. The floor and the norms over a whole batch, where the paper has the expectation over clips, are those of
github.com/kan-bayashi/ParallelWaveGAN and of those who took it over. On a signal of several bands the loss is that of
the bands as further clips (Multi-band MelGAN, section 2.3).
"""

from collections.abc import Sequence
from functools import cache

import torch
from torch import Tensor

from vocoder_pareto.models.layers import without_autocast
from vocoder_pareto.models.resolution_discriminator import StftResolution, spectra

LEAST_POWER = 1e-7


def multi_resolution_stft_loss(audio: Tensor, generated: Tensor, resolutions: Sequence[StftResolution]) -> Tensor:
    """Return the loss of `generated` against `audio`, both (B, T) or (B, bands, T); no gradient flows into `audio`."""
    audio, generated = (signal.flatten(0, -2) for signal in (audio, generated))
    return torch.stack([_loss_of(audio, generated, resolution) for resolution in resolutions]).mean()


def _loss_of(audio: Tensor, generated: Tensor, resolution: StftResolution) -> Tensor:
    with without_autocast(audio):  # powers lie beyond the range of float16
        with torch.no_grad():
            expected = _magnitudes(audio, resolution)
        found = _magnitudes(generated, resolution)
        convergence = (expected - found).norm() / expected.norm()
        return convergence + (expected.log() - found.log()).abs().mean()


def _magnitudes(signal: Tensor, resolution: StftResolution) -> Tensor:
    window = _hann_window(resolution.window_samples, signal.device)
    parts = torch.view_as_real(spectra(signal, resolution, resolution.n_fft // 2, window))
    return parts.square().sum(-1).clamp(min=LEAST_POWER).sqrt()


@cache
@torch.inference_mode(False)  # a tensor made in inference mode could not be used in training afterwards
def _hann_window(samples: int, device: torch.device) -> Tensor:
    return torch.hann_window(samples, dtype=torch.float64, device=device)
