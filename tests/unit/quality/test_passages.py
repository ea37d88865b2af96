"""What a predictor hears at a time: whole utterances, or clips joined to at least 7 s."""

import numpy as np
import pytest
import soxr
from seeds import seed_of

from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.quality.passages import LEAST_SECONDS, joined, read_passages


def named(*seconds):
    return [(f"clip{index}", each) for index, each in enumerate(seconds)]


def test_clips_are_joined_until_they_last_seven_seconds_and_the_rest_goes_with_the_last():
    sizes = [len(group) for group in joined(named(*[1.024] * 17))]
    assert sizes == [7, 10]


def test_a_long_utterance_stands_alone_and_the_short_ones_around_it_are_joined():
    assert joined(named(4.0, 8.0, 3.5)) == [("clip1",), ("clip0", "clip2")]


def test_a_short_rest_goes_with_a_long_utterance_where_no_others_are_joined():
    assert joined(named(2.0, 8.0)) == [("clip1", "clip0")]


def test_less_than_seven_seconds_are_no_passage():
    assert joined(named(1.0, 2.0, 3.9)) == []


def test_every_clip_is_in_one_passage_and_every_passage_is_long_enough():
    rng = np.random.default_rng(seed_of(0))
    for _ in range(200):
        clips = named(*rng.uniform(0.5, 10, size=rng.integers(1, 40)))
        groups = joined(clips)
        seconds = dict(clips)
        assert all(sum(seconds[name] for name in group) >= LEAST_SECONDS for group in groups)
        if sum(seconds.values()) >= 2 * LEAST_SECONDS:
            assert sorted(name for group in groups for name in group) == sorted(seconds)


def test_samples_are_those_of_the_clips_without_gap_at_the_rate_that_is_asked_for(tmp_path):
    rng = np.random.default_rng(seed_of(1))
    clips = {name: np.round(rng.uniform(-0.5, 0.5, 22050 * 4) * 2**15) / 2**15 for name in ("a", "b", "c", "d")}
    manifest = tmp_path / "system" / "manifest.csv"
    write_audio_set(manifest, list(clips), clips.values(), 22050, [None] * 4)
    first, second = read_passages(manifest, 22050)
    assert (first.clip_ids, second.clip_ids) == (("a", "b"), ("c", "d"))
    np.testing.assert_array_equal(first.samples, np.concatenate([clips["a"], clips["b"]]).astype(np.float32))
    (lower,) = read_passages(manifest, 16000, limit=1)
    expected = [soxr.resample(clips[name].astype(np.float32), 22050, 16000, quality="HQ") for name in "ab"]
    np.testing.assert_allclose(lower.samples, np.concatenate(expected), atol=1e-6)


@pytest.mark.parametrize(("level", "constant"), [(0.0, True), (0.5, True)])
def test_a_passage_of_silence_or_a_constant_is_known(tmp_path, level, constant):
    manifest = tmp_path / "system" / "manifest.csv"
    write_audio_set(manifest, ["a"], [np.full(16000 * 8, level)], 16000, [None])
    (passage,) = read_passages(manifest, 16000)
    assert passage.is_constant == constant
