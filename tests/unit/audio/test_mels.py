import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import librosa
import numpy as np
import pytest
from closeness import assert_close
from seeds import seed_of

from vocoder_pareto.audio.clips import prepare_clips
from vocoder_pareto.audio.dataset import Clip, RowFile, clips_of, open_array, read_clip_table, write_clip_table
from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndSettings, GivenNormalization


def compute(folder, normalization="per_spectrogram", processes=1, front_end=None):
    outputs = {"mels": folder / "mels.npy", "ranges": folder / "mel_ranges.npy", "stats": folder / "mel_stats.json"}
    inputs = (folder / "clips.npy", folder / "clips.csv")
    front_end = front_end or FrontEndSettings(normalization=normalization)
    compute_mels(*inputs, front_end, processes=processes, **outputs)
    return np.load(outputs["mels"]), np.load(outputs["ranges"]), json.loads(outputs["stats"].read_text())


def make_clips(folder, clips):
    np.save(folder / "clips.npy", clips.astype(np.float32))
    write_clip_table(
        folder / "clips.csv", [Clip(row, f"clip{row}", "a.wav", 1.0, "train") for row in range(len(clips))]
    )


def restored(mels, ranges):
    low, high = ranges[:, 0, None, None], ranges[:, 1, None, None]
    return low + mels * (high - low)


def librosa_log_mels(clips):
    mels = librosa.feature.melspectrogram(y=clips, sr=16000, n_fft=2048, hop_length=256, n_mels=80, pad_mode="reflect")
    return np.log1p(mels)[..., :64]


def test_recordings_become_the_log_mels_of_librosa(tmp_path, ljspeech_folder):
    names = {"clips": "clips.npy", "table": "clips.csv", "skipped": "skipped.csv", "summary": "dataset_summary.json"}
    outputs = {name: tmp_path / file for name, file in names.items()}
    form = {"sample_rate": 16000, "clip_samples": 16384, "seed": 0}
    prepare_clips(ljspeech_folder, DatasetSettings("ljspeech", clips=None), **form, processes=1, **outputs)
    mels, ranges, _ = compute(tmp_path)
    recordings = sorted((ljspeech_folder / "wavs").iterdir())
    reference = np.stack([librosa.load(file, sr=16000)[0][:16384] for file in recordings])
    assert (mels.shape, mels.dtype) == ((10, 80, 64), np.float32)
    assert_close(restored(mels, ranges), librosa_log_mels(reference), factor=256)


@pytest.mark.parametrize("normalization", ["per_spectrogram", "dataset"])
def test_both_normalisations_can_be_undone_with_the_ranges(tmp_path, noise, normalization):
    clips = noise(20 * 16384).reshape(20, 16384) * np.linspace(0.01, 1, 20)[:, None]
    make_clips(tmp_path, clips)
    mels, ranges, _ = compute(tmp_path, normalization)
    assert_close(restored(mels, ranges), librosa_log_mels(clips.astype(np.float32)), factor=256)


def test_per_spectrogram_fills_the_range_and_dataset_keeps_loudness(tmp_path, noise):
    make_clips(tmp_path, np.stack([noise(16384), 0.1 * noise(16384)]))
    each, _, _ = compute(tmp_path, "per_spectrogram")
    assert each.min(axis=(1, 2)).tolist() == [0, 0]
    assert each.max(axis=(1, 2)).tolist() == [1, 1]
    whole, ranges, stats = compute(tmp_path, "dataset")
    assert (whole.min(), whole.max()) == (0, 1)
    assert whole[1].max() < 0.6 * whole[0].max()
    assert ranges.tolist() == [[stats["log_mel_minimum"], stats["log_mel_maximum"]]] * 2


