"""The reader of tables against Python's own, spreadsheets' habits, and a list of hostile files that people have."""

import csv
import io
import math
import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.csv_files import parse_csv, read_csv, write_csv

CELL = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=8) | st.text(
    st.sampled_from(" ,;\t\"'\r\n=+-@0aé\u2028\x0c＝"), max_size=6
)
ROWS = st.integers(1, 4).flatmap(lambda width: st.lists(st.lists(CELL, min_size=width, max_size=width), min_size=1))


def names_for(rows):
    return [f"column {index}" for index in range(len(rows[0]))]


def with_text(rows):
    return [row for row in rows if any(cell.strip() for cell in row)]


def read(folder, content, required=()):
    path = folder / "table.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_csv(path, required)


def refusal(folder, content, column=None):
    """What a file, or a number in one of its columns, is refused with, after the name of the file."""
    with pytest.raises(UserError) as caught:
        _read_column(folder, content, column)
    assert "\n" not in str(caught.value)
    return str(caught.value).removeprefix(f"{folder / 'table.csv'}")


def _read_column(folder, content, column):
    table = read(folder, content)
    return table.numbers(column) if column else None


# --- Against Python's csv module


@given(ROWS, st.sampled_from(",;\t"))
@settings(max_examples=300)
def test_cells_are_those_of_pythons_reader_whatever_divides_them(rows, delimiter):
    """But for rows without text, which spreadsheets leave, and the apostrophe before what looks like a formula."""
    rows = [[cell.lstrip("'") for cell in row] for row in rows]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL).writerows([names_for(rows), *rows])
    again = list(csv.reader(io.StringIO(text.getvalue(), newline=""), delimiter=delimiter))
    found = parse_csv(text.getvalue(), "table")
    assert list(found.columns) == again[0]
    assert list(map(list, found.rows)) == with_text(again[1:])


@given(ROWS)
@settings(max_examples=300)
def test_what_is_written_comes_back_and_runs_in_no_spreadsheet(tmp_path_factory, rows):
    path = tmp_path_factory.getbasetemp() / "written.csv"
    write_csv(path, names_for(rows), rows)
    assert with_text(read_csv(path).rows) == with_text(rows)
    with path.open(newline="", encoding="utf-8") as file:
        for row in list(csv.reader(file, strict=True))[1:]:
            for cell in row:
                begins = cell.lstrip()[:1]
                assert not begins or begins not in "=+-@＝＋－＠" or float(cell) is not None
                assert cell[:1] not in ("\t", "\r", "\n")


def test_formulas_are_texts_and_negative_numbers_numbers_for_a_spreadsheet(tmp_path):
    rows = [['=HYPERLINK("http://x","y")', -1.5], ["-1.5", None], ["@SUM(A1)", math.nan], ["-a", True]]
    write_csv(tmp_path / "table.csv", ["name", "value"], rows)
    lines = (tmp_path / "table.csv").read_text().splitlines()
    assert lines[1:] == ['"\'=HYPERLINK(""http://x"",""y"")",-1.5', "-1.5,", "'@SUM(A1),", "'-a,true"]
    assert read_csv(tmp_path / "table.csv").texts("name") == [row[0] for row in rows]


def test_tables_are_read_and_written_in_one_place():
    """But for answers of listening tests, whose rows are judged one by one, by their reader."""
    library = Path(__file__).resolve().parents[3] / "workflow_scripts"
    files = sorted(library.rglob("*.py"))
    own = re.compile(r"^import csv$|\bpd\.read_csv\(|\.to_csv\(|^from csv import", re.MULTILINE)
    assert [file.name for file in files if own.search(file.read_text(encoding="utf-8"))] == [
        "strict_csv.py",
        "csv_files.py",
    ]


# --- What spreadsheets and other programs write

