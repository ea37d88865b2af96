import csv
import resource
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
import soundfile
from closeness import assert_close

from vocoder_pareto.audio.clips import load_clip, prepare_clips
from vocoder_pareto.audio.dataset import read_clip_table
from vocoder_pareto.audio.dataset_summary import DatasetSummary
from vocoder_pareto.audio.files import BadAudio
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import DatasetSettings, ListedTestSet

RATE, SAMPLES = 16000, 16384
PROGRAM = Path(__file__).parents[3] / "workflow_scripts" / "prepare_clips.py"


OUTPUTS = {"clips": "clips.npy", "table": "clips.csv", "skipped": "skipped.csv", "summary": "dataset_summary.json"}
FORM = {"sample_rate": RATE, "clip_samples": SAMPLES}


def prepare(folder, output, processes=1, seed=0, **settings):
    paths = {name: output / file for name, file in OUTPUTS.items()}
    settings = DatasetSettings(**{"source": "ljspeech", "clips": None, **settings})
    prepare_clips(folder, settings, **FORM, seed=seed, processes=processes, **paths)
    return np.load(paths["clips"]), read_clip_table(paths["table"]), list(csv.DictReader(paths["skipped"].open()))


def whole_clip(path):
    """The independent reference: librosa on the whole recording, then the beginning."""
    samples = librosa.load(path, sr=RATE)[0][:SAMPLES]
    return np.pad(samples, (0, SAMPLES - len(samples)))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.0, 1.05, 1.2, 3.0])
def test_a_clip_equals_the_beginning_of_the_whole_recording_in_librosa(tmp_path, noise, rate, seconds):
    soundfile.write(tmp_path / "a.wav", noise(int(rate * seconds)), rate)
    clip, duration_seconds, _ = load_clip(tmp_path / "a.wav", RATE, SAMPLES)
    assert duration_seconds == pytest.approx(seconds, abs=1 / rate)
    assert_close(clip, whole_clip(tmp_path / "a.wav"), factor=8)


def test_a_clip_does_not_depend_on_those_before_it(tmp_path, noise):
    for seed, name in enumerate("ab"):
        soundfile.write(tmp_path / f"{name}.wav", noise(40000, seed), 22050)
    first = load_clip(tmp_path / "a.wav", RATE, SAMPLES).samples
    load_clip(tmp_path / "b.wav", RATE, SAMPLES)
    np.testing.assert_array_equal(load_clip(tmp_path / "a.wav", RATE, SAMPLES).samples, first)


def test_a_recording_that_is_shorter_ends_in_zeros(tmp_path, noise):
    soundfile.write(tmp_path / "a.flac", noise(8000), 16000)
    clip = load_clip(tmp_path / "a.flac", RATE, SAMPLES).samples
    assert clip.shape == (SAMPLES,)
    assert not clip[8000:].any()
    assert clip[:8000].any()


def test_clips_and_table_have_a_row_per_recording(tmp_path, ljspeech_folder):
    clips, table, skipped = prepare(ljspeech_folder, tmp_path)
    assert (clips.shape, clips.dtype) == ((10, SAMPLES), np.float32)
    assert [clip.clip_id for clip in table] == [f"LJ001-{number:04d}" for number in range(1, 11)]
    assert [clip.split for clip in table] == ["train"] * 8 + ["test"] * 2
    assert {round(clip.duration_seconds, 5) for clip in table} == {round(30000 / 22050, 5)}
    assert skipped == []
    for clip in table:
        assert_close(clips[clip.row], whole_clip(ljspeech_folder / clip.source), factor=8)


def test_several_processes_give_the_same_bytes_as_one(tmp_path, noise):
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for index in range(300):
        soundfile.write(corpus / f"{index}.wav", noise(2000, index), 16000)
    spoil_truncated(corpus / "77.wav")
    one, several = tmp_path / "one", tmp_path / "several"
    prepare(corpus, one, source="folder", on_bad_clip="skip")
    clips, _, skipped = prepare(corpus, several, source="folder", on_bad_clip="skip", processes=3)
    assert (len(clips), len(skipped)) == (299, 1)
    for name in OUTPUTS.values():
        assert (one / name).read_bytes() == (several / name).read_bytes()


def test_a_folder_may_mix_rates_and_formats(tmp_path, noise):
    (tmp_path / "a").mkdir()
    soundfile.write(tmp_path / "a" / "one.wav", noise(50000), 44100)
    soundfile.write(tmp_path / "two with spaces.flac", noise(9000), 8000)
    clips, table, _ = prepare(tmp_path, tmp_path / "out", source="folder")
    assert sorted(clip.clip_id for clip in table) == ["a__one", "two_with_spaces"]
    for clip in table:
        assert_close(clips[clip.row], whole_clip(tmp_path / clip.source), factor=8)


