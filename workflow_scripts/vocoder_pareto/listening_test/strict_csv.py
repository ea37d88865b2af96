"""Participants' tables, read strictly: what a lenient reader would mend by losing or shifting cells is refused."""

import codecs
import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.csv_files import unguarded

Row = Mapping[str, str | None]  # cells by column; None where a line ends early
_OTHER_BOMS = {
    codecs.BOM_UTF32_LE: "UTF-32", codecs.BOM_UTF32_BE: "UTF-32", codecs.BOM_UTF16_LE: "UTF-16",
    codecs.BOM_UTF16_BE: "UTF-16",
}  # fmt: skip
_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "bars"}


def read_strict_csv(path: Path) -> tuple[list[str], list[tuple[int, Row]]]:
    """The names of the columns, and every line with its number in the file; lines without any text are left out.

    Empty cells beyond the last column, as spreadsheets save them, are dropped, and so is a byte order mark.

    Raises:
        UserError: The file cannot be read, is not UTF-8, is not separated by commas, names a column twice, has a quote
            that is misplaced or not closed, or a line with more cells than columns.
    """
    records = _records(path, _text(path))
    names = [name.strip() for name in next((cells for _, cells in records if _has_text(cells)), [])]
    while names and not names[-1]:
        names.pop()
    _require_columns(path, names)
    return names, [(line, _by_column(path, line, names, cells)) for line, cells in records if _has_text(cells)]


def _text(path: Path) -> str:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from error
    other = next((name for mark, name in _OTHER_BOMS.items() if content.startswith(mark)), None)
    if other is None and b"\0" in content:
        other = "UTF-16, or no text"
    try:
        text = content.decode("utf-8-sig") if other is None else ""
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        other = f"line {line} has the byte 0x{content[error.start]:02x}"
    if other is not None:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({other}); save it as one")
    return text


def _records(path: Path, text: str) -> Iterator[tuple[int, list[str]]]:
    """The cells of each record, with the number of its last line."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns, begins = 0, 1
    try:
        for cells in reader:
            columns = columns or len(cells)
            # A quote that is not closed goes on to the next one in the file, over all ratings between them.
            swallowed = [line for cell in cells for line in cell.splitlines()[1:]]
            if columns > 1 and any(line.count(",") >= columns - 1 for line in swallowed):
                raise csv.Error(f"a quoted cell goes on to line {reader.line_num}, over lines that look like rows")
            yield reader.line_num, cells
            begins = reader.line_num + 1
    except csv.Error as error:
        raise UserError(
            f"{path}: line {begins} has a quote that is misplaced or never closed ({error}); mend it"
        ) from error


def _has_text(cells: Sequence[str]) -> bool:
    return any(cell.strip() for cell in cells)


def _require_columns(path: Path, names: Sequence[str]) -> None:
    if len(names) == 1:
        for delimiter, word in _OTHER_DELIMITERS.items():
            if delimiter in names[0]:
                raise UserError(f"{path}: columns are separated by {word}; save it with commas (CSV UTF-8)")
    twice = next((name for name in names if name and names.count(name) > 1), None)
    if twice is not None:
        raise UserError(f"{path}: column {twice} comes twice; keep one")


def _by_column(path: Path, line: int, names: Sequence[str], cells: Sequence[str]) -> Row:
    if _has_text(cells[len(names) :]):
        raise UserError(
            f"{path}: line {line} has {len(cells)} cells for {len(names)} columns, beginning {cells[0]!r}; put cells "
            "that hold a comma into quotes, and write decimal points"
        )
    texts = map(unguarded, cells)
    return dict(zip(names, [*texts, *[None] * (len(names) - len(cells))], strict=False))
