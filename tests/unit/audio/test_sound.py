import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.audio.sound import little_sound, padding_of, sounding_seconds

RATE, SAMPLES = 16000, 16384


def white_noise(dbfs, samples=SAMPLES):
    """White noise of a root mean square, in decibels below full scale."""
    return 10 ** (dbfs / 20) * np.random.default_rng(seed_of(0)).normal(size=samples)


def padded(sound, before=0, samples=SAMPLES):
    return np.pad(sound, (before, samples - before - len(sound)))


def test_digital_silence_and_a_constant_are_told_apart():
    assert little_sound(np.zeros(SAMPLES, np.float32), RATE) == "silent"
    assert little_sound(np.full(SAMPLES, 0.3, np.float32), RATE) == "constant"
    assert little_sound(np.zeros(1), RATE) == "silent"


@pytest.mark.parametrize(("dbfs", "found"), [(-70, "faint"), (-51, "faint"), (-49, None), (-20, None), (0, None)])
def test_the_root_mean_square_decides_whatever_the_mean(dbfs, found):
    """White noise of a known level; a frame of 320 of its samples has that level to within half a decibel."""
    assert little_sound(white_noise(dbfs), RATE) == found
    assert little_sound(white_noise(dbfs) + 0.2, RATE) == found


@pytest.mark.parametrize("rate", [8000, 16000, 44100])
@pytest.mark.parametrize(("seconds", "found"), [(0.08, "faint"), (0.12, None)])
def test_less_than_a_tenth_of_a_second_of_sound_is_next_to_none(rate, seconds, found):
    """A click or a breath in the noise of a room."""
    clip = white_noise(-70, round(1.024 * rate))
    sound = white_noise(-20, round(seconds * rate))
    start = round(0.2 * rate)
    clip[start : start + len(sound)] += sound
    assert sounding_seconds(clip, rate) == pytest.approx(seconds, abs=0.021)
    assert little_sound(clip, rate) == found


@pytest.mark.parametrize("samples", [1, 100, 319, 320, 321, 1000])
def test_a_short_clip_that_sounds_throughout_has_sound(samples):
    clip = np.cos(np.arange(samples)) if samples > 1 else np.ones(1)
    assert little_sound(clip, RATE) == (None if samples > 1 else "constant")


def test_more_than_half_of_zeros_around_the_sound_is_mostly_padding():
    """A spoken digit has 0.44 s of the 1.024 s of a clip, so that 57 % of it are padding."""
    digit = white_noise(-20, round(0.44 * RATE))
    assert padding_of(padded(digit)) / SAMPLES == pytest.approx(0.57, abs=0.001)
    assert little_sound(padded(digit), RATE) == "padded"
    assert little_sound(padded(digit, before=5000), RATE) == "padded"
    half = white_noise(-20, SAMPLES // 2)
    assert little_sound(padded(half), RATE) is None
    assert little_sound(padded(half[:-1]), RATE) == "padded"


def test_zeros_inside_of_the_sound_are_no_padding():
    clip = white_noise(-20)
    clip[3000:14000] = 0
    assert padding_of(clip) == 0
    assert little_sound(clip, RATE) is None


def test_rounding_to_16_bits_changes_no_verdict():
    clips = (white_noise(-70), white_noise(-20), padded(white_noise(-20, 7000)), np.zeros(SAMPLES))
    for clip in clips:
        rounded = np.round(np.clip(clip, -1, 1) * 2**15) / 2**15
        assert little_sound(rounded, RATE) == little_sound(clip, RATE)
