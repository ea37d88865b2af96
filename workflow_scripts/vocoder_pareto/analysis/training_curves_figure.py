"""Quality against the joules of training: a panel per metric, a line per system, and the front of them all."""

from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vocoder_pareto.analysis import table_labels
from vocoder_pareto.analysis.figure_style import (
    OPTIMAL,
    label_with_sources,
    marker_of,
    new_figure,
    points,
    sheet,
    size_colours,
    write_below,
)
from vocoder_pareto.analysis.number_ticks import number_ticks
from vocoder_pareto.analysis.training_curves import CURVE_COLUMNS, METRICS
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import Kind, column_of, label_of_system
from vocoder_pareto.tables.sources import source_of

FIGURE = "training_curves"
TABLE_COLUMNS: Mapping[str, Kind] = {
    "figure": "text", **{column.name: column.kind for column in CURVE_COLUMNS}, **table_labels.COLUMNS,
}  # fmt: skip


def training_curves_table(curves: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """All that the figure of `curves` shows: their rows, with the labels and places of models."""
    rows = curves.assign(figure=FIGURE)
    return table_labels.with_labels(rows, labels, curves["model"])[list(TABLE_COLUMNS)]


def draw_training_curves_table(table: pd.DataFrame, settings: FigureSettings) -> Figure:
    """The figure that `training_curves_table` describes; call it within `figure_style.drawing`."""
    return draw_training_curves(table, settings, table_labels.labels_of(table))


def draw_training_curves(curves: pd.DataFrame, settings: FigureSettings, labels: Mapping[str, str]) -> Figure:
    """Draw all validations of `curves` (columns `CURVE_COLUMNS`); call it within `drawing`.

    Args:
        curves: What `training_curves` gave; validations without joules are left out.
        settings: Size and style; the width is that of one panel.
        labels: What readers see for each model; their order gives the markers.
    """
    known = curves.dropna(subset="joules")
    known = known[known["joules"] > 0]
    columns, width = sheet(settings, len(METRICS), len(METRICS))
    rows = -(-len(METRICS) // columns)
    figure = new_figure(width, settings.width_inches * rows)
    panels = figure.subplots(rows, columns, squeeze=False).flat
    colours = size_colours(settings, list(curves["size"]), list(curves["model"]))
    joules = label_with_sources("Energy of training (J)", known["energy_source"], False, settings)
    for axes, metric in zip(panels, METRICS, strict=True):
        _draw(axes, known.dropna(subset=metric), metric, colours, labels)
        axes.set_xlabel(joules)
    handles, names = figure.axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside right center", frameon=False, fontsize=points(settings, -1.5))
    write_below(figure, _caption(curves, known), settings)
    return figure


def _draw(
    axes: Axes,
    rows: pd.DataFrame,
    metric: str,
    colours: Mapping[str, tuple[float, float, float]],
    labels: Mapping[str, str],
) -> None:
    for system, line in rows.groupby("system", sort=False):
        model, size = line["model"].iloc[0], line["size"].iloc[0]
        axes.plot(
            line["joules"], line[metric], marker=marker_of(model, labels, rows["model"]), color=colours[size],
            markersize=3.6, markeredgewidth=0.8, linewidth=1, label=label_of_system(str(system), labels),
        )  # fmt: skip
    front = rows[rows[f"on_front_{metric}"].fillna(False).astype(bool)].sort_values("joules")
    if len(front):
        axes.step(
            front["joules"], front[metric], where="post", color=OPTIMAL, linewidth=0.8, linestyle="--", label="Front"
        )
    if len(rows):
        axes.set_xscale("log")
        number_ticks(axes.xaxis, *axes.get_xlim())
    axes.set_ylabel(column_of(metric).axis_label)
    axes.grid(True)
    if not len(rows):
        axes.text(0.5, 0.5, "nothing validated", transform=axes.transAxes, ha="center", va="center")


def _caption(curves: pd.DataFrame, known: pd.DataFrame) -> str:
    labels = [source_of(word).label for word in sorted(set(known["energy_source"].astype(str))) if word]
    devices = sorted(set(known["device"].astype(str)))
    energy = f"Energy: {', '.join([*labels, *devices])}." if labels else "Energy: nothing measured."
    unknown = sorted(set(curves["system"]) - set(known["system"]))
    left_out = f" Left out, without a known energy: {', '.join(unknown)}." if unknown else ""
    return (
        f"{energy}{left_out} Validations of the same test clips while systems were trained, each at the joules so far; "
        "dashed: the best quality that so many joules bought."
    )