def test_numbers_that_are_given_are_applied_and_no_range_is_looked_for(tmp_path, noise):
    """Against librosa's decibels of a magnitude, (value + 80) / 100 held between 0 and 1."""
    make_clips(tmp_path, np.stack([noise(16384), 1e-6 * noise(16384)]))
    given = GivenNormalization(-80.0, 100.0, 0.0, 1.0)
    front_end = FrontEndSettings(n_fft=1024, power=1, logarithm="dB", floor=1e-5, normalization=given)
    values, ranges, stats = compute(tmp_path, front_end=front_end)
    magnitudes = librosa.feature.melspectrogram(
        y=np.load(tmp_path / "clips.npy"), sr=16000, n_fft=1024, hop_length=256, n_mels=80, power=1, pad_mode="reflect"
    )[..., :64]
    expected = np.clip((20 * np.log10(np.maximum(magnitudes, 1e-5)) + 80) / 100, 0, 1)
    assert np.abs(values - expected).max() < 1e-5
    assert ranges.tolist() == [[0, 1]] * 2
    assert stats["front_end"]["normalization"] == {"mean": -80.0, "scale": 100.0, "minimum": 0.0, "maximum": 1.0}


def test_the_waveform_itself_is_a_column_of_samples_per_frame(tmp_path, noise):
    clips = noise(2 * 3200).reshape(2, 3200)
    make_clips(tmp_path, clips)
    values, _, _ = compute(tmp_path, front_end=FrontEndSettings(representation="waveform", hop_length=320))
    assert values.shape == (2, 320, 10)
    np.testing.assert_array_equal(values.transpose(0, 2, 1).reshape(2, 3200), clips.astype(np.float32))


def test_a_clip_lasts_to_the_end_of_the_frame_that_its_seconds_end_in():
    lengths = {name: BUILT_IN[name].clip_samples(1.024) for name in ("paper", "hifigan_22k", "wavegrad_24k")}
    assert lengths == {"paper": 64 * 256, "hifigan_22k": 89 * 256, "wavegrad_24k": 82 * 300}


def test_a_silent_clip_becomes_zeros_and_is_counted(tmp_path, noise):
    make_clips(tmp_path, np.stack([noise(16384), np.zeros(16384)]))
    mels, ranges, stats = compute(tmp_path)
    assert not mels[1].any()
    assert ranges[1].tolist() == [0, 0]
    assert (stats["clips"], stats["constant_clips"]) == (2, 1)


def test_processes_do_not_change_the_result(tmp_path, noise):
    make_clips(tmp_path, noise(200 * 16384).reshape(200, 16384))
    one, _, _ = compute(tmp_path, processes=1)
    several, _, _ = compute(tmp_path, processes=3)
    np.testing.assert_array_equal(one, several)


def peak_memory_bytes(folder, rows):
    """The most that `compute_mels.py` holds at once for this many clips of silence."""
    folder.mkdir()
    RowFile.allocate(folder / "clips.npy", (rows, 16384))  # of which no byte lies on the disk
    write_clip_table(folder / "clips.csv", [Clip(row, f"{row}", "a.wav", 1.0, "test") for row in range(rows)])
    program = Path(__file__).parents[3] / "workflow_scripts" / "compute_mels.py"
    options = {"clips": "clips.npy", "clip-table": "clips.csv"}
    options |= {"output-mels": "m.npy", "output-mel-ranges": "r.npy", "output-mel-stats": "s.json"}
    command = [sys.executable, program, "--processes", "1"]
    command += [part for name, file in options.items() for part in (f"--{name}", folder / file)]
    measured = "import resource, subprocess, sys; subprocess.run(sys.argv[1:], check=True, stderr=subprocess.DEVNULL)"
    measured += "; print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    result = subprocess.run([sys.executable, "-c", measured, *command], check=True, capture_output=True, text=True)
    return int(result.stdout) * 1024


def test_memory_does_not_grow_with_the_number_of_clips(tmp_path):
    """By a quarter of what the further clips and their mel-spectrograms take, at most."""
    few, many = 375, 1500
    growth = peak_memory_bytes(tmp_path / "many", many) - peak_memory_bytes(tmp_path / "few", few)
    assert growth < (many - few) * (16384 + 80 * 64) * 4 / 4


def test_clips_that_are_no_whole_frames_are_refused(tmp_path, noise):
    make_clips(tmp_path, noise(2 * 8000).reshape(2, 8000))
    with pytest.raises(UserError, match=r"clips\.npy: has clips of 8000 samples, which is no multiple of 256"):
        compute(tmp_path)
    assert not (tmp_path / "mels.npy").exists()


