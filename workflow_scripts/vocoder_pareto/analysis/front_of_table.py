"""The method for any table: front, figure and tables of a CSV file that the workflow has never seen."""

import math
from collections import Counter
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vocoder_pareto.analysis.display_table import markdown_text
from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.fronts import COLUMNS_OF_FRONTS, Front, Objectives, find_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_of
from vocoder_pareto.analysis.uncertainty import EXACT_COLUMNS, SUFFIXES
from vocoder_pareto.arguments import whole_number
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text, written_together
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_given
from vocoder_pareto.tables.columns import column_of
from vocoder_pareto.tables.csv_files import read_csv
from vocoder_pareto.tables.text_table import TextTable

MOST = 1e100  # the largest number of an objective, and 1 / the least: axes and their margins stay finite
FORMATS = ("pdf", "svg", "png")
MOST_LISTED = 20  # rows of one reason; the others are in front.json


def objectives_of(minimise: Sequence[str], maximise: Sequence[str]) -> Objectives:
    """The objectives of a front of a table: columns of which less, and of which more is better.

    Raises:
        UserError: They are not two or three, or one stands twice.
    """
    columns = dict.fromkeys(minimise, "min") | dict.fromkeys(maximise, "max")
    if not 2 <= len(columns) == len(minimise) + len(maximise) <= 3:
        raise UserError("minimise and maximise: name two or three different columns in both together")
    return Objectives("front", columns)


def front_of_frame(
    frame: pd.DataFrame,
    minimise: Hashable | Sequence[Hashable] = (),
    maximise: Hashable | Sequence[Hashable] = (),
    name: Hashable | None = None,
    group: Hashable | None = None,
    intervals: Mapping[Hashable, Hashable] | None = None,
    exact: Hashable | Sequence[Hashable] = (),
    draws: int = 10_000,
    seed: int = 0,
) -> Front:
    """The front of the rows of a DataFrame, which `write_front` writes and draws.

    Args:
        frame: A row per system; its index is not used. Columns that are named by numbers go by their texts.
        minimise, maximise: Two or three columns together, of which less and of which more is better. Rows without one
            of them are left out, and named in `Front.summary`.
        name, group, intervals, exact, draws, seed: See `front_of_file`.

    Raises:
        UserError: As `front_of_file`; lines are rows, of which the first is 1.
    """
    if not isinstance(frame, pd.DataFrame):
        raise UserError(f"frame: a {type(frame).__name__} is not allowed; give a pandas.DataFrame, a row per system")
    columns = tuple(map(str, frame.columns))
    if twice := [column for column, count in Counter(columns).items() if count > 1]:
        raise UserError(f"the DataFrame: {len(twice)} columns have the name of another, such as {twice[0]!r}")
    rows = [[_text_of(cell) for cell in row] for row in frame.itertuples(index=False, name=None)]
    table = TextTable("the DataFrame", columns, rows, range(1, len(rows) + 1))
    return _front_of_table(
        table,
        objectives_of(_names(minimise), _names(maximise)),
        None if name is None else str(name),
        None if group is None else str(group),
        {str(objective): str(column) for objective, column in dict(intervals or {}).items()},
        _names(exact),
        whole_number(draws, "draws", 1),
        whole_number(seed, "seed", 0),
    )


def _names(columns: Hashable | Sequence[Hashable]) -> list[str]:
    """The texts of one column or several."""
    several = columns if isinstance(columns, list | tuple | pd.Index) else [columns]
    return [str(column) for column in several]


def _text_of(cell: Any) -> str:
    return "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell)


