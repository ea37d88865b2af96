"""Files beside a declared output: the outside is the file system, in which they are cut, deleted and replaced."""

import os

import pytest

from vocoder_pareto.study.companions import (
    damaged_companions,
    forget_companions,
    record_companions,
    set_aside_if_damaged,
)


@pytest.fixture
def page(tmp_path):
    """An output with three companions, in folders of their own."""
    files = [tmp_path / name for name in ("audio/a/ä b.wav", "audio/b/c.wav", "d.png")]
    for size, file in enumerate(files, start=10):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(bytes(size))
    record_companions(tmp_path / "index.html", files)
    (tmp_path / "index.html").write_text("page")
    return tmp_path / "index.html"


def cut(file):
    file.write_bytes(file.read_bytes()[:4])


def link_to_nowhere(file):
    file.unlink()
    file.symlink_to("nowhere")


def without_folder(file):
    file.unlink()
    file.parent.rmdir()


@pytest.mark.parametrize(
    ("damage", "wrong"),
    [
        (cut, "has 4 bytes instead of 11"),
        (os.unlink, "is missing"),
        (link_to_nowhere, "is missing"),
        (without_folder, "is missing"),
    ],
)
def test_damage_is_named_with_its_file(page, damage, wrong):
    assert damaged_companions(page) == []
    file = page.parent / "audio/b/c.wav"
    damage(file)
    assert damaged_companions(page) == [(str(file), wrong)]


def test_files_beside_that_are_no_companions_do_not_matter(page):
    (page.parent / "audio" / "notes.txt").write_text("mine")
    assert damaged_companions(page) == []


@pytest.mark.parametrize("record", [None, "", "[]", '{"bytes": 3}', '{"bytes": null}'])
def test_an_output_without_a_record_is_taken_as_it_is(page, record):
    file = page.parent / ".index.html.companions.json"
    file.unlink() if record is None else file.write_text(record)
    (page.parent / "d.png").unlink()
    assert damaged_companions(page) == []
    assert set_aside_if_damaged(page) is None
    assert page.exists()


def test_an_output_whose_companion_is_damaged_is_set_aside_until_the_file_comes_back(page):
    time = page.stat().st_mtime_ns
    file = page.parent / "d.png"
    content = file.read_bytes()
    file.unlink()
    for _ in range(2):
        assert str(file) in set_aside_if_damaged(page)
        assert not page.exists()
    file.write_bytes(content)
    assert set_aside_if_damaged(page) is None
    assert (page.read_text(), page.stat().st_mtime_ns) == ("page", time)


def test_an_output_that_is_made_again_leaves_nothing_of_the_one_before(page):
    (page.parent / "d.png").unlink()
    set_aside_if_damaged(page)
    forget_companions(page)
    assert set_aside_if_damaged(page) is None
    assert sorted(file.name for file in page.parent.iterdir()) == ["audio"]


def test_an_output_that_another_process_replaces_meanwhile_is_left_alone(page, monkeypatch):
    (page.parent / "d.png").unlink()

    def judged_while_it_is_made_again(output):
        damaged = damaged_companions(output)
        (output.parent / "new").write_text("new page")
        os.replace(output.parent / "new", output)
        return damaged

    monkeypatch.setattr("vocoder_pareto.study.companions.damaged_companions", judged_while_it_is_made_again)
    assert set_aside_if_damaged(page) is None
    assert page.read_text() == "new page"


def test_an_output_that_is_not_there_is_no_fault(tmp_path):
    assert set_aside_if_damaged(tmp_path / "nothing.csv") is None


def test_many_damaged_files_make_one_line(tmp_path):
    files = [tmp_path / f"{number}.wav" for number in range(50)]
    for file in files:
        file.touch()
    record_companions(tmp_path / "manifest.csv", files)
    (tmp_path / "manifest.csv").touch()
    for file in files:
        file.unlink()
    told = set_aside_if_damaged(tmp_path / "manifest.csv")
    assert "and 47 more" in told
    assert "\n" not in told
