import numpy as np
import pyloudnorm
import pytest
from seeds import seed_of

from vocoder_pareto.audio.loudness import levelled
from vocoder_pareto.listening_test.stimuli import drowned_in_noise, spoken
from vocoder_pareto.study.sections.listening_test import LoudnessSettings

RATE = 16000
SETTINGS = LoudnessSettings(target_lufs=-23.0, peak_dbfs=-1.0)


def noise(scale, samples=16384):
    return (scale * np.random.default_rng(seed_of(0)).normal(size=samples)).astype(np.float32)


def loudness(samples):
    return pyloudnorm.Meter(RATE).integrated_loudness(np.asarray(samples, float))


@pytest.mark.parametrize("scale", [0.002, 0.02, 0.2])
def test_sounds_of_any_level_become_equally_loud(scale):
    sound = levelled(noise(scale), RATE, SETTINGS)
    assert loudness(sound.samples) == pytest.approx(-23.0, abs=0.01)
    assert sound.loudness_lufs == pytest.approx(-23.0)
    assert not sound.peak_limited


def test_a_full_scale_sine_has_the_loudness_of_the_standard():
    # BS.1770: a 997 Hz sine of 0 dBFS in one channel reads −3.01 LUFS.
    sine = np.sin(2 * np.pi * 997 * np.arange(5 * RATE) / RATE)
    sound = levelled(sine, RATE, LoudnessSettings(target_lufs=-10.0))
    assert sound.gain_db == pytest.approx(-10.0 + 3.01, abs=0.1)


def test_the_peak_limit_keeps_an_impulsive_sound_quieter_and_says_so():
    impulsive = noise(0.001)
    impulsive[8000] = 1.0
    sound = levelled(impulsive, RATE, SETTINGS)
    assert np.abs(sound.samples).max() == pytest.approx(10 ** (-1 / 20))
    assert sound.loudness_lufs < -23.5
    assert sound.peak_limited


def test_the_shape_of_the_sound_stays():
    original = noise(0.02)
    sound = levelled(original, RATE, SETTINGS)
    assert sound.samples == pytest.approx(original * 10 ** (sound.gain_db / 20))


def test_silence_stays_silent_and_has_no_loudness():
    sound = levelled(np.zeros(16384, np.float32), RATE, SETTINGS)
    assert not sound.samples.any()
    assert (sound.loudness_lufs, sound.gain_db) == (None, 0.0)


def test_near_silence_is_not_turned_into_a_roar():
    sound = levelled(noise(1e-5), RATE, SETTINGS)
    assert sound.gain_db <= 30
    assert sound.peak_limited or sound.loudness_lufs is None


def test_sounds_shorter_than_a_block_of_the_standard_are_levelled_too():
    assert levelled(noise(0.02, samples=1000), RATE, SETTINGS).loudness_lufs is not None


def test_gold_is_drowned_ten_decibels_deep_and_repeatable():
    speech = noise(0.1)
    drowned = drowned_in_noise(speech, seed=1)
    added = drowned - speech
    assert 10 * np.log10(np.mean(added**2) / np.mean(speech**2)) == pytest.approx(10, abs=0.2)
    assert np.array_equal(drowned, drowned_in_noise(speech, seed=1))
    assert drowned_in_noise(np.zeros(100, np.float32), seed=1).any()


def test_traps_are_spoken_at_the_sample_rate_of_the_test():
    sentence = spoken("Please choose the score two.", "en-us", RATE)
    assert 1.0 < len(sentence) / RATE < 4.0
    assert np.abs(sentence).max() > 0.05


@pytest.mark.parametrize("values", [{"target_lufs": 3.0}, {"peak_dbfs": 1.0}])
def test_impossible_levels_are_refused(values):
    with pytest.raises(ValueError, match=r"(greater|less) than"):
        LoudnessSettings(**values)