EUROPEAN = "model;energy;mos\r\nA;10,5;4,0\r\nB;20;3,25\r\n;;\r\n;;\r\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le-with-mark", "utf-16-be-with-mark"])
@pytest.mark.parametrize("ending", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("text", [EUROPEAN, "sep=;\r\n" + EUROPEAN, EUROPEAN.replace(";", "\t"), ";;\r\n" + EUROPEAN])
def test_a_table_as_saved_in_half_of_europe_is_read(tmp_path, encoding, ending, text):
    text = text.replace("\r\n", ending).replace("A", "Ä")
    if encoding.endswith("mark"):
        content = ("\ufeff" + text).encode(encoding.removesuffix("-with-mark"))
    else:
        content = text.encode(encoding)
    table = read(tmp_path, content)
    assert table.texts("model") == ["Ä", "B"]
    assert table.numbers("energy") == [10.5, 20.0]
    assert table.numbers("mos") == [4.0, 3.25]


def test_semicolons_with_points_are_points(tmp_path):
    assert read(tmp_path, "a;b\n1.5;2\n1234.5;-1e-3\n").numbers("a") == [1.5, 1234.5]


def test_words_for_missing_values_are_names_and_only_an_empty_cell_is_missing(tmp_path):
    names = ["NA", "None", "null", "nan", "N/A", "", "007", "1e5", " "]
    table = read(tmp_path, "name,value\n" + "".join(f"{name},1\n" for name in names))
    assert table.texts("name") == names
    assert read(tmp_path, "name,value\na,\nb, \nc,1\n").numbers("value")[2] == 1.0
    assert all(map(math.isnan, read(tmp_path, "name,value\na,\nb, \n").numbers("value")))


def test_empty_fields_beyond_the_header_and_rows_of_bare_commas_are_dropped(tmp_path):
    """The table of the issue whose columns moved: each row ends with a comma, below it rows that Excel left."""
    table = read(tmp_path, "model,energy,mos,parameters\nA,10,4.0,100,\nB,20,3.0,900,,\nC,5,2.0,300,\n,,,,\n\n")
    assert table.texts("model") == ["A", "B", "C"]
    assert table.numbers("mos") == [4.0, 3.0, 2.0]
    assert read(tmp_path, "model,energy,,\nA,10,,\n").columns == ("model", "energy")


def test_a_quoted_line_break_counts_as_lines_of_the_file(tmp_path):
    table = read(tmp_path, '\nname,value\n"a\nb",1\n\nc,x\n')
    assert table.texts("name") == ["a\nb", "c"]
    with pytest.raises(UserError, match="line 6, column 'value': 'x' is no number"):
        table.numbers("value")


def test_flags_and_whole_numbers_are_only_what_they_say(tmp_path):
    table = read(tmp_path, "name,flag,count\na,true,3\nb,FALSE,4.0\nc,,\n")
    assert table.flags("flag") == [True, False, None]
    assert table.whole_numbers("count") == [3, 4, None]
    with pytest.raises(UserError, match="line 2, column 'flag': '1' is neither true nor false"):
        read(tmp_path, "flag\n1\n").flags("flag")
    with pytest.raises(UserError, match=r"line 2, column 'count': '1\.5' is no whole number"):
        read(tmp_path, "count\n1.5\n").whole_numbers("count")


# --- What is refused, in one line that says where


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("model,energy,mos\nA,10,4,0\n", ", line 2, which begins with 'A': 4 fields for 3 columns; '0' has no column"),
        ("model,energy,mos\nA,1,2\nB,10\n", ", line 3, which begins with 'B': 2 fields for 3 columns; write the cells"),
        ("a;b\n1;2;3\n", ", line 2, which begins with '1': 3 fields for 2 columns"),
        ('a,b\nx,1\n"y,2\nz,3\n', ", line 3: a quotation mark is not closed"),
        ('a,b\n"x"y,2\n"z",3\n', ", line 2: a quotation mark is not closed, or stands within a quoted cell"),
        ("a,b,a\n1,2,3\n", ": 2 columns are called 'a'"),
        ("a, a\n1,2\n", ": 2 columns are called 'a'"),
        ("a;b,c\n1;2,3\n", ": the header line is divided by commas and by semicolons; quote the names"),
        ("", ": empty"),
        (",,\n\n", ": empty"),
        (b"name,x\nCaf\xe9,1\n", r", line 2: 'Caf\\xe9' is not in UTF-8; save it as CSV in UTF-8"),
        ("name,x\nA,1\n".encode("utf-16-le"), ", line 1: holds a null character, as UTF-16 without"),
        (("\ufeffname,x\nA,1\n").encode("utf-16-le")[:-1], ", line 2: "),
        (b"PK\x03\x04rest", ": an Excel workbook, no CSV file; save it as CSV in UTF-8"),
        ("a,b\n" + '"' + "x" * 200_000, ", line 2: a quotation mark is not closed"),
    ],
)
def test_files_that_are_no_table_are_refused_with_their_line(tmp_path, content, words):
    assert refusal(tmp_path, content).startswith(words)


