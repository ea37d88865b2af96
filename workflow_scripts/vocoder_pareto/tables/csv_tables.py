"""Tables of data frames as CSV files: columns of a known kind, empty cells for what is not known."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS, Column, Kind
from vocoder_pareto.tables.csv_files import read_csv, write_csv
from vocoder_pareto.tables.text_table import TextTable

_CELLS: Mapping[Kind, Callable[[TextTable, str], pd.Series]] = {
    "text": lambda table, name: pd.Series(table.texts(name), dtype="str"),
    "number": lambda table, name: pd.Series(table.numbers(name), dtype="float64"),
    "integer": lambda table, name: pd.Series(table.whole_numbers(name), dtype="Int64"),
    "flag": lambda table, name: pd.Series(table.flags(name), dtype="boolean"),
}


def read_table(path: str | Path, kinds: Mapping[str, Kind], required: Iterable[str] | None = None) -> pd.DataFrame:
    """Read columns of a CSV file; those that `kinds` does not name are left.

    Args:
        path: the file, see `csv_files`.
        kinds: what the cells of each column are. Text is "" where a cell is empty, all else is missing there.
        required: the columns that the file must have; all of `kinds`, if None.

    Raises:
        UserError: as `read_csv`; a cell that is not of its kind.
    """
    table = read_csv(path, kinds if required is None else required)
    return pd.DataFrame({name: _CELLS[kind](table, name) for name, kind in kinds.items() if name in table.columns})


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a CSV file, whole or not at all; equal tables give equal bytes.

    Numbers have ten digits; True and False are `true` and `false`; what is missing is an empty cell.
    """
    columns = [[_written(cell) for cell in table[name].astype("object")] for name in table]
    write_csv(path, [str(name) for name in table], zip(*columns, strict=True))


def _written(cell: object) -> object:
    if cell is pd.NA or cell is pd.NaT:
        return None
    if isinstance(cell, bool | np.bool_):
        return bool(cell)
    return format(cell, ".10g") if isinstance(cell, float) and cell == cell else cell


def read_systems(path: str | Path) -> pd.DataFrame:
    """Read `systems.csv` with the types of its columns: "" for unknown text, missing values elsewhere.

    Raises:
        UserError: as `read_table`.
    """
    return read_table(path, {column.name: column.kind for column in SYSTEMS_COLUMNS})


def typed(table: pd.DataFrame, columns: Sequence[Column], where: str) -> pd.DataFrame:
    """`table` with exactly `columns`, in that order and with their types; columns that it lacks are empty.

    Raises:
        UserError: a cell of the table `where` does not fit its column.
    """
    made = {}
    for column in columns:
        cells = table.get(column.name, pd.Series(index=table.index, dtype="object"))
        try:
            made[column.name] = _typed_cells(cells, column.kind)
        except (TypeError, ValueError) as error:
            raise UserError(
                f"{where}: column {column.name!r} holds a cell that is no {column.kind} ({error})"
            ) from error
    return pd.DataFrame(made, index=table.index)


def _typed_cells(cells: pd.Series, kind: str) -> pd.Series:
    match kind:
        case "text":
            return cells.astype("object").where(cells.notna(), "").astype("str")
        case "flag":
            return cells.astype("object").where(cells.notna(), None).astype("boolean")
        case "integer":
            return pd.to_numeric(cells).round().astype("Int64")
        case _:
            return pd.to_numeric(cells).astype("float64")