def spoil_missing(path):
    path.unlink()


def spoil_truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def spoil_rate(path):
    soundfile.write(path, np.zeros(1000), 44100)


def spoil_scale(path):
    soundfile.write(path, np.full(1000, 20000.0), 22050, subtype="FLOAT")


def spoil_empty(path):
    path.write_bytes(b"")


def spoil_nan(path):
    soundfile.write(path, np.full(1000, np.nan), 22050, subtype="FLOAT")


def spoil_text(path):
    path.write_text("<html>404</html>" * 100)


SPOILERS = [spoil_missing, spoil_truncated, spoil_rate, spoil_scale, spoil_empty, spoil_nan, spoil_text]


@pytest.mark.parametrize("spoil", SPOILERS)
def test_a_bad_recording_ends_the_run_with_its_name_and_nothing_written(tmp_path, ljspeech_folder, spoil):
    spoil(ljspeech_folder / "wavs" / "LJ001-0004.wav")
    with pytest.raises(UserError, match=r"1 of the recordings.*LJ001-0004\.wav: .*on_bad_clip: skip"):
        prepare(ljspeech_folder, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_all_bad_recordings_are_named_at_once(tmp_path, ljspeech_folder):
    for number, spoil in enumerate(SPOILERS, start=1):
        spoil(ljspeech_folder / "wavs" / f"LJ001-{number:04d}.wav")
    with pytest.raises(UserError) as raised:
        prepare(ljspeech_folder, tmp_path)
    assert all(f"LJ001-{number:04d}.wav: " in str(raised.value) for number in range(1, 8))
    assert "has 44100 Hz, expected 22050 Hz" in str(raised.value)


def test_bad_recordings_can_be_left_out_and_are_listed(tmp_path, ljspeech_folder):
    good, _, _ = prepare(ljspeech_folder, tmp_path / "before")
    for number in (1, 5, 10):
        spoil_truncated(ljspeech_folder / "wavs" / f"LJ001-{number:04d}.wav")
    clips, table, skipped = prepare(ljspeech_folder, tmp_path / "after", on_bad_clip="skip")
    np.testing.assert_array_equal(clips, good[[1, 2, 3, 5, 6, 7, 8]])
    assert [clip.row for clip in table] == list(range(7))
    assert [clip.clip_id[-4:] for clip in table] == ["0002", "0003", "0004", "0006", "0007", "0008", "0009"]
    assert [clip.split for clip in table] == ["train"] * 6 + ["test"]
    assert [row["file"][-8:-4] for row in skipped] == ["0001", "0005", "0010"]
    assert all("is truncated" in row["reason"] for row in skipped)
    assert sorted(file.name for file in (tmp_path / "after").iterdir()) == sorted(OUTPUTS.values())
    summary = DatasetSummary.read(tmp_path / "after" / "dataset_summary.json")
    assert (summary.train, summary.test, summary.skipped, summary.split) == (6, 1, 3, "tail")


def test_leaving_out_must_leave_two_clips(tmp_path, ljspeech_folder):
    for number in range(2, 11):
        spoil_empty(ljspeech_folder / "wavs" / f"LJ001-{number:04d}.wav")
    with pytest.raises(UserError, match="fewer than two usable recordings"):
        prepare(ljspeech_folder, tmp_path / "out", on_bad_clip="skip")


def test_a_wrong_rate_is_a_fault_of_ljspeech_only(tmp_path, noise):
    soundfile.write(tmp_path / "a.wav", noise(1000), 44100)
    load_clip(tmp_path / "a.wav", RATE, SAMPLES)
    with pytest.raises(BadAudio, match="has 44100 Hz, expected 22050 Hz"):
        load_clip(tmp_path / "a.wav", RATE, SAMPLES, expected_rate=22050)


@pytest.mark.parametrize("limit", [10_000, 900_000])
def test_a_full_disk_is_told_and_leaves_nothing(tmp_path, ljspeech_folder, limit):
    output = tmp_path / "out"
    dataset = '{"source": "ljspeech", "clips": null}'
    command = [sys.executable, PROGRAM, "--dataset-settings", dataset, "--corpus", ljspeech_folder]
    command += ["--sample-rate", "16000", "--clip-samples", "16384"]
    command += ["--output-clips", output / "clips.npy", "--output-clip-table", output / "clips.csv"]
    command += ["--output-skipped", output / "skipped.csv"]
    command += ["--output-dataset-summary", output / "dataset_summary.json"]

    def limit_file_size():  # stands for a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    result = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit_file_size)
    if limit < 10 * SAMPLES * 4:
        assert result.returncode == 1
        assert "clips.npy: cannot be written (File too large); free space" in result.stderr.splitlines()[-1]
        assert list(output.iterdir()) == []
    else:
        assert result.returncode == 0


def summary_of(folder):
    return DatasetSummary.read(folder / "dataset_summary.json")


def test_recordings_of_several_channels_are_mixed_and_counted(tmp_path, noise):
    for name, channels in (("a", 1), ("b", 2), ("c", 6)):
        soundfile.write(tmp_path / f"{name}.wav", noise(channels * 20000).reshape(-1, channels), RATE)
    clips, table, _ = prepare(tmp_path, tmp_path / "out", source="folder")
    for clip in table:
        mean = np.mean(soundfile.read(tmp_path / clip.source, always_2d=True)[0], axis=1)[:SAMPLES]
        assert_close(clips[clip.row], mean.astype(np.float32), factor=8)
    assert (summary_of(tmp_path / "out").several_channels, summary_of(tmp_path / "out").channels) == (2, "mix")


def test_recordings_of_several_channels_can_be_an_error(tmp_path, noise):
    for name, channels in (("a", 1), ("b", 2), ("c", 1)):
        soundfile.write(tmp_path / f"{name}.wav", noise(channels * 20000).reshape(-1, channels), RATE)
    with pytest.raises(UserError, match=r"b\.wav: has 2 channels, expected 1"):
        prepare(tmp_path, tmp_path / "out", source="folder", channels="error")
    first, table, _ = prepare(tmp_path, tmp_path / "out", source="folder", channels="first", split="tail")
    left = soundfile.read(tmp_path / table[1].source)[0][:SAMPLES, 0]
    assert_close(first[1], left.astype(np.float32), factor=8)


def test_opposite_channels_mix_to_silence_which_is_told(tmp_path, noise):
    """A recording whose second channel has the sign of the first turned round, as balanced cables leave it."""
    for name in "ab":
        soundfile.write(tmp_path / f"{name}.wav", noise(20000), RATE)
    soundfile.write(tmp_path / "c.wav", np.stack([noise(20000), -noise(20000)], axis=1), RATE, subtype="FLOAT")
    prepare(tmp_path, tmp_path / "out", source="folder")
    assert summary_of(tmp_path / "out").little_sound == {"c": "silent"}


def test_clips_with_too_little_sound_stay_and_are_told(tmp_path, noise, caplog):
    second = np.zeros(RATE)
    sounds = {
        "constant": np.full(20000, 0.4),
        "faint": 1e-3 * noise(20000),
        "late": np.concatenate([second, second, noise(20000)]),  # what counts is the first second
        "loud": noise(20000),
        "noisy": 0.1 * noise(20000),
        "padded": noise(6000),
        "silent": np.zeros(20000),
    }
    for name, sound in sounds.items():
        soundfile.write(tmp_path / f"{name}.wav", sound, RATE)
    caplog.set_level("INFO")
    clips, _, skipped = prepare(tmp_path, tmp_path / "out", source="folder", split="tail")
    assert (len(clips), skipped) == (7, [])
    summary = summary_of(tmp_path / "out")
    found = {"constant": "constant", "faint": "faint", "late": "silent", "padded": "padded", "silent": "silent"}
    assert (summary.little_sound, summary.little_sound_of_test) == (found, 1)
    assert summary.padding_share == pytest.approx((1 - 6000 / SAMPLES) / 7)
    told = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert told == [
        "Dataset: clips with too little sound: 5, in the test set 1 "
        "(digital silence: 2, late, silent; constant: 1, constant; next to no sound: 1, faint; mostly padding: 1, "
        "padded)."
    ]


def test_spoken_digits_are_mostly_padding_which_is_told_with_a_mend(tmp_path, noise, caplog):
    for number in range(10):
        soundfile.write(tmp_path / f"{number}.wav", noise(round(0.44 * 8000), number), 8000)
    prepare(tmp_path, tmp_path / "out", source="folder")
    summary = summary_of(tmp_path / "out")
    assert summary.padding_share == pytest.approx(0.57, abs=0.001)
    assert set(summary.little_sound.values()) == {"padded"}
    told = "padding among all samples (recordings are shorter than a clip; lower dataset.clip_seconds): 57%"
    assert told in caplog.text


def test_what_a_folder_holds_beside_recordings_is_named_or_counted(tmp_path, noise, caplog):
    for name in ("a.wav", "b.OGG", "c.aiff"):
        soundfile.write(tmp_path / name, 0.5 * noise(20000), RATE)
    for name in ("d.m4a", "sub/e.M4A", "f.wma", "a.txt", "b.txt", "README", ".hidden.m4a"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"?")
    (tmp_path / "gone.flac").symlink_to(tmp_path / "nowhere")
    caplog.set_level("INFO")
    with pytest.raises(UserError, match=r"1 of the recordings.*gone\.flac: cannot be read \(No such file"):
        prepare(tmp_path, tmp_path / "out", source="folder")
    _, table, skipped = prepare(tmp_path, tmp_path / "out", source="folder", on_bad_clip="skip")
    assert sorted(clip.source for clip in table) == ["a.wav", "b.OGG", "c.aiff"]
    assert [row["file"].removeprefix(f"{tmp_path}/") for row in skipped] == ["gone.flac", "d.m4a", "f.wma", "sub/e.M4A"]
    assert all("libsndfile does not read" in row["reason"] for row in skipped[1:])
    summary = summary_of(tmp_path / "out")
    assert (summary.skipped, summary.unreadable) == (1, {".m4a": 2, ".wma": 1})
    assert summary.other_files == {"": 1, ".txt": 2}
    assert "convert them to FLAC): 2 .m4a, 1 .wma." in caplog.text
    assert "files that are no recordings: 1 without a suffix, 2 .txt." in caplog.text


def test_a_random_test_set_stands_last_and_its_clips_are_those_of_its_rows(tmp_path, noise):
    for number in range(40):
        folder = tmp_path / f"speaker{number // 10}"
        folder.mkdir(exist_ok=True)
        soundfile.write(folder / f"{number:02d}.wav", noise(3000, number), RATE)
    spoil_truncated(tmp_path / "speaker1" / "13.wav")
    settings = {"source": "folder", "on_bad_clip": "skip"}
    clips, table, _ = prepare(tmp_path, tmp_path / "out", **settings)
    assert [clip.split for clip in table] == ["train"] * 31 + ["test"] * 8
    assert [clip.source for clip in table[:31]] == sorted(clip.source for clip in table[:31])
    assert {clip.source[:8] for clip in table[31:]} == {f"speaker{number}" for number in range(4)}
    for clip in table:
        assert_close(clips[clip.row], whole_clip(tmp_path / clip.source), factor=8)
    _, again, _ = prepare(tmp_path, tmp_path / "again", **settings)
    _, other, _ = prepare(tmp_path, tmp_path / "other", seed=1, **settings)
    assert again == table != other


def test_a_list_is_the_test_set(tmp_path, ljspeech_folder):
    (tmp_path / "list.txt").write_text("LJ001-0002\nwavs/LJ001-0007.wav\n")
    _, table, _ = prepare(ljspeech_folder, tmp_path / "out", split=ListedTestSet(str(tmp_path / "list.txt")))
    assert [clip.clip_id[-4:] for clip in table if clip.split == "test"] == ["0002", "0007"]
    assert summary_of(tmp_path / "out").split == "list"


def test_how_many_recordings_of_how_many_are_used_is_told(tmp_path, ljspeech_folder, caplog):
    caplog.set_level("INFO")
    prepare(ljspeech_folder, tmp_path / "out", clips=5)
    assert caplog.messages == [
        "Dataset: clips for training: 4, for the test: 1 (the last in sorted order), recordings skipped: 0 "
        "(of the first 5 of 10 recordings, dataset.clips)."
    ]


def test_a_damaged_summary_is_named(tmp_path):
    (tmp_path / "dataset_summary.json").write_text('{"train": 3}')
    with pytest.raises(UserError, match=r"dataset_summary\.json: damaged .*rerun the rule `prepare_clips`"):
        summary_of(tmp_path)


def test_a_recording_of_the_test_set_that_training_hears_too_is_told(tmp_path, noise, caplog):
    """A copy in another format and a link; two silent recordings equal each other and are told as silent alone."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    samples = np.round(noise(20000) * 2**15) / 2**15
    soundfile.write(folder / "a.wav", samples, RATE, subtype="PCM_16")
    soundfile.write(folder / "b.wav", noise(20000, 1), RATE)
    soundfile.write(folder / "c.wav", np.zeros(20000), RATE)
    soundfile.write(folder / "x.flac", samples, RATE, subtype="PCM_16")
    (folder / "y.wav").symlink_to(folder / "b.wav")
    soundfile.write(folder / "z.wav", np.zeros(20000), RATE)
    (tmp_path / "test.txt").write_text("x.flac\ny.wav\nz.wav\n")
    prepare(folder, tmp_path, source="folder", split=ListedTestSet(str(tmp_path / "test.txt")))
    found = DatasetSummary.read(tmp_path / "dataset_summary.json")
    assert found.trained_on == {"x": "a", "y": "b"}
    assert "that training hears, too" in caplog.text
    assert "2 (x equals a, y equals b)" in caplog.text