def test_a_folder_and_a_missing_file_are_named(tmp_path):
    with pytest.raises(UserError, match="cannot be read"):
        read_csv(tmp_path)
    with pytest.raises(UserError, match=r"other\.csv: no such file"):
        read_csv(tmp_path / "other.csv")


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path):
    with pytest.raises(UserError, match="column 'c' is missing; it has a, b"):
        read(tmp_path, "a,b\n1,2\n", ["a", "c"])


@pytest.mark.parametrize(
    "cell",
    [
        "±0.1",
        "NA",
        "nan",
        "inf",
        "-inf",
        "Infinity",
        "1_000",
        "0x10",
        "4.0 J",
        "1 000",
        "٣",
        "−1",
        "1e",
        ".",
        "1.2.3",
        "-",
    ],
)
def test_what_is_no_number_is_named_with_its_cell(tmp_path, cell):
    found = refusal(tmp_path, f"name,x\nA,1\nB,{cell}\nC,y\n", "x")
    assert found.startswith(f", line 3, column 'x': {cell!r} is no number; write 1.5")


def test_a_number_beyond_all_numbers_is_refused(tmp_path):
    assert "'1e999' is too large" in refusal(tmp_path, "x\n1e999\n", "x")
    assert "... is too large" in refusal(tmp_path, f"x\n{'9' * 5000}\n", "x").replace("'", "")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('a,b\n"1,500",1\n', "'1,500' is no number; its comma may divide thousands or be a decimal one: write 1234 or"),
        ('a,b\n"4,0",1\n', "'4,0' is no number; write 1.5; decimal commas are read where semicolons"),
        ("a;b\n1.5;x\n2,5;x\n", "line 2, column 'a': '1.5' is no number; this file has decimal commas (2,5)"),
        ("a;b\n1.234;2,5\n", "line 2, column 'a': '1.234' is no number; this file has decimal commas (2,5)"),
        ("a;b\n1.234,5;2\n", "'1.234,5' is no number"),
        ("a;b\n1,234;2\n", "'1,234' is no number; its comma may divide thousands or be a decimal one"),
        ("a;b\n1,234,567;2\n", "'1,234,567' is no number"),
    ],
)
def test_a_comma_in_a_number_that_could_mean_two_things_is_refused(tmp_path, content, words):
    assert words in refusal(tmp_path, content, "a")


def test_a_comma_before_three_digits_is_decimal_where_another_cell_says_so(tmp_path):
    assert read(tmp_path, "a;b\n1,234;2,5\n").numbers("a") == [1.234]


def test_numbers_below_what_a_column_may_hold_are_refused(tmp_path):
    with pytest.raises(UserError, match=r"line 3, column 'x': '-0\.1' is below 0"):
        read(tmp_path, "x\n0\n-0.1\n").numbers("x", least=0)


def test_infinite_values_of_metrics_are_read_where_they_are_allowed(tmp_path):
    assert read(tmp_path, "x\n-inf\ninf\n").numbers("x", allow_infinite=True) == [-math.inf, math.inf]
