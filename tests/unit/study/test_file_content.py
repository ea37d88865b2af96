"""Digests follow what files hold, whatever their times and places say."""

import os
import shutil

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study import file_content
from vocoder_pareto.study.file_content import FileDigests


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "recordings"
    folder.mkdir()
    for number in range(3):
        (folder / f"{number}.wav").write_bytes(bytes([number]) * 1000)
    return folder


def digest(folder, memory):
    return FileDigests(memory).together(sorted(folder.iterdir()), folder)


def test_a_file_edited_at_equal_size_and_time_counts(folder, tmp_path):
    before = digest(folder, tmp_path / "memory")
    file = folder / "1.wav"
    stamp = file.stat()
    file.write_bytes(bytes(999) + b"\1")
    os.utime(file, ns=(stamp.st_atime_ns, stamp.st_mtime_ns))
    assert digest(folder, tmp_path / "memory") != before


def test_a_file_replaced_by_an_older_one_counts(folder, tmp_path):
    before = digest(folder, tmp_path / "memory")
    other = tmp_path / "older.wav"
    other.write_bytes(bytes([9]) * 1000)
    os.utime(other, (0, 0))
    shutil.move(other, folder / "1.wav")
    assert digest(folder, tmp_path / "memory") != before


def test_a_copy_elsewhere_and_a_touched_file_are_the_same(folder, tmp_path):
    before = digest(folder, tmp_path / "memory")
    shutil.copytree(folder, tmp_path / "copy")
    os.utime(folder / "2.wav", (0, 0))
    assert digest(folder, tmp_path / "memory") == digest(tmp_path / "copy", tmp_path / "memory") == before


def test_names_count(folder, tmp_path):
    before = digest(folder, tmp_path / "memory")
    (folder / "2.wav").rename(folder / "3.wav")
    assert digest(folder, tmp_path / "memory") != before


def test_a_file_is_read_once(folder, tmp_path, monkeypatch):
    read = []
    original = file_content._digest
    monkeypatch.setattr(file_content, "_digest", lambda file: read.append(file) or original(file))
    for _ in range(3):
        digest(folder, tmp_path / "memory")
    assert len(read) == 3


@pytest.mark.parametrize(
    "memory", ["", "[", "[]", '{"format": 1, "files": {"x": 3}}', '{"format": 0, "files": {}}', "\x00"]
)
def test_a_damaged_memory_costs_time_only(folder, tmp_path, memory):
    before = digest(folder, tmp_path / "memory")
    (tmp_path / "memory").write_text(memory)
    assert digest(folder, tmp_path / "memory") == before


def test_a_memory_that_cannot_be_written_costs_time_only(folder, tmp_path):
    (tmp_path / "file").write_text("")
    assert digest(folder, tmp_path / "file" / "memory") == digest(folder, tmp_path / "memory")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"absent\.wav: cannot be read"):
        FileDigests(tmp_path / "memory").of([tmp_path / "absent.wav"])
