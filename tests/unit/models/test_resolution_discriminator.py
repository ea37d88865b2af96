"""UnivNet's multi-resolution spectrogram discriminator."""

import pytest
import torch
from closeness import assert_close
from torch.nn import functional

from vocoder_pareto.models.resolution_discriminator import (
    UNIVNET_RESOLUTIONS,
    MultiResolutionDiscriminator,
    StftResolution,
    rectangular_magnitudes,
)


def stft_magnitudes(audio, resolution):
    """By `torch.stft`, from the definition: a rectangular window, reflection by half of what exceeds the hop."""
    missing = (resolution.n_fft - resolution.hop_length) // 2
    padded = functional.pad(audio[:, None], (missing, missing), mode="reflect")[:, 0]
    window = torch.ones(resolution.window_samples, dtype=audio.dtype)
    return torch.stft(
        padded, resolution.n_fft, resolution.hop_length, resolution.window_samples, window, False, return_complex=True
    ).abs()


@pytest.mark.parametrize("resolution", [*UNIVNET_RESOLUTIONS, StftResolution(63, 16, 21)])
def test_the_magnitudes_are_those_of_the_short_time_fourier_transform(resolution):
    audio = torch.randn(2, 4000)
    assert_close(rectangular_magnitudes(audio, resolution), stft_magnitudes(audio, resolution), factor=64)


def test_the_layers_are_those_of_the_paper_written_out():
    resolution = StftResolution(64, 12, 40)
    discriminator, audio = MultiResolutionDiscriminator([resolution], 0.3, 4), torch.randn(2, 600)
    stack, hidden = discriminator.stacks[0], stft_magnitudes(audio, resolution)[:, None]
    assert hidden.shape == (2, 1, 33, 50)
    layers = [((1, 4), 1), ((1, 4), 2), ((1, 4), 2), ((1, 4), 2), ((1, 1), 1), ((1, 1), 1)]
    outputs = []
    for convolution, (padding, stride) in zip(stack.convolutions, layers, strict=True):
        hidden = functional.conv2d(hidden, convolution.weight, convolution.bias, (1, stride), padding)
        outputs.append(hidden)
        hidden = torch.where(hidden > 0, hidden, 0.3 * hidden)
        outputs[-1] = hidden if len(outputs) < 6 else outputs[-1]
    (judgement,) = discriminator(audio)
    for found, expected in zip(judgement.layers, [*outputs[:-1], outputs[-1].flatten(1)], strict=True):
        assert_close(found, expected, factor=256)


def test_it_judges_three_resolutions_by_layers_of_32_channels():
    discriminator = MultiResolutionDiscriminator()
    weights = [layer for stack in discriminator.stacks for layer in stack.convolutions]
    assert sum(layer.weight.numel() + layer.bias.numel() for layer in weights) == 3 * (
        (27 + 3 * 32 * 27 + 32 * 9) * 32 + 32 * 9 + 5 * 32 + 1
    )
    assert [len(judgement.features) for judgement in discriminator(torch.randn(1, 4096))] == [5, 5, 5]


def test_it_computes_spectra_in_full_precision_under_autocast():
    audio, resolution = torch.randn(1, 4096), UNIVNET_RESOLUTIONS[0]
    with torch.autocast("cpu", torch.bfloat16):
        assert_close(rectangular_magnitudes(audio, resolution), stft_magnitudes(audio, resolution), factor=64)
        assert rectangular_magnitudes(audio.bfloat16(), resolution).dtype == torch.float32


def test_silence_has_finite_gradients():
    audio = torch.zeros(1, 4096, requires_grad=True)
    discriminator = MultiResolutionDiscriminator(channels=2)
    torch.stack([judgement.scores.mean() for judgement in discriminator(audio)]).sum().backward()
    assert torch.isfinite(audio.grad).all()


@pytest.mark.parametrize("settings", [(64, 0, 32), (64, 16, 65), (64, 16, 0)])
def test_an_impossible_resolution_is_refused(settings):
    with pytest.raises(ValueError, match="the hop must be at least 1 and the window between 1 and n_fft"):
        StftResolution(*settings)
