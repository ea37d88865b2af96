"""The multi-resolution discriminator of Vocos; a form of its own is in `reference_networks/spectra.py`."""

import pytest
import torch
from closeness import assert_close
from reference_networks.spectra import band_discriminators

from vocoder_pareto.models.band_split_discriminator import MultiResolutionDiscriminator


@pytest.fixture
def discriminator():
    return MultiResolutionDiscriminator(channels=2).double()


def test_its_layers_are_those_of_an_independent_form(discriminator):
    audio = torch.randn(2, 4096, dtype=torch.float64)
    weights = {f"discriminator.discriminators.1.{name}": value for name, value in discriminator.state_dict().items()}
    for judgement, expected in zip(discriminator(audio), band_discriminators(weights, audio), strict=True):
        assert len(judgement.features) == 5 * 4
        for layer, other in zip(judgement.features, expected, strict=False):
            assert_close(layer, other, factor=64)
        assert_close(judgement.scores, expected[-1].flatten(1), factor=64)


def test_it_has_the_parameters_of_the_official_one():
    """Three resolutions of five bands of five layers under weight norm (a scale per channel, a bias), and one above."""
    layers = [(2, 27), (32, 27), (32, 27), (32, 27), (32, 9)]
    band = sum(32 * (channels * kernel + 2) for channels, kernel in layers)
    total = 3 * (5 * band + 32 * 9 + 2)
    assert sum(weight.numel() for weight in MultiResolutionDiscriminator().parameters()) == total


def test_it_hears_neither_loudness_nor_an_offset(discriminator):
    audio = torch.randn(1, 4096, dtype=torch.float64)
    for one, other in zip(discriminator(audio), discriminator(0.2 * audio + 0.3), strict=True):
        assert_close(other.scores, one.scores, factor=1e7)  # 1e-9 beside the peak


def test_a_change_in_one_band_reaches_the_layers_of_that_band_alone(discriminator):
    """A tone at 0.6 of the highest frequency lies in the fourth band: nothing else changes from frame to frame."""
    samples = torch.arange(16384, dtype=torch.float64)
    tone = torch.sin(torch.pi * 0.6 * samples)[None]
    with torch.no_grad():
        for judgement in discriminator(tone):
            flat = [judgement.features[4 * band][..., 8:-8, :] for band in range(5)]  # past the ends of the clip
            swings = [float(each.std(dim=2).max()) for each in flat]
            assert max(range(5), key=swings.__getitem__) == 3


@pytest.mark.parametrize("samples", [1, 256, 1000])
def test_a_signal_that_is_shorter_than_a_window_is_reflected_as_often_as_needed(discriminator, samples):
    scores = [judgement.scores for judgement in discriminator(torch.randn(1, samples, dtype=torch.float64))]
    assert all(torch.isfinite(each).all() for each in scores)


def test_silence_has_a_finite_judgement_and_gradient(discriminator):
    audio = torch.zeros(1, 4096, dtype=torch.float64, requires_grad=True)
    sum(judgement.scores.sum() for judgement in discriminator(audio)).backward()
    assert torch.isfinite(audio.grad).all()