def front_of_file(
    path: str | Path,
    objectives: Objectives,
    names: str | None = None,
    groups: str | None = None,
    intervals: Mapping[str, str] | None = None,
    exact: Sequence[str] = (),
    draws: int = 10_000,
    seed: int = 0,
) -> Front:
    """The front of the rows of a CSV file.

    Args:
        path: a CSV file with a header line.
        objectives: two or three of its columns; rows without one of them are left out.
        names: column that names the rows. By default the first one that holds text, else the first one of the file, if
            it is no objective or interval and no two of its cells are equal, such as numbers of models; else rows are
            numbered. A row without a name is called by its number, which follows a name that comes twice. Semicolons in
            names become commas, since columns that name several systems separate them by semicolons.
        groups: column of groups, which get sub-fronts, a marker and a line each.
        intervals: column of half-widths of 95 % intervals by objective; `{objective}_ci95` is found by itself, and so
            are the other columns of `uncertainty_of`.
        exact: objectives without an interval whose values are exact, such as counts; of others without one nothing is
            known, and there are no probabilities.
        draws, seed: of the probabilities, see `front_probability`.

    Raises:
        UserError: the file or one of the columns is missing or not numeric, an objective has the name of another column
            of the front, no row is complete, or `draws` or `seed` is out of range.
    """
    return _front_of_table(read_csv(path), objectives, names, groups, intervals, exact, draws, seed)


def _front_of_table(
    table: TextTable,
    objectives: Objectives,
    names: str | None,
    groups: str | None,
    intervals: Mapping[str, str] | None,
    exact: Sequence[str],
    draws: int,
    seed: int,
) -> Front:
    given = dict(intervals or {})
    if draws < 1:
        raise UserError(f"--draws {draws}: at least 1 is needed")
    if seed < 0:
        raise UserError(f"--seed {seed}: must be 0 or more")
    for name in {*COLUMNS_OF_FRONTS, *_beside(objectives.columns)} & objectives.columns.keys():
        raise UserError(f"{table.where}: column {name!r}: front.csv needs this name for another column; rename it")
    for option, options in (("--interval", given), ("--exact", exact)):
        for name in options:
            if name not in objectives.columns:
                raise UserError(f"{option} {name}: not an objective; allowed: {', '.join(objectives.columns)}")
    used = [*objectives.columns, *given.values(), *filter(None, [groups])]
    table.require([*used, *filter(None, [names])])
    systems = pd.DataFrame({name: _numbers_to_draw(table, name) for name in objectives.columns})
    for name in objectives.columns:
        for suffix, least in SUFFIXES.items():
            if name in given and suffix.startswith("_comparison"):
                continue
            column = given.get(name, f"{name}{suffix}") if suffix == "_ci95" else f"{name}{suffix}"
            if column in table.columns:
                systems[f"{name}{suffix}"] = table.numbers(column, least)
                used.append(column)
    systems["system"] = _names_of_rows(table, names or _column_of_names(table, used))
    systems["model"] = pd.Series(table.texts(groups) if groups else "", index=systems.index, dtype="str")
    systems["label"] = systems["system"]
    front = find_front(systems, objectives, draws, seed, exact={*EXACT_COLUMNS, *exact})
    if front.table.empty:
        raise UserError(f"{table.where}: no row has a number in each of {', '.join(objectives.columns)}")
    return front


def write_front(
    front: Front,
    folder: str | Path,
    formats: Sequence[str] = ("pdf", "svg"),
    settings: FigureSettings | Mapping[str, Any] = FigureSettings(),  # noqa: B008 - frozen
) -> list[Path]:
    """Write `front.csv`, `front.json`, `front.md` and the figure in each of `formats`; return the files.

    All of them are written, or none.

    Args:
        front: What to write.
        folder: Where, made if it is not there.
        formats: Of the figure: pdf, svg, png.
        settings: Of the figure, or a dict of what differs from the defaults.

    Raises:
        UserError: A setting is refused, a format is none of these, the font is not installed, or the folder cannot be
            written.
    """
    figures = [Path(folder) / f"front.{suffix}" for suffix in _formats(formats)]
    table, summary, text = (Path(folder) / f"front.{suffix}" for suffix in ("csv", "json", "md"))
    settings = settings_given(FigureSettings, settings, "settings")
    with drawing(settings), written_together():
        save_figure(draw_fronts(panels_of(front), settings, {}), figures)
        front.write(table, summary)
        write_text(text, to_markdown(front))
    return [table, summary, text, *figures]


