"""The one reader and writer of CSV files. Nothing is guessed, and an error names the line, the column and the cell.

What is read: UTF-8, with or without a byte order mark, and UTF-16 with one; cells divided by commas, or by semicolons
or tabs as spreadsheets save them in half of Europe, where a number may have a decimal comma. The header line says
which, since only one of the three divides it; a line `sep=;` above it says so too. Rows without any text, as
spreadsheets leave below a table, are skipped, and so are empty fields beyond the header. All cells are text, and only
an empty one is a missing value: `NA` may be a name, and `007` stays as it is.

What is written: UTF-8, divided by commas, with `\\n` at the ends of lines. Text that a spreadsheet would run as a
formula gets an apostrophe before it, which the reader takes off again.
"""

import csv
import io
import math
import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.tables.text_table import TextTable, is_number, shown

DELIMITERS = {",": "comma", ";": "semicolon", "\t": "tab"}
# OWASP, "CSV Injection": what begins a formula in one spreadsheet or another, also behind white space.
_FORMULA = re.compile(r"['\s]*[=+\-@＝＋－＠]|'*[\t\r\n]")
_EMPTY_ROWS = re.compile(r"\A([,;\t ]*(\r\n|\r|\n))*")
_BOUNDS_OF_CELLS = re.compile(r'[,;\t\r\n"]')
_QUOTED = re.compile(r'[",\r\n]')
_QUOTED_IN_HEADERS = re.compile(r'[",;\t\r\n]')
_OTHER_FILES = {b"PK\x03\x04": "an Excel workbook", b"\xd0\xcf\x11\xe0": "an old Excel workbook"}
_SAVE_AS = "save it as CSV in UTF-8"


def read_csv(path: str | Path, required: Iterable[str] = ()) -> TextTable:
    """Read a CSV file.

    Args:
        path: The file.
        required: The columns that it must have.

    Raises:
        UserError: The file is missing or no CSV file in UTF-8 or UTF-16; its header line has no names, one twice, or
            more than one kind of delimiter; a row has another number of fields; a quotation mark is not closed; a
            required column is missing.
    """
    table = parse_csv(_text_of(Path(path)), str(path))
    table.require(required)
    return table


def parse_csv(text: str, where: str) -> TextTable:
    """The table in the `text` of a CSV file called `where`.

    Raises:
        UserError: As `read_csv`.
    """
    said = re.match(r"sep=([,;|\t])(\r\n|\r|\n)", text)
    text = text[said.end() :] if said else text
    delimiter = said.group(1) if said else _delimiter_of(text, where)
    records = _records(text, delimiter, where, 2 if said else 1)
    _, first = next(records, (0, []))
    names = _without_empty_end([unguarded(name).strip() for name in first])
    if not names:
        raise UserError(f"{where}: empty; a CSV file begins with a line of names of columns")
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{where}: {names.count(twice)} columns are called {twice!r}; give each a name of its own")
    rows, lines = [], []
    for line, fields in records:
        beyond = _without_empty_end(fields[len(names) :])
        if beyond or len(fields) < len(names):
            count = len(names) + len(beyond) if beyond else len(fields)
            raise UserError(
                f"{where}, line {line}, which begins with {shown(fields[0])}: {count} fields for {len(names)} columns; "
                f"{_how_rows_are_written(beyond, delimiter)}"
            )
        rows.append([unguarded(cell) for cell in fields[: len(names)]])
        lines.append(line)
    return TextTable(where, tuple(names), rows, lines, delimiter)


def write_csv(path: str | Path, columns: Sequence[str], rows: Iterable[Iterable[object]]) -> None:
    """Write a CSV file, whole or not at all, so that `read_csv` gives back its texts and no spreadsheet runs them.

    Args:
        path: The file.
        columns: The names of the columns.
        rows: The cells of each row: None and NaN are empty cells, True and False are `true` and `false`.

    Raises:
        UserError: The file cannot be written.
    """
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        file.write(_line(columns, _QUOTED_IN_HEADERS))
        file.writelines(csv_line(row) for row in rows)


