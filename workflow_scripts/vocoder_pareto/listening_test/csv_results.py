"""Result files that are CSV: what their columns are, and their rows as ratings."""

import csv
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.platform import Results
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault

Row = Mapping[str, str | None]  # cells by column; None where a line ends early


def columns_of(path: Path) -> list[str]:
    """The names in the first line of a CSV file, none if it is empty.

    Raises:
        UserError: The file is not CSV in UTF-8.
    """
    with _opened(path) as reader:
        return list(reader.fieldnames or [])


def has_a_column_of(names: Collection[str]) -> Callable[[Path], bool]:
    """A function that tells whether a CSV file has at least one of the columns `names`.

    One is enough, so that a table which lacks another is told so; hence no other platform may use these names.
    """
    return lambda path: not set(names).isdisjoint(columns_of(path))


def read_rows(path: Path, required: Sequence[str], remedy: str, rating: Callable[[Row, str], Rating]) -> Results:
    """Read a CSV file with a rating per line.

    Args:
        path: The file.
        required: The columns that it must have.
        remedy: What to do if it lacks one.
        rating: Turns the cells of a line and its source (`file:line`) into a rating, or raises RowFault.

    Raises:
        UserError: A column is missing, or the file is not CSV in UTF-8.
    """
    rows: list[Rating | RejectedRow] = []
    with _opened(path) as reader:
        missing = [name for name in required if name not in (reader.fieldnames or [])]
        if missing:
            raise UserError(f"{path}: column {missing[0]} is missing; {remedy}")
        for cells in reader:
            try:
                rows.append(rating(cells, f"{path.name}:{reader.line_num}"))
            except RowFault as fault:
                rows.append(RejectedRow(path.name, reader.line_num, str(fault)))
    return Results(path.name, tuple(rows))


def text_of(cells: Row, name: str) -> str:
    """A cell without the white space around it; empty where the column or the cell is missing."""
    return (cells.get(name) or "").strip()


@contextmanager
def _opened(path: Path) -> Iterator[csv.DictReader]:
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            yield csv.DictReader(file)
    except (UnicodeDecodeError, csv.Error) as error:
        raise UserError(f"{path}: not a CSV file in UTF-8 ({error}); save it as one") from error
