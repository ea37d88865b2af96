"""Figures from their tables: a CSV file holds all that a figure shows, and draws it again alone, in any style."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from vocoder_pareto.analysis import (
    beside_figure,
    correlation_figure,
    deployment_figure,
    front_figure_table,
    leaderboard_figure,
    sweep_figure,
    training_curves_figure,
)
from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import Kind
from vocoder_pareto.tables.csv_tables import read_table, write_table

_Drawer = Callable[[pd.DataFrame, FigureSettings], Figure]
FIGURES: Mapping[str, tuple[Mapping[str, Kind], _Drawer]] = {
    front_figure_table.FIGURE: (front_figure_table.COLUMNS, front_figure_table.draw_front_table),
    correlation_figure.FIGURE: (correlation_figure.COLUMNS, correlation_figure.draw_correlation_table),
    sweep_figure.FIGURE: (sweep_figure.TABLE_COLUMNS, sweep_figure.draw_sweep_table),
    deployment_figure.FIGURE: (deployment_figure.TABLE_COLUMNS, deployment_figure.draw_deployment_table),
    training_curves_figure.FIGURE: (
        training_curves_figure.TABLE_COLUMNS, training_curves_figure.draw_training_curves_table,
    ),
    beside_figure.FIGURE: (beside_figure.COLUMNS, beside_figure.draw_beside_table),
    leaderboard_figure.FIGURE: (leaderboard_figure.COLUMNS, leaderboard_figure.draw_leaderboard),
}  # fmt: skip


def write_and_draw(table: pd.DataFrame, path: Path, settings: FigureSettings, figures: Sequence[Path]) -> None:
    """Write the table of a figure to `path`, and the figure to the files `figures`: from that file alone.

    Raises:
        UserError: a file cannot be written, or `figure_of_table` refuses the table.
    """
    write_table(table, path)
    with drawing(settings):
        save_figure(figure_of_table(path, settings), figures)


def figure_of_table(path: str | Path, settings: FigureSettings) -> Figure:
    """The figure that the CSV file at `path` describes; call it within `figure_style.drawing`.

    Its column `figure` says which kind of figure it is, one of `FIGURES`.

    Raises:
        UserError: the file is missing, is no table of a figure, or a column or cell of it is not what it should be.
    """
    kinds = sorted(set(read_table(path, {"figure": "text"})["figure"]))
    if len(kinds) != 1 or kinds[0] not in FIGURES:
        found = ", ".join(map(repr, kinds)) or "no row"
        raise UserError(
            f"{path}: column figure has {found}; one of these is allowed, in all rows: {', '.join(FIGURES)}"
        )
    columns, draw = FIGURES[kinds[0]]
    return draw(read_table(path, columns), settings)
