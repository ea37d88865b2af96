"""The check for headphones, against what Woods et al. (2017) print and what air and bones do to it."""

from itertools import permutations

import numpy as np
import pytest
import soundfile

from vocoder_pareto.listening_test.headphones import headphone_check, tones, write_tones


@pytest.fixture(scope="module")
def sounds(tmp_path_factory):
    """(T, 2) samples by name, as a browser gets them."""
    folder = tmp_path_factory.mktemp("stimuli")
    write_tones(folder)
    return {path.stem: soundfile.read(path)[0] for path in folder.iterdir()}


def levels(sound, rate=16000):
    """The level of each tone in dB, of a signal of three tones of one second with pauses of half a second."""
    starts = (np.arange(3) * 1.5 * rate).astype(int)
    middles = [sound[start + rate // 4 : start + 3 * rate // 4] for start in starts]
    return np.array([10 * np.log10(np.mean(middle**2) + 1e-12) for middle in middles])


def test_every_order_of_the_three_tones_comes_once(sounds):
    found = set()
    for name, sound in sounds.items():
        left, difference = levels(sound[:, 0]), levels(sound[:, 0] - sound[:, 1])
        kinds = ["antiphase" if apart > -60 else "quiet" if level < left.max() - 3 else "loud"
                 for level, apart in zip(left, difference, strict=True)]  # fmt: skip
        found.add(tuple(kinds))
        quietest = {each["name"]: each["quietest"] for each in headphone_check("record")["sounds"]}
        assert kinds.index("quiet") + 1 == quietest[name]
    assert found == set(permutations(["loud", "quiet", "antiphase"]))


def test_each_ear_alone_hears_the_quiet_tone_six_decibels_below_the_others(sounds):
    for sound in sounds.values():
        for ear in (0, 1):
            heard = np.sort(levels(sound[:, ear]))
            assert heard[1:] - heard[0] == pytest.approx([6, 6], abs=0.01)


def test_in_the_air_the_tone_in_antiphase_seems_the_quietest():
    """Both loudspeakers add up where the listener sits; the paper measured more than 20 dB less."""
    sound = tones(("quiet", "antiphase", "loud"))
    assert np.argmin(levels(sound.sum(axis=1))) == 1


def test_tones_are_of_200_hertz_and_fade_in_and_out(sounds):
    for sound in sounds.values():
        spectrum = np.abs(np.fft.rfft(sound[:16000, 0]))  # one second: bins are hertz
        assert np.argmax(spectrum) == 200
        edges = [np.max(np.abs(sound[start : start + 160])) for start in (0, 16000 - 160)]
        assert max(edges) < 0.05 * np.max(np.abs(sound[:16000]))


def test_nothing_is_asked_where_no_check_is_wanted():
    assert headphone_check("none") is None
    assert not headphone_check("record")["is_required"]
    assert headphone_check("require")["is_required"]
