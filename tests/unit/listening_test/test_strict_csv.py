import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.strict_csv import read_strict_csv

TABLE = "participant,system,item,rating\np1,a,c1,4\np1,b,c1,2\n"


def read(tmp_path, content):
    path = tmp_path / "a.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_strict_csv(path)


@pytest.mark.parametrize(
    "content",
    [
        TABLE,
        "\ufeff" + TABLE,
        TABLE.replace("\n", "\r\n"),
        TABLE.replace("\n", "\r"),
        TABLE.replace("\n", ",,\n"),
        "\n" + TABLE + "\n,,,\n , ,,\n",
        TABLE.rstrip(),
        TABLE.replace("participant,system", " participant , system"),
        TABLE.replace("p1", '"p1"'),
    ],
    ids=["plain", "BOM", "CRLF", "CR", "trailing commas", "empty lines", "no last newline", "blanks", "quotes"],
)
def test_harmless_forms_of_one_table_read_alike(tmp_path, content):
    names, rows = read(tmp_path, content)
    assert names == ["participant", "system", "item", "rating"]
    assert [list(cells.values()) for _, cells in rows] == [["p1", "a", "c1", "4"], ["p1", "b", "c1", "2"]]


def test_lines_are_counted_as_editors_count_them(tmp_path):
    _, rows = read(tmp_path, '\nname,remark\na,\n\nb,"two\nlines"\nc,\u2028\x85\x0c\n')
    assert [(line, cells["name"]) for line, cells in rows] == [(3, "a"), (6, "b"), (7, "c")]


def test_what_a_line_lacks_is_none(tmp_path):
    _, ((_, cells),) = read(tmp_path, "a,b,c\n1\n")
    assert cells == {"a": "1", "b": None, "c": None}


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (TABLE + 'p2,a,"c1,4\np2,b,c1,3\n', "line 4 has a quote that is misplaced or never closed"),
        ('participant,system,item,rating\np1,a,"c1,4\np1,b,c1,2\np1,c,"c2",5\n', "line 2 has a quote that is"),
        ('participant,system,item,rating\np1,a,"c1,4\np1,b,c1,2\np1,c,c2",5\n', r"line 2 .*goes on to line 4"),
        ('participant,system,item,rating\np1,a,"c"1,4\n', "line 2 has a quote that is misplaced"),
        (TABLE.replace("item", "rating"), "column rating comes twice; keep one"),
        (TABLE + "p2,a,c1,4,0\n", r"line 4 has 5 cells for 4 columns, beginning 'p2'"),
        (TABLE.replace(",", ";"), r"separated by semicolons; save it with commas"),
        ("sep=;\n" + TABLE.replace(",", ";"), "separated by semicolons"),
        (TABLE.replace(",", "\t"), "separated by tabs"),
        (TABLE.encode("utf-16"), r"not a CSV file in UTF-8 \(UTF-16\)"),
        (TABLE.encode("utf-16-le"), r"not a CSV file in UTF-8 \(UTF-16, or no text\)"),
        (TABLE.encode("utf-32"), r"not a CSV file in UTF-8 \(UTF-32\)"),
        ((TABLE + "Jürgen,a,c1,4\n").encode("latin-1"), r"not a CSV file in UTF-8 \(line 4 has the byte 0xfc\)"),
        (TABLE + f"{'9' * 200_000},a,c1,4\n", "line 4 .*field limit"),
    ],
)  # fmt: skip
def test_what_would_lose_or_shift_cells_is_refused_in_one_line(tmp_path, content, message):
    with pytest.raises(UserError, match=message) as error:
        read(tmp_path, content)
    assert str(error.value).startswith(f"{tmp_path / 'a.csv'}: ")
    assert "\n" not in str(error.value)


def test_a_remark_of_several_lines_is_one_cell(tmp_path):
    _, ((_, cells),) = read(tmp_path, 'name,rating,remark\na,4,"all well\nbut loud, at times"\n')
    assert cells["remark"] == "all well\nbut loud, at times"


def test_an_empty_file_has_no_columns(tmp_path):
    assert read(tmp_path, "") == ([], [])
    assert read(tmp_path, "\n,,\n") == ([], [])