def _formats(formats: Sequence[str]) -> list[str]:
    """`formats`, each once."""
    given = [formats] if isinstance(formats, str) else list(formats)
    if unknown := [each for each in given if each not in FORMATS]:
        raise UserError(f"formats: {unknown[0]!r} is not allowed; allowed: {', '.join(FORMATS)}")
    return list(dict.fromkeys(given))


def to_markdown(front: Front) -> str:
    """The front for readers: a row per system, optimal ones first, each group from low to high cost.

    Below it stands what `omissions` says.
    """
    arrows = {"min": "↓", "max": "↑"}
    heads = [f"{column_of(name).axis_label} {arrows[way]}" for name, way in front.objectives.columns.items()]
    lines = [f"| | {' | '.join(heads)} | optimal | probability | dominated by |"]
    lines.append(f"| :-- |{' --: |' * len(heads)} :-- | --: | :-- |")
    ordered = front.table.sort_values(["on_front", front.names[0]], ascending=[False, True], kind="stable")
    for row in ordered.to_dict("records"):
        numbers = [f"{row[name] * column_of(name).factor:.5g}" for name in front.names]
        worse = markdown_text(row["dominated_by"].replace(";", ", "))
        name = markdown_text(row["system"])
        shown = [f"**{name}**" if row["on_front"] else name, *numbers, "yes" if row["on_front"] else ""]
        probability = "" if pd.isna(row["front_probability"]) else format(row["front_probability"], ".2f")
        lines.append(f"| {' | '.join([*shown, probability, worse])} |")
    return "\n".join([*lines, *(f"\n{sentence}" for sentence in omissions(front))]) + "\n"


def omissions(front: Front) -> list[str]:
    """Sentences that say which rows were left out and why, and for want of which intervals there is no probability."""
    systems, left_out = front.summary["systems"], front.summary["left_out"]
    rows_without: dict[str, list[str]] = {}
    for name, columns in left_out.items():
        rows_without.setdefault(" and ".join(columns), []).append(name)
    sentences = [f"Left out for want of {columns}: {_listed(names)}." for columns, names in rows_without.items()]
    if left_out:
        sentences[0] = f"{len(left_out)} of {systems + len(left_out)} rows are not compared. {sentences[0]}"
    for column, names in front.summary["uncertainty_unknown"].items():
        if len(names) == systems:
            mend = f"--interval {column} COLUMN names one, --exact {column} says that its values are exact"
            sentences.append(f"No probability of being optimal: {column} has no intervals ({mend}).")
        else:
            sentences.append(f"No probability of being optimal: {column} has no interval for {_listed(names)}.")
    return sentences


def _numbers_to_draw(table: TextTable, name: str) -> list[float]:
    numbers = table.numbers(name)
    for row, number in enumerate(numbers):
        if abs(number) > MOST or 0 < abs(number) < 1 / MOST:
            table.refuse(row, name, f"is beyond 1e±{math.log10(MOST):g}; give the column in another unit")
    return numbers


def _names_of_rows(table: TextTable, column: str | None) -> list[str]:
    numbers = [f"row {index + 1}" for index in range(len(table.rows))]
    if column is None:
        return numbers
    # Columns that name several systems separate them by semicolons.
    texts = [" ".join(text.replace(";", ",").split()) for text in table.texts(column)]
    names = [text or number for text, number in zip(texts, numbers, strict=True)]
    while len(set(names)) < len(names):  # a name may itself end in the number of another row
        counts = Counter(names)
        names = [f"{name} ({row})" if counts[name] > 1 else name for name, row in zip(names, numbers, strict=True)]
    return names


def _column_of_names(table: TextTable, used: Collection[str]) -> str | None:
    others = [name for name in table.columns if name not in used]
    with_text = next((name for name in others if table.holds_text(name)), None)
    if with_text is None and table.columns[0] in others:
        cells = table.texts(table.columns[0])
        return table.columns[0] if len(set(cells)) == len(cells) else None
    return with_text


def _listed(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_LISTED:,} more, which front.json lists" if len(names) > MOST_LISTED else ""
    return ", ".join(names[:MOST_LISTED]) + more


def _beside(names: Iterable[str]) -> list[str]:
    return [f"{name}{suffix}" for name in names for suffix in SUFFIXES]
