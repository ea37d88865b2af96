"""The multi-resolution STFT loss against SciPy's transform and numbers by hand."""

import numpy as np
import pytest
import scipy.signal
import torch
from closeness import assert_close

from vocoder_pareto.models.resolution_discriminator import UNIVNET_RESOLUTIONS, StftResolution
from vocoder_pareto.training.objectives.multiband_melgan import BAND_RESOLUTIONS
from vocoder_pareto.training.objectives.stft_loss import multi_resolution_stft_loss


def magnitudes(signals, resolution):
    """Centred frames under a periodic Hann window amid zeros, by SciPy; at least √1e-7."""
    n_fft, hop, samples = resolution.n_fft, resolution.hop_length, resolution.window_samples
    window = np.zeros(n_fft)
    start = (n_fft - samples) // 2
    window[start : start + samples] = scipy.signal.get_window("hann", samples)
    padded = np.pad(signals, [(0, 0), (n_fft // 2, n_fft // 2)], mode="reflect")
    frames = np.lib.stride_tricks.sliding_window_view(padded, n_fft, axis=1)[:, ::hop]
    return np.sqrt(np.maximum(np.abs(np.fft.rfft(frames * window)) ** 2, 1e-7))


def expected_loss(audio, guess, resolutions):
    total = 0.0
    for resolution in resolutions:
        real, fake = magnitudes(audio, resolution), magnitudes(guess, resolution)
        total += np.linalg.norm((real - fake).ravel()) / np.linalg.norm(real.ravel())
        total += np.abs(np.log(real) - np.log(fake)).mean()
    return total / len(resolutions)


@pytest.mark.parametrize("resolutions", [UNIVNET_RESOLUTIONS, BAND_RESOLUTIONS, [StftResolution(64, 16, 64)]])
def test_it_is_convergence_and_log_magnitude_averaged_over_resolutions(resolutions):
    audio, guess = 0.1 * torch.randn(2, 3000), 0.2 * torch.randn(2, 3000)
    loss = multi_resolution_stft_loss(audio, guess, resolutions)
    assert_close(loss, expected_loss(audio.double().numpy(), guess.double().numpy(), resolutions), factor=64)


def test_bands_count_as_further_clips():
    audio, guess = 0.1 * torch.randn(2, 4, 500), 0.2 * torch.randn(2, 4, 500)
    expected = expected_loss(audio.flatten(0, 1).numpy(), guess.flatten(0, 1).numpy(), BAND_RESOLUTIONS)
    assert_close(multi_resolution_stft_loss(audio, guess, BAND_RESOLUTIONS), expected, factor=64)


def test_half_of_the_amplitude_costs_a_half_and_the_logarithm_of_two():
    """Where all bins are above the floor: noise 100 times as loud as full scale."""
    audio = 100 * torch.randn(1, 8000)
    loss = multi_resolution_stft_loss(audio, audio / 2, UNIVNET_RESOLUTIONS)
    assert float(loss) == pytest.approx(0.5 + np.log(2), rel=1e-5)


def test_equal_signals_cost_nothing_and_silence_has_finite_gradients():
    audio = torch.randn(1, 4000)
    assert float(multi_resolution_stft_loss(audio, audio.clone(), UNIVNET_RESOLUTIONS)) == 0
    for start in (torch.zeros(1, 4000), audio):
        guess = start.clone().requires_grad_()
        multi_resolution_stft_loss(audio, guess, UNIVNET_RESOLUTIONS).backward()
        assert torch.isfinite(guess.grad).all()


def test_its_gradient_moves_what_is_generated_alone():
    """By finite differences, in double precision."""
    audio, guess = (torch.randn(1, 40, dtype=torch.float64).requires_grad_() for _ in range(2))
    resolutions = [StftResolution(16, 5, 12)]
    assert torch.autograd.gradcheck(lambda it: multi_resolution_stft_loss(audio.detach(), it, resolutions), guess)
    multi_resolution_stft_loss(audio, guess, resolutions).backward()
    assert audio.grad is None


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_it_keeps_its_precision_where_networks_do_not(kind):
    audio, guess = 0.1 * torch.randn(1, 4000), (0.2 * torch.randn(1, 4000)).to(kind)
    expected = expected_loss(audio.numpy(), guess.double().numpy(), UNIVNET_RESOLUTIONS)
    with torch.autocast("cpu", kind):
        loss = multi_resolution_stft_loss(audio, guess, UNIVNET_RESOLUTIONS)
    assert_close(loss, expected, factor=64, eps=1.2e-7)
