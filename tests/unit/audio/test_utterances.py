"""What is judged: recordings of the test set at their own length, the same stretch of time for every front end."""

import json
from dataclasses import replace

import librosa
import numpy as np
import pytest
import soundfile
from closeness import assert_close
from scipy import signal
from seeds import seed_of

from vocoder_pareto.audio.clips import prepare_clips
from vocoder_pareto.audio.judged_mels import prepare_utterances
from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.audio.utterances import COLUMNS, open_mels, read_utterances
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import DatasetSettings, ListedTestSet
from vocoder_pareto.study.sections.evaluation import EvaluationSettings
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_files import write_csv

RATE = 22050
SAMPLES = {"a": 30000, "b": 13230, "c": 40001, "d": 66150}  # of recordings; all but the first are the test set
SETTINGS = DatasetSettings("folder", clips=None, split=ListedTestSet("test.txt"))
PAPER = FrontEndSettings()


@pytest.fixture
def corpus(tmp_path):
    """Four recordings of noise that rises and falls as syllables do, and gets louder towards the end."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for seed, (name, samples) in enumerate(SAMPLES.items()):
        rng = np.random.default_rng(seed_of(seed))
        tenths = np.arange(0, samples + 2205, 2205)
        syllables = np.interp(np.arange(samples), tenths, rng.uniform(0.05, 1, len(tenths)))
        noise = rng.uniform(-0.9, 0.9, samples) * syllables
        soundfile.write(folder / f"{name}.wav", noise * np.linspace(0.3, 1, samples), RATE)
    (tmp_path / "test.txt").write_text("b\nc\nd\n")
    return folder


def prepare(corpus, front_end=PAPER, max_seconds=None, max_clips=None, settings=SETTINGS, processes=1):
    """The utterances and the mel-spectrogram of each, as a front end makes them."""
    folder = corpus.parent
    names = {"clips": "clips.npy", "table": "clips.csv", "skipped": "skipped.csv", "summary": "summary.json"}
    outputs = {name: folder / file for name, file in names.items()}
    form = {"sample_rate": front_end.sample_rate, "clip_samples": front_end.clip_samples(1.024), "seed": 0}
    prepare_clips(corpus, settings, **form, processes=1, **outputs, test_list=folder / "test.txt")
    outputs = {"mels": folder / "train_mels.npy", "ranges": folder / "ranges.npy", "stats": folder / "stats.json"}
    compute_mels(folder / "clips.npy", folder / "clips.csv", front_end, processes=1, **outputs)
    outputs = {"table": folder / "utterances.csv", "mels": folder / "mels.npy"}
    limits = {"max_seconds": max_seconds, "max_clips": max_clips}
    inputs = corpus, folder / "clips.csv", folder / "stats.json", settings, front_end
    prepare_utterances(*inputs, **limits, processes=processes, **outputs)
    utterances = read_utterances(folder / "utterances.csv")
    mels = open_mels(folder / "mels.npy", utterances, front_end.bands)
    return utterances, [utterance.mel_in(mels) for utterance in utterances]


def heard(corpus, name, sample_rate, samples=None):
    """The recording by librosa, as long as asked for."""
    audio = librosa.load(corpus / f"{name}.wav", sr=sample_rate)[0]
    return audio if samples is None else np.pad(audio[:samples], (0, max(0, samples - len(audio))))


def librosa_log_mel(audio):
    mel = librosa.feature.melspectrogram(y=audio, sr=16000, n_fft=2048, hop_length=256, n_mels=80, pad_mode="reflect")
    return np.log1p(mel[:, : len(audio) // 256])


@pytest.mark.parametrize("limit", [None, 2.0, 0.7])
def test_an_utterance_is_as_long_as_its_recording_and_at_most_as_long_as_is_judged(corpus, limit):
    """Against what soundfile says of the files; the last frame, which no recording fills, is whole."""
    utterances, mels = prepare(corpus, max_seconds=limit)
    assert [utterance.clip_id for utterance in utterances] == ["b", "c", "d"]
    for utterance, mel in zip(utterances, mels, strict=True):
        seconds = min(soundfile.info(corpus / utterance.source).duration, limit or np.inf)
        assert utterance.seconds == pytest.approx(seconds, abs=1e-6)
        assert mel.shape == (80, np.ceil(seconds * 16000 / 256))
        assert 0 <= seconds * 16000 - utterance.compared_at(16000).samples_at(16000) < 1


def test_its_mel_spectrogram_is_that_of_librosa_between_its_own_minimum_and_maximum(corpus):
    """Of the whole recording, and of its first 0.7 s, in which the loudest is another."""
    for limit in (None, 0.7):
        utterances, mels = prepare(corpus, max_seconds=limit)
        for utterance, mel in zip(utterances, mels, strict=True):
            expected = librosa_log_mel(heard(corpus, utterance.clip_id, 16000, mel.shape[1] * 256))
            low, high = utterance.value_range
            assert_close(low + mel * (high - low), expected, factor=256)
            assert (mel.min(), mel.max()) == (0, 1)


def test_with_the_papers_seconds_it_is_what_training_sees_of_the_clip(corpus):
    """The clips are the first 2^14 samples; a recording that is shorter is judged without their padding."""
    utterances, mels = prepare(corpus, max_seconds=1.024)
    clips, values = np.load(corpus.parent / "clips.npy"), np.load(corpus.parent / "train_mels.npy")
    assert clips.shape[1] == 2**14
    for utterance, mel in zip(utterances, mels, strict=True):
        if utterance.clip_id == "b":
            assert mel.shape[1] < 64
        else:
            np.testing.assert_array_equal(mel, values[utterance.row])


@pytest.mark.parametrize("normalization", ["dataset", "none"])
def test_a_range_of_the_dataset_or_none_is_the_same_for_all(corpus, normalization):
    utterances, mels = prepare(corpus, replace(PAPER, normalization=normalization))
    stats = json.loads((corpus.parent / "stats.json").read_text())
    low, high = (stats["log_mel_minimum"], stats["log_mel_maximum"]) if normalization == "dataset" else (0, 1)
    for utterance, mel in zip(utterances, mels, strict=True):
        assert utterance.value_range == (low, high)
        expected = librosa_log_mel(heard(corpus, utterance.clip_id, 16000, mel.shape[1] * 256))
        assert_close(low + mel * (high - low), expected, factor=256)


@pytest.mark.parametrize("name", ["paper", "hifigan_22k", "bigvgan_24k", "wavegrad_24k"])
def test_every_front_end_has_the_same_utterances_and_the_same_seconds(corpus, name):
    """At the same place, too: the loudness of the mel rises and falls with that of the recording, without a lag."""
    front_end = BUILT_IN[name]
    utterances, mels = prepare(corpus, front_end, max_seconds=1.5)
    assert [utterance.clip_id for utterance in utterances] == ["b", "c", "d"]
    assert [utterance.seconds for utterance in utterances] == [0.6, 1.5, 1.5]
    for utterance, mel in zip(utterances, mels, strict=True):
        assert mel.shape[1] == np.ceil(round(utterance.seconds * front_end.sample_rate / front_end.hop_length, 6))
        audio = heard(corpus, utterance.clip_id, front_end.sample_rate, mel.shape[1] * front_end.hop_length)
        level = np.log(np.square(audio.reshape(-1, front_end.hop_length)).mean(axis=1) + 1e-9)
        curves = [curve - curve.mean() for curve in (signal.detrend(mel.mean(axis=0)), signal.detrend(level))]
        lag = np.argmax(signal.correlate(*curves)) - (len(level) - 1)
        assert abs(lag) <= 1


def test_processes_do_not_change_anything_and_the_first_utterances_can_be_asked_for(corpus):
    utterances, mels = prepare(corpus)
    again = prepare(corpus, processes=2)
    assert again[0] == utterances
    assert all(np.array_equal(one, other) for one, other in zip(again[1], mels, strict=True))
    first = prepare(corpus, max_clips=2)
    assert first[0] == utterances[:2]


def test_silence_at_the_end_of_a_recording_is_its_own_and_none_is_added(corpus):
    """The last sample of what is judged is the last of the recording, at the rates that divide it."""
    (utterance, *_), _ = prepare(corpus, max_seconds=10.0)
    assert utterance.compared_at(RATE).samples_at(RATE) == SAMPLES["b"]
    assert utterance.compared_at(2 * RATE).samples_at(2 * RATE) == 2 * SAMPLES["b"]


@pytest.mark.parametrize("harm", ["short", "spoilt"])
def test_a_recording_that_cannot_be_judged_is_named_or_left_out(corpus, harm, caplog):
    """Its first second is good in the one case, so that it is a clip: what is wrong with it is known here."""
    if harm == "short":
        soundfile.write(corpus / "c.wav", np.full(1000, 0.1), RATE)
        words = r"corpus/c\.wav: lasts 0\.045351 s, too short to be judged \(0\.1 s\)"
    else:
        audio = soundfile.read(corpus / "d.wav")[0]
        audio[-1000] = np.nan
        soundfile.write(corpus / "d.wav", audio, RATE, subtype="FLOAT")
        words = r"corpus/d\.wav: .*(NaN|nan|not a number)"
    with pytest.raises(UserError, match=f"^1 of 3 recordings of the test set cannot be judged: .*{words}.*skip$"):
        prepare(corpus)
    utterances, _ = prepare(corpus, settings=replace(SETTINGS, on_bad_clip="skip"))
    assert [utterance.clip_id for utterance in utterances] == (["b", "d"] if harm == "short" else ["b", "c"])
    assert "so it is not judged" in caplog.text


def test_a_test_set_without_any_that_can_be_judged_ends_in_one_line(corpus):
    for name in "bcd":
        soundfile.write(corpus / f"{name}.wav", np.full(1000, 0.1), RATE)
    with pytest.raises(UserError, match=r"^3 of 3 recordings of the test set cannot be judged"):
        prepare(corpus, settings=replace(SETTINGS, on_bad_clip="skip"))


@pytest.mark.parametrize("seconds", [0, -1.0, 0.05, float("inf"), float("nan"), "long"])
def test_seconds_that_cannot_be_judged_are_refused_with_the_key(seconds):
    with pytest.raises(UserError, match=r"^config key evaluation\.seconds: .*(at least 0\.1|finite|number)"):
        settings_from(EvaluationSettings, {"seconds": seconds}, "evaluation")


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        (None, "no such file; run the rule `prepare_utterances`"),
        ([], r"damaged \(no utterances\); delete it and rerun the rule `prepare_utterances`"),
        ([("a", "a.wav", 0, "long", 3, 0, 1)], "damaged .*rerun the rule `prepare_utterances`"),
    ],
)
def test_a_damaged_table_is_named_with_the_rule_that_makes_it(tmp_path, rows, words):
    if rows is not None:
        write_csv(tmp_path / "utterances.csv", COLUMNS, rows)
    with pytest.raises(UserError, match=rf"utterances\.csv: {words}"):
        read_utterances(tmp_path / "utterances.csv")


def test_mels_of_another_number_of_frames_than_the_table_tells_are_refused(corpus):
    utterances, _ = prepare(corpus)
    np.save(corpus.parent / "mels.npy", np.zeros((3, 80), np.float32))
    with pytest.raises(UserError, match=r"mels\.npy: holds .*rerun the rule `prepare_utterances`"):
        open_mels(corpus.parent / "mels.npy", utterances, 80)
