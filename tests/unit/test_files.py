import errno
import json
import os

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import (
    bring_names_to_disk,
    bring_to_disk,
    read_json,
    require_writable,
    write_json,
    write_text,
    written_together,
    written_whole,
)


def write_half(target):
    with written_whole(target) as temporary:
        temporary.write_text("half")
        raise RuntimeError("an error in the middle")


def write_both(target, write_other):
    with written_together():
        write_text(target, "newer")
        write_other()


def test_a_file_appears_whole_or_not_at_all(tmp_path):
    target = tmp_path / "out.txt"
    with pytest.raises(RuntimeError):
        write_half(target)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_previous_file(tmp_path):
    target = tmp_path / "out.txt"
    target.write_text("old")
    with pytest.raises(RuntimeError):
        write_half(target)
    assert target.read_text() == "old"


def test_files_that_are_written_together_appear_all_at_once_or_not_at_all(tmp_path):
    (tmp_path / "a.txt").write_text("old")
    names = ["a.txt", "b.txt", "below/a.txt", "a.txt"]
    with written_together():
        for name in names:
            write_text(tmp_path / name, f"new {name}")
        assert (tmp_path / "a.txt").read_text() == "old"
        assert not (tmp_path / "b.txt").exists()
    assert {name: (tmp_path / name).read_text() for name in names} == {name: f"new {name}" for name in names}
    before = sorted(tmp_path.rglob("*"))
    (tmp_path / "c.txt").mkdir()
    with pytest.raises(UserError, match=r"c\.txt: is a folder, and is to be a file; move it away"):
        write_both(tmp_path / "a.txt", lambda: write_text(tmp_path / "c.txt", "newer"))
    with pytest.raises(RuntimeError):
        write_both(tmp_path / "a.txt", lambda: write_half(tmp_path / "b.txt"))
    assert (tmp_path / "a.txt").read_text() == "new a.txt"
    (tmp_path / "c.txt").rmdir()
    assert sorted(tmp_path.rglob("*")) == before


def test_the_temporary_name_keeps_the_suffix(tmp_path):
    with written_whole(tmp_path / "figure.pdf") as temporary:
        assert temporary.suffix == ".pdf"
        temporary.write_text("")


def test_a_folder_that_its_file_system_cannot_bring_to_disk_is_no_fault():
    """/proc is a file system without `fsync`: the kernel itself refuses."""
    folder = os.open("/proc", os.O_RDONLY)
    with pytest.raises(OSError, match="Invalid argument"):
        os.fsync(folder)
    os.close(folder)
    bring_names_to_disk("/proc")


@pytest.mark.parametrize("number", [errno.EIO, errno.ENOSPC, errno.EDQUOT])
def test_a_disk_that_is_full_or_broken_is_a_fault(tmp_path, monkeypatch, number):
    def refuse(_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", refuse)
    with (tmp_path / "file").open("wb") as file, pytest.raises(OSError, match=os.strerror(number)):
        bring_to_disk(file.fileno())


def test_an_unwritable_folder_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"file/out\.txt: cannot be written"):
        write_json(tmp_path / "file" / "out.txt", {})


def test_a_folder_that_can_be_made_is_writable_and_one_below_a_file_is_not(tmp_path):
    require_writable(tmp_path / "new" / "folder", "results_dir")
    assert not (tmp_path / "new").exists()
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"config key results_dir: .*below cannot be written; .*file"):
        require_writable(tmp_path / "file" / "below", "results_dir")


def test_numbers_that_are_not_finite_become_null(tmp_path):
    write_json(tmp_path / "x.json", {"a": float("nan"), "b": [float("inf"), 1.5], "c": ("é",)})
    assert json.loads((tmp_path / "x.json").read_text()) == {"a": None, "b": [None, 1.5], "c": ["é"]}


@pytest.mark.parametrize("content", ["", "{", b"\xff\xfe".decode("latin-1")])
def test_a_damaged_json_file_is_named_with_its_mend(tmp_path, content):
    file = tmp_path / "x.json"
    file.write_bytes(content.encode("latin-1"))
    with pytest.raises(UserError, match=r"x\.json: not valid JSON.*rerun"):
        read_json(file)


def test_a_missing_json_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"x\.json: no such file"):
        read_json(tmp_path / "x.json")
