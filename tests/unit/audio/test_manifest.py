import csv

import numpy as np
import pytest

from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import read_manifest, write_audio_set
from vocoder_pareto.errors import UserError


def write(folder, clip_ids=("a", "b"), **options):
    audio = [np.full(1600, 0.1 * (index + 1), dtype=np.float32) for index in range(len(clip_ids))]
    options = {"seeds": [None] * len(clip_ids), **options}
    return write_audio_set(folder / "manifest.csv", clip_ids, audio, 16000, **options)


def test_a_manifest_is_read_as_it_was_written(tmp_path):
    entries = write(tmp_path, seeds=[7, 2**32 - 1], training_steps=12)
    assert read_manifest(tmp_path / "manifest.csv") == entries
    assert [entry.file for entry in entries] == ["a.wav", "b.wav"]
    assert (entries[1].duration_seconds, entries[1].sample_rate, entries[1].training_steps) == (0.1, 16000, 12)
    assert read_audio(tmp_path / "b.wav").samples == pytest.approx(0.2, abs=1e-4)


def test_the_columns_are_those_of_the_contract(tmp_path):
    write(tmp_path)
    with (tmp_path / "manifest.csv").open() as file:
        row = next(csv.DictReader(file))
    assert list(row)[:6] == ["clip_id", "file", "duration_seconds", "sample_rate", "seed", "training_steps"]
    assert (row["seed"], row["training_steps"]) == ("", "")


def test_audio_of_an_earlier_run_is_removed_but_nothing_else(tmp_path):
    write(tmp_path, ("a", "b", "c"))
    (tmp_path / "notes.txt").write_text("mine")
    write(tmp_path, ("b",))
    visible = sorted(file.name for file in tmp_path.iterdir() if not file.name.startswith("."))
    assert visible == ["b.wav", "manifest.csv", "notes.txt"]


def test_a_run_that_fails_leaves_no_manifest(tmp_path):
    write(tmp_path)

    def audio():
        yield np.zeros(10)
        raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        write_audio_set(tmp_path / "manifest.csv", ["a", "b"], audio(), 16000, [None, None])
    assert not (tmp_path / "manifest.csv").exists()


def test_clipped_samples_are_counted(tmp_path):
    audio = [np.array([0.0, 1.5, -2.0])]
    assert write_audio_set(tmp_path / "manifest.csv", ["a"], audio, 16000, [1])[0].clipped_samples == 2


def test_fewer_recordings_than_identifiers_are_a_fault(tmp_path):
    with pytest.raises(ValueError, match="shorter"):
        write_audio_set(tmp_path / "manifest.csv", ["a", "b"], [np.zeros(10)], 16000, [None, None])


@pytest.mark.parametrize(
    ("old", "new"),
    [("a.wav", "../a.wav"), ("a.wav", "/etc/passwd"), ("a.wav", ""), ("0.1", "x"), ("clip_id", "name")],
)
def test_a_damaged_manifest_is_named_with_its_mend(tmp_path, old, new):
    write(tmp_path)
    text = (tmp_path / "manifest.csv").read_text()
    (tmp_path / "manifest.csv").write_text(text.replace(old, new, 1))
    with pytest.raises(UserError, match=r"manifest\.csv: damaged.*rerun"):
        read_manifest(tmp_path / "manifest.csv")


def test_a_missing_manifest_is_named(tmp_path):
    with pytest.raises(UserError, match=r"manifest\.csv: no such file"):
        read_manifest(tmp_path / "manifest.csv")