def damage_truncated(path):
    path.write_bytes(path.read_bytes()[:-1000])


def damage_empty(path):
    path.write_bytes(b"")


def damage_header(path):
    path.write_bytes(b"garbage" + path.read_bytes()[7:])


def damage_missing(path):
    path.unlink()


@pytest.mark.parametrize("damage", [damage_truncated, damage_empty, damage_header, damage_missing])
@pytest.mark.parametrize("name", ["clips.npy", "clips.csv"])
def test_a_damaged_dataset_is_named_with_its_mend(tmp_path, noise, damage, name):
    make_clips(tmp_path, noise(40 * 16384).reshape(40, 16384))
    if (damage, name) == (damage_truncated, "clips.csv"):
        (tmp_path / name).write_text((tmp_path / name).read_text()[:-8])
    else:
        damage(tmp_path / name)
    with pytest.raises(UserError, match=rf"{name.replace('.', '[.]')}: .*prepare_clips"):
        compute(tmp_path)


def test_an_array_of_python_objects_is_not_loaded(tmp_path):
    np.save(tmp_path / "clips.npy", np.array([{"code": "runs"}], dtype=object), allow_pickle=True)
    with pytest.raises(UserError, match="damaged"):
        open_array(tmp_path / "clips.npy", (None, 16384), "prepare_clips")


def test_the_table_is_read_as_it_was_written(tmp_path):
    clips = [Clip(0, "größe", 'a, "b".wav', 1.25, "train"), Clip(1, "x", "c.wav", 2.0, "test")]
    write_clip_table(tmp_path / "clips.csv", clips)
    assert read_clip_table(tmp_path / "clips.csv") == clips


@pytest.mark.parametrize("rows", ["", "a,a.wav,1.0,validation\n", "a,a.wav,1.0,\n"])
def test_a_table_without_clips_or_with_an_unknown_split_is_refused(tmp_path, rows):
    (tmp_path / "clips.csv").write_text("clip_id,source,duration_seconds,split\n" + rows)
    with pytest.raises(UserError, match=r"clips\.csv: damaged .*rerun the rule `prepare_clips`"):
        read_clip_table(tmp_path / "clips.csv")


@pytest.mark.parametrize("number", [errno.ENODEV, errno.EINVAL])
def test_an_array_on_a_file_system_that_maps_no_files_is_read(tmp_path, monkeypatch, caplog, number):
    array = np.random.default_rng(seed_of(0)).random((5, 16), dtype=np.float32)
    np.save(tmp_path / "clips.npy", array)

    def refuse(*_, **__):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("mmap.mmap", refuse)
    assert np.array_equal(open_array(tmp_path / "clips.npy", (5, 16), "prepare_clips"), array)
    assert f"maps no files ({os.strerror(number)})" in caplog.text
    (tmp_path / "clips.npy").write_bytes((tmp_path / "clips.npy").read_bytes()[:-4])
    with pytest.raises(UserError, match=r"clips\.npy: damaged"):
        open_array(tmp_path / "clips.npy", (5, 16), "prepare_clips")


def test_the_rows_of_a_file_are_those_that_numpy_reads(tmp_path):
    array = np.random.default_rng(seed_of(1)).random((5, 4, 3), dtype=np.float32)
    np.save(tmp_path / "mels.npy", array)
    assert np.array_equal(RowFile.of(tmp_path / "mels.npy").read(1, 3), array[1:4])


def test_test_clips_come_in_sorted_order_up_to_the_limit():
    clips = [Clip(row, str(row), "", 1.0, "test" if row > 1 else "train") for row in range(5)]
    assert [clip.row for clip in clips_of(clips, "test")] == [2, 3, 4]
    assert [clip.row for clip in clips_of(clips, "test", 2)] == [2, 3]
    assert [clip.row for clip in clips_of(clips, "test", 99)] == [2, 3, 4]
    with pytest.raises(UserError, match="0 clips are not allowed"):
        clips_of(clips, "test", 0)
