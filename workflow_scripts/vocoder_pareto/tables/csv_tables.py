"""Reading and writing tables: CSV with checked columns, empty cells for what is not known, `true` and `false`."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS, Column


def read_table(path: str | Path, required: Iterable[str] = (), text: Sequence[str] = ()) -> pd.DataFrame:
    """Read a CSV file; `text` columns stay text, with "" for empty cells.

    Raises:
        UserError: the file is missing, is no CSV, or lacks one of the `required` columns.
    """
    try:
        table = pd.read_csv(path, dtype=dict.fromkeys(text, "str"))
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file") from error
    except (pd.errors.ParserError, pd.errors.EmptyDataError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not a CSV file with a header line ({str(error).strip()})") from error
    missing = [name for name in required if name not in table.columns]
    if missing:
        raise UserError(f"{path}: column {missing[0]!r} is missing; it has {', '.join(map(str, table.columns))}")
    present = [name for name in text if name in table.columns]
    table[present] = table[present].fillna("")
    return table


def write_table(table: pd.DataFrame, path: str | Path) -> None:
    """Write a CSV file, whole or not at all; equal tables give equal bytes."""
    flags = table.select_dtypes(["bool", "boolean"]).columns
    words = {name: table[name].map({True: "true", False: "false"}, na_action="ignore") for name in flags}
    write_text(path, table.assign(**words).to_csv(index=False, lineterminator="\n", float_format="%.10g"))


def read_systems(path: str | Path) -> pd.DataFrame:
    """Read `systems.csv` with the types of its columns: "" for unknown text, missing values elsewhere.

    Raises:
        UserError: as `read_table`; a cell that does not fit its column.
    """
    names = [column.name for column in SYSTEMS_COLUMNS]
    table = read_table(path, names, [column.name for column in SYSTEMS_COLUMNS if column.kind == "text"])[names]
    return typed(table, SYSTEMS_COLUMNS, str(path))


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
