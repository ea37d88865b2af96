"""Energy is measured with real speech of the test set, end to end, whatever of it is judged."""

import json

import librosa
import numpy as np
import pytest
import soundfile
from closeness import assert_close
from seeds import seed_of

from vocoder_pareto.audio.dataset import Clip, write_clip_table
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.clip_files import open_energy_clips
from vocoder_pareto.measurement.energy_clips import cut_energy_clips
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import BUILT_IN

RATE = 16000
SECONDS = (0.5, 0.9, 0.3)
SETTINGS = DatasetSettings("folder")
STATS = {"log_mel_minimum": 0.0, "log_mel_maximum": 5.0}


@pytest.fixture
def corpus(tmp_path):
    """A recording for training and three of the test set, all of noise."""
    for row, seconds in enumerate((1.0, *SECONDS)):
        noise = np.random.default_rng(seed_of(row)).uniform(-0.9, 0.9, round(seconds * RATE))
        soundfile.write(tmp_path / f"{row}.wav", noise, RATE)
    splits = enumerate(zip(("train", "test", "test", "test"), (1.0, *SECONDS), strict=True))
    clips = [Clip(row, f"clip{row}", f"{row}.wav", seconds, split) for row, (split, seconds) in splits]
    write_clip_table(tmp_path / "clips.csv", clips)
    (tmp_path / "stats.json").write_text(json.dumps(STATS))
    return tmp_path


def cut(corpus, count, seconds, front_end=BUILT_IN["paper"], settings=SETTINGS):
    names = "clips", "mels", "mel_ranges"
    outputs = {name: corpus / f"{name}.npy" for name in names}
    inputs = corpus, corpus / "clips.csv", corpus / "stats.json", settings, front_end
    cut_energy_clips(*inputs, clip_count=count, clip_seconds=seconds, **outputs)
    return [np.load(outputs[name]) for name in names]


def speech(corpus):
    """The recordings of the test set one after the other, as soundfile reads them."""
    return np.concatenate([soundfile.read(corpus / f"{row}.wav", dtype="float32")[0] for row in (1, 2, 3)])


def test_clips_are_the_utterances_end_to_end_and_no_second_comes_twice(corpus, caplog):
    clips, _, _ = cut(corpus, 3, 0.512)
    assert clips.shape == (3, 8192)
    np.testing.assert_array_equal(clips.reshape(-1), speech(corpus)[: 3 * 8192])
    assert caplog.text == ""


def test_speech_is_heard_again_only_where_the_test_set_ends_and_that_is_told(corpus, caplog):
    clips, _, _ = cut(corpus, 4, 0.512)
    np.testing.assert_array_equal(clips.reshape(-1), np.resize(speech(corpus), 4 * 8192))
    assert "Energy: the test set has 1.7 s of speech, and the protocol asks for 2.0 s" in caplog.text


def test_each_clip_has_the_mel_spectrogram_of_librosa(corpus):
    """As a clip by itself, between its own minimum and maximum."""
    clips, mels, ranges = cut(corpus, 2, 0.512)
    options = {"sr": RATE, "n_fft": 2048, "hop_length": 256, "n_mels": 80, "pad_mode": "reflect"}
    expected = np.log1p(librosa.feature.melspectrogram(y=clips, **options))[..., :32]
    low, high = ranges[:, 0, None, None], ranges[:, 1, None, None]
    assert_close(low + mels * (high - low), expected, factor=256)
    assert (mels.min(axis=(1, 2)).tolist(), mels.max(axis=(1, 2)).tolist()) == ([0, 0], [1, 1])


def test_clips_of_another_rate_are_as_long_in_whole_frames(corpus):
    """Of the first utterance against librosa's resampling; 0.4 s at 22,050 Hz are 34.5 frames, and 34 are taken."""
    clips, mels, _ = cut(corpus, 3, 0.4, BUILT_IN["hifigan_22k"])
    assert (clips.shape, mels.shape) == ((3, 34 * 256), (3, 80, 34))
    expected = librosa.load(corpus / "1.wav", sr=22050)[0][: 34 * 256]
    assert np.abs(clips[0] - expected).max() < 1e-5


def test_a_test_set_of_which_nothing_can_be_used_ends_in_one_line(corpus):
    for row in (1, 2, 3):
        (corpus / f"{row}.wav").write_bytes(b"")
    with pytest.raises(UserError, match=r"1\.wav: is empty"):
        cut(corpus, 1, 0.4)
    with pytest.raises(UserError, match=r"clips\.csv: no recording of the test set can be used; enlarge the corpus"):
        cut(corpus, 1, 0.4, settings=DatasetSettings("folder", on_bad_clip="skip"))


def test_a_damaged_file_is_named_with_the_rule_that_makes_it(corpus):
    np.save(corpus / "mels.npy", np.zeros((2, 40, 3), np.float32))
    with pytest.raises(UserError, match=r"mels\.npy: holds .*rerun the rule `cut_energy_clips`"):
        open_energy_clips(corpus / "mels.npy", 80, None)
