"""The method for any table: front, figure and tables of a CSV file that the workflow has never seen."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.fronts import Front, Objectives, find_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_of
from vocoder_pareto.analysis.uncertainty import EXACT_COLUMNS, SUFFIXES
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import column_of
from vocoder_pareto.tables.csv_tables import read_table


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
        names: column that names the rows; by default the first one that holds text, else rows are numbered.
        groups: column of groups, which get sub-fronts, a marker and a line each.
        intervals: column of half-widths of 95 % intervals by objective; `{objective}_ci95` is found by itself, and so
            are the other columns of `uncertainty_of`.
        exact: objectives without an interval whose values are exact, such as counts; of others without one nothing is
            known, and there are no probabilities.
        draws, seed: of the probabilities, see `front_probability`.

    Raises:
        UserError: the file or one of the columns is missing or not numeric, or no row is complete.
    """
    given = dict(intervals or {})
    for option, options in (("--interval", given), ("--exact", exact)):
        for name in options:
            if name not in objectives.columns:
                raise UserError(f"{option} {name}: not an objective; allowed: {', '.join(objectives.columns)}")
    table = read_table(path, [*objectives.columns, *given.values(), *filter(None, (names, groups))])
    names = names or next((str(name) for name in table if pd.api.types.is_string_dtype(table[name])), None)
    systems = table[list(objectives.columns)].copy()
    for name in objectives.columns:
        for suffix in SUFFIXES:
            column = given.get(name, f"{name}{suffix}") if suffix == "_ci95" else f"{name}{suffix}"
            if column in table:
                systems[f"{name}{suffix}"] = table[column]
    systems["system"] = table[names].astype("str") if names else [f"row {row + 1}" for row in range(len(table))]
    systems["model"] = table[groups].astype("str") if groups else ""
    systems["label"] = systems["system"]
    front = find_front(systems, objectives, draws, seed, exact={*EXACT_COLUMNS, *exact})
    if front.table.empty:
        raise UserError(f"{path}: no row has a number in each of {', '.join(objectives.columns)}")
    return front


def write_front(front: Front, folder: str | Path, formats: Sequence[str], settings: FigureSettings) -> list[Path]:
    """Write `front.csv`, `front.json`, `front.md` and the figure in each of `formats`; return the files."""
    folder = Path(folder)
    figures = [folder / f"front.{suffix}" for suffix in formats]
    with drawing(settings):
        save_figure(draw_fronts(panels_of(front), settings, {}), figures)
    front.write(folder / "front.csv", folder / "front.json")
    write_text(folder / "front.md", to_markdown(front))
    return [folder / "front.csv", folder / "front.json", folder / "front.md", *figures]


def to_markdown(front: Front) -> str:
    """The front for readers: a row per system, optimal ones first, each group from low to high cost."""
    arrows = {"min": "↓", "max": "↑"}
    heads = [f"{column_of(name).axis_label} {arrows[way]}" for name, way in front.objectives.columns.items()]
    lines = [f"| | {' | '.join(heads)} | optimal | probability | dominated by |"]
    lines.append(f"| :-- |{' --: |' * len(heads)} :-- | --: | :-- |")
    ordered = front.table.sort_values(["on_front", front.names[0]], ascending=[False, True], kind="stable")
    for row in ordered.to_dict("records"):
        numbers = [f"{row[name] * column_of(name).factor:.5g}" for name in front.names]
        worse = row["dominated_by"].replace(";", ", ").replace("|", "\\|")
        name = str(row["system"]).replace("|", "\\|")
        shown = [f"**{name}**" if row["on_front"] else name, *numbers, "yes" if row["on_front"] else ""]
        probability = "" if pd.isna(row["front_probability"]) else format(row["front_probability"], ".2f")
        lines.append(f"| {' | '.join([*shown, probability, worse])} |")
    return "\n".join(lines) + "\n"
