"""What is remembered of source files never differs from what reading them again tells."""

import ast

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study import source_facts
from vocoder_pareto.study.source_facts import MEMORY, facts_of, remember_code


@pytest.fixture
def code(tmp_path, monkeypatch):
    """A folder of source files, in a working folder without memory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "code").mkdir()
    for name, text in {"one": "import two\nvalue = 1\n", "two": "from . import three\n", "broken": "def"}.items():
        (tmp_path / f"code/{name}.py").write_text(text)
    forget()
    yield tmp_path / "code"
    forget()


def forget():
    """As in a new process."""
    facts_of.cache_clear()
    source_facts._remembered.cache_clear()


@pytest.fixture
def parsed_files(monkeypatch):
    """The names of the files that were parsed."""
    names = []
    parse = ast.parse

    def noting(source, filename="<unknown>", **options):
        names.append(filename.rpartition("/")[2])
        return parse(source, filename=filename, **options)

    monkeypatch.setattr(source_facts.ast, "parse", noting)
    return names


def test_what_is_remembered_is_what_reading_tells_and_nothing_is_read_again(code, parsed_files):
    told = [facts_of(code / "one.py"), facts_of(code / "two.py")]
    assert [each.imports for each in told] == [(("two", 0),), (("three", 1),)]
    remember_code(code)
    forget()
    parsed_files.clear()
    assert [facts_of(code / "one.py"), facts_of(code / "two.py")] == told
    assert parsed_files == []


def test_an_edited_file_alone_is_read_again(code, parsed_files):
    remember_code(code)
    before = facts_of(code / "one.py")
    (code / "one.py").write_text("import two\nvalue = 2\n")
    forget()
    parsed_files.clear()
    remember_code(code)
    assert facts_of(code / "one.py").hash != before.hash
    assert set(parsed_files) == {"one.py", "broken.py"}


def test_a_file_that_is_no_python_is_told_where_it_is_used(code):
    remember_code(code)
    with pytest.raises(UserError, match=r"broken.py: cannot be read as Python .*; mend the file"):
        facts_of(code / "broken.py")


def test_what_another_python_or_another_way_of_reading_told_is_not_taken(code, parsed_files, monkeypatch):
    remember_code(code)
    forget()
    parsed_files.clear()
    monkeypatch.setattr(source_facts, "_reader", lambda: b"another")
    facts_of(code / "one.py")
    assert parsed_files == ["one.py"]


@pytest.mark.parametrize("kept", ["", "[]", "{", '{"a": 1}', '{"a": ["b"]}', '{"a": ["b", [1]]}', "null"])
def test_a_damaged_memory_costs_reading_again(code, kept):
    told = facts_of(code / "one.py")
    MEMORY.parent.mkdir()
    MEMORY.write_text(kept)
    forget()
    remember_code(code)
    assert facts_of(code / "one.py") == told


def test_a_folder_that_cannot_be_written_costs_nothing_else(code):
    MEMORY.parent.write_text("a file in the place of the folder")
    remember_code(code)
    assert facts_of(code / "one.py").imports == (("two", 0),)
