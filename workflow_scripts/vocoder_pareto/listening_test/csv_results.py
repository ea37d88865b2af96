"""Result files that are CSV: what their columns are, and their rows as ratings."""

from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.platform import Results
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault
from vocoder_pareto.listening_test.scales import require_scale
from vocoder_pareto.listening_test.strict_csv import Row, read_strict_csv


def columns_of(path: Path) -> list[str]:
    """The names in the first line of a CSV file, none if it is empty.

    Raises:
        UserError: `read_strict_csv` raises it.
    """
    return read_strict_csv(path)[0]


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
        UserError: A column is missing, the scores are of another scale, or `read_strict_csv` raises it.
    """
    names, lines = read_strict_csv(path)
    missing = [name for name in required if name not in names]
    if missing:
        raise UserError(f"{path}: column {missing[0]} is missing; {remedy}")
    rows: list[Rating | RejectedRow] = []
    for line, cells in lines:
        try:
            rows.append(rating(cells, f"{path.name}:{line}"))
        except RowFault as fault:
            rows.append(RejectedRow(path.name, line, str(fault), fault.score))
    scores = [row.rating if isinstance(row, Rating) else row.score for row in rows]
    require_scale(path, [score for score in scores if score is not None])
    return Results(path.name, tuple(rows))


def text_of(cells: Row, name: str) -> str:
    """A cell without the white space around it; empty where the column or the cell is missing."""
    return (cells.get(name) or "").strip()
