"""Audio of any rate is brought to one rate and one stretch of time."""

import librosa
import numpy as np
import pytest

from vocoder_pareto.audio.comparison import Comparison

COMPARISON = Comparison(16000, 1.024)


@pytest.mark.parametrize("rate", [8000, 16000, 22050, 24000, 48000])
def test_compared_audio_is_that_of_librosa_at_one_length(noise, rate):
    """Against librosa's resampling by soxr HQ, which `librosa.load` does by default."""
    samples = noise(int(1.1 * rate))
    expected = librosa.resample(samples, orig_sr=rate, target_sr=16000, res_type="soxr_hq")[:16384]
    found = COMPARISON.compared(samples, rate)
    assert len(found) == 16384
    assert np.abs(found - expected).max() < 1e-6


@pytest.mark.parametrize("rate", [22050, 24000])
def test_a_tone_keeps_its_pitch_and_place(rate):
    """Against the sine itself, away from the ends."""
    tone = np.sin(2 * np.pi * 440 * np.arange(int(1.1 * rate)) / rate).astype(np.float32)
    expected = np.sin(2 * np.pi * 440 * np.arange(16384) / 16000)
    assert np.abs(COMPARISON.compared(tone, rate) - expected)[500:].max() < 1e-3


def test_the_stretch_is_cut_or_followed_by_zeros_at_its_own_rate():
    assert len(COMPARISON.stretch_of(np.ones(89 * 256), 22050)) == 22579
    short = COMPARISON.stretch_of(np.ones(20000), 22050)
    assert (len(short), short[20000:].any()) == (22579, False)


def test_audio_at_the_rate_of_the_comparison_stays_as_it_is(noise):
    samples = noise(16384)
    np.testing.assert_array_equal(COMPARISON.compared(samples, 16000), samples)
