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
from hypothesis import given
from hypothesis import strategies as st

from vocoder_pareto.audio.clips import load_clip, prepare_clips, size_of_test_set
from vocoder_pareto.audio.dataset import read_clip_table
from vocoder_pareto.audio.files import BadAudio
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import DatasetSettings

RATE, SAMPLES = 16000, 16384
PROGRAM = Path(__file__).parents[3] / "workflow_scripts" / "prepare_clips.py"


def prepare(folder, output, processes=1, **settings):
    names = {"clips": "clips.npy", "table": "clips.csv", "skipped": "skipped.csv"}
    paths = {name: output / file for name, file in names.items()}
    dataset = DatasetSettings(**{"source": "ljspeech", "clips": None, **settings})
    prepare_clips(folder, dataset, sample_rate=RATE, clip_samples=SAMPLES, processes=processes, **paths)
    return np.load(paths["clips"]), read_clip_table(paths["table"]), list(csv.DictReader(paths["skipped"].open()))


def whole_clip(path):
    """The independent reference: librosa on the whole recording, then the beginning."""
    samples = librosa.load(path, sr=RATE)[0][:SAMPLES]
    return np.pad(samples, (0, SAMPLES - len(samples)))


@pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 24000, 44100, 48000, 96000, 192000])
@pytest.mark.parametrize("seconds", [0.01, 0.5, 1.0, 1.05, 1.2, 3.0])
def test_a_clip_equals_the_beginning_of_the_whole_recording_in_librosa(tmp_path, noise, rate, seconds):
    soundfile.write(tmp_path / "a.wav", noise(int(rate * seconds)), rate)
    clip, duration_seconds = load_clip(tmp_path / "a.wav", RATE, SAMPLES)
    assert duration_seconds == pytest.approx(seconds, abs=1 / rate)
    assert_close(clip, whole_clip(tmp_path / "a.wav"), factor=8)


def test_a_clip_does_not_depend_on_those_before_it(tmp_path, noise):
    for seed, name in enumerate("ab"):
        soundfile.write(tmp_path / f"{name}.wav", noise(40000, seed), 22050)
    first, _ = load_clip(tmp_path / "a.wav", RATE, SAMPLES)
    load_clip(tmp_path / "b.wav", RATE, SAMPLES)
    np.testing.assert_array_equal(load_clip(tmp_path / "a.wav", RATE, SAMPLES)[0], first)


def test_a_recording_that_is_shorter_ends_in_zeros(tmp_path, noise):
    soundfile.write(tmp_path / "a.flac", noise(8000), 16000)
    clip, _ = load_clip(tmp_path / "a.flac", RATE, SAMPLES)
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
    for index in range(300):
        soundfile.write(tmp_path / f"{index}.wav", noise(2000, index), 16000)
    spoil_truncated(tmp_path / "77.wav")
    one, several = tmp_path / "one", tmp_path / "several"
    prepare(tmp_path, one, source="folder", on_bad_clip="skip")
    clips, _, skipped = prepare(tmp_path, several, source="folder", on_bad_clip="skip", processes=3)
    assert (len(clips), len(skipped)) == (299, 1)
    for name in ("clips.npy", "clips.csv", "skipped.csv"):
        assert (one / name).read_bytes() == (several / name).read_bytes()


def test_a_folder_may_mix_rates_and_formats(tmp_path, noise):
    (tmp_path / "a").mkdir()
    soundfile.write(tmp_path / "a" / "one.wav", noise(50000), 44100)
    soundfile.write(tmp_path / "two with spaces.flac", noise(9000), 8000)
    clips, table, _ = prepare(tmp_path, tmp_path / "out", source="folder")
    assert [clip.clip_id for clip in table] == ["a__one", "two_with_spaces"]
    for clip in table:
        assert_close(clips[clip.row], whole_clip(tmp_path / clip.source), factor=8)


def spoil_missing(path):
    path.unlink()


def spoil_truncated(path):
    path.write_bytes(path.read_bytes()[:-100])


def spoil_rate(path):
    soundfile.write(path, np.zeros(1000), 44100)


def spoil_stereo(path):
    soundfile.write(path, np.zeros((1000, 2)), 22050)


def spoil_empty(path):
    path.write_bytes(b"")


def spoil_nan(path):
    soundfile.write(path, np.full(1000, np.nan), 22050, subtype="FLOAT")


def spoil_text(path):
    path.write_text("<html>404</html>" * 100)


SPOILERS = [spoil_missing, spoil_truncated, spoil_rate, spoil_stereo, spoil_empty, spoil_nan, spoil_text]


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
    assert sorted(file.name for file in (tmp_path / "after").iterdir()) == ["clips.csv", "clips.npy", "skipped.csv"]


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

    def limit_file_size():  # stands for a full disk
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    result = subprocess.run(command, capture_output=True, text=True, preexec_fn=limit_file_size)
    if limit < 10 * SAMPLES * 4:
        assert result.returncode == 1
        assert "clips.npy: cannot be written (File too large); free space" in result.stderr.splitlines()[-1]
        assert list(output.iterdir()) == []
    else:
        assert result.returncode == 0


@given(clips=st.integers(2, 20000), share=st.floats(0.001, 0.999))
def test_both_splits_have_clips_and_the_share_is_kept(clips, share):
    test = size_of_test_set(clips, share)
    assert 1 <= test <= clips - 1
    assert abs(test - clips * share) <= 1


def test_the_test_set_of_ljspeech_is_a_fifth():
    assert size_of_test_set(13100, 0.2) == 2620