def csv_line(cells: Iterable[object]) -> str:
    """A row of a CSV file as `write_csv` writes it, with the end of its line."""
    return _line(cells, _QUOTED)


def _line(cells: Iterable[object], to_quote: re.Pattern) -> str:
    texts = (_guarded(cell) for cell in cells)
    return ",".join('"' + text.replace('"', '""') + '"' if to_quote.search(text) else text for text in texts) + "\n"


def _guarded(cell: object) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, bool):
        return str(cell).lower()
    if not isinstance(cell, str):
        return str(cell)
    return f"'{cell}" if _FORMULA.match(cell) and not is_number(cell) else cell


def unguarded(cell: str) -> str:
    """`cell` without the apostrophe that `write_csv` puts before text that a spreadsheet would run."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _text_of(path: Path) -> str:
    try:
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    for beginning, kind in _OTHER_FILES.items():
        if content.startswith(beginning):
            raise UserError(f"{path}: {kind}, no CSV file; {_SAVE_AS}")
    name, encoding = ("UTF-16", "utf-16") if content[:2] in (b"\xff\xfe", b"\xfe\xff") else ("UTF-8", "utf-8-sig")
    try:
        text = content.decode(encoding)
    except UnicodeDecodeError as error:
        before = content[: error.start].decode(encoding, "replace")
        after = content[error.start : error.start + 40].decode("utf-8", "backslashreplace")
        cell = _BOUNDS_OF_CELLS.split(before)[-1] + _BOUNDS_OF_CELLS.split(after)[0]
        raise UserError(f"{path}, line {_lines_of(before)}: {shown(cell)} is not in {name}; {_SAVE_AS}") from error
    before, null, _ = text.partition("\0")
    if null:
        what = "a null character, as UTF-16 without a byte order mark and damaged files do"
        raise UserError(f"{path}, line {_lines_of(before)}: holds {what}; {_SAVE_AS}")
    return text


def _lines_of(text: str) -> int:
    return len(re.findall(r"\r\n|\r|\n", text)) + 1


def _delimiter_of(text: str, where: str) -> str:
    """The one delimiter that divides the header line; a comma, if it is a single name."""
    header = _EMPTY_ROWS.sub("", text, count=1)
    dividing = []
    for delimiter in DELIMITERS:
        try:
            fields = next(csv.reader(io.StringIO(header, newline=""), delimiter=delimiter, strict=True), [])
        except csv.Error:
            continue
        if len(fields) > 1:
            dividing.append(delimiter)
    if len(dividing) > 1:
        words = " and by ".join(f"{DELIMITERS[each]}s" for each in dividing)
        raise UserError(
            f"{where}: the header line is divided by {words}; quote the names that hold one, or rename them"
        )
    return dividing[0] if dividing else ","


def _records(text: str, delimiter: str, where: str, first_line: int) -> Iterator[tuple[int, list[str]]]:
    """The line that each row begins in, and its fields; rows without text are left out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    while True:
        line = reader.line_num + first_line
        try:
            fields = next(reader, None)
        except csv.Error as error:
            raise UserError(
                f"{where}, line {line}: a quotation mark is not closed, or stands within a quoted cell without "
                f"being doubled ({error})"
            ) from error
        if fields is None:
            return
        if any(field.strip() for field in fields):
            yield line, fields


def _without_empty_end(fields: Sequence[str]) -> list[str]:
    kept = list(fields)
    while kept and not kept[-1].strip():
        kept.pop()
    return kept


def _how_rows_are_written(beyond: Sequence[str], delimiter: str) -> str:
    if not beyond:
        return "write the cells that are missing, if only as empty ones"
    if delimiter == ",":
        return f"{shown(beyond[-1])} has no column; write numbers as 1.5, and quote a cell that holds a comma"
    return f"{shown(beyond[-1])} has no column; quote a cell that holds a {DELIMITERS.get(delimiter, delimiter)}"
