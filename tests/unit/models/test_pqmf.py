"""The pseudo-QMF bank against SciPy, and against what it is for: bands that give the signal back."""

import numpy as np
import pytest
import torch
from closeness import assert_close
from reference_networks import multiband as reference

from vocoder_pareto.models.layers import channels_last
from vocoder_pareto.models.pqmf import FilterBank, filters


@pytest.mark.parametrize("bands", [2, 4])
def test_the_filters_are_modulations_of_scipys_windowed_sinc(bands):
    for found, expected in zip(filters(bands, 62, 0.142, 9.0), reference.filters(bands), strict=True):
        assert_close(found, expected, factor=16)


def correlated(signal, coefficients):
    """By NumPy, centred, with zeros beyond the ends."""
    half = len(coefficients) // 2
    return np.convolve(signal, coefficients[::-1])[half : half + len(signal)]


def test_analysis_correlates_and_keeps_every_fourth_sample():
    bank, audio = FilterBank(), torch.randn(2, 400)
    expected = [
        [correlated(clip, coefficients)[::4] for coefficients in reference.filters(4)[0]]
        for clip in audio.double().numpy()
    ]
    assert_close(bank.analysis(audio), np.array(expected), factor=64)


@pytest.mark.parametrize(("bands", "taps"), [(4, 62), (2, 10), (3, 8), (5, 30)])
@pytest.mark.parametrize("columns", [1, 2, 50])
def test_synthesis_puts_zeros_between_samples_correlates_and_sums(bands, taps, columns):
    bank, signals = FilterBank(bands, taps, 0.2, 5.0), torch.randn(2, bands, columns)
    _, synthesis = reference.filters(bands, taps, 0.2, 5.0)
    stuffed = np.zeros((2, bands, bands * columns))
    stuffed[..., ::bands] = signals.numpy()
    expected = [bands * sum(map(correlated, clip, synthesis)) for clip in stuffed]
    for given in (signals, channels_last(signals)):
        assert_close(bank.synthesis(given), np.array(expected), factor=64)
    assert_close(bank.synthesis_plainly(signals), np.array(expected), factor=64)


def test_what_is_analysed_comes_back_without_delay():
    """To -50 dB at least, for noise and for any tone; the ends are cut, where half of a filter lies beyond them."""
    bank = FilterBank()
    noise = torch.randn(1, 4000)
    tones = torch.sin(torch.linspace(0.05, 3.1, 40)[:, None] * torch.arange(4000))
    for audio in (noise, tones):
        error = (bank.synthesis(bank.analysis(audio)) - audio)[:, 100:-100]
        assert 20 * torch.log10(error.std(dim=1) / audio.std(dim=1)).max() < -50


def test_each_band_hears_its_quarter_of_the_spectrum():
    """A tone in the middle of band k has all but -60 dB of its power there."""
    bank = FilterBank()
    for band in range(4):
        tone = torch.sin(np.pi * (band + 0.5) / 4 * torch.arange(4000.0))[None]
        powers = bank.analysis(tone)[0, :, 30:-30].square().mean(dim=1)
        assert int(powers.argmax()) == band
        assert (powers.sum() - powers[band]) / powers.sum() < 1e-6


def test_the_filters_are_no_weights_and_in_no_checkpoint():
    bank = FilterBank()
    assert list(bank.parameters()) == []
    assert bank.state_dict() == {}


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"bands": 1}, "bands is 1"),
        ({"taps": 61}, "taps 61; must be at least 2, and even"),
        ({"taps": 2}, "taps 2"),
        ({"cutoff": 0.0}, "cutoff is 0.0"),
        ({"cutoff": 1.0}, "cutoff is 1.0"),
        ({"beta": -1.0}, "beta -1.0"),
    ],
)
def test_an_impossible_bank_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        FilterBank(**settings)
