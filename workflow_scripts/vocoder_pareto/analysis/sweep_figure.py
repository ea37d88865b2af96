"""Energy against batch size, a line per precision, a panel per system."""

import math
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import NullLocator, ScalarFormatter

from vocoder_pareto.analysis import table_labels
from vocoder_pareto.analysis.figure_style import (
    Marker,
    label_with_sources,
    marker_of,
    new_figure,
    number_logarithmic,
    sheet,
    size_colours,
    write_below,
)
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import ENERGY, Kind
from vocoder_pareto.tables.sources import source_of

_WHAT: Mapping[str, Kind] = dict.fromkeys(("system", "model", "size", "precision"), "text")
_WHENCE: Mapping[str, Kind] = dict.fromkeys(("energy_source", "device"), "text")
COLUMNS: Mapping[str, Kind] = {
    **_WHAT, "batch_size": "integer", ENERGY: "number", f"{ENERGY}_ci95": "number", **_WHENCE,
    "estimated_watts_per_core": "number",
}  # fmt: skip
FIGURE = "sweeps"
TABLE_COLUMNS: Mapping[str, Kind] = {"figure": "text", **COLUMNS, **table_labels.COLUMNS}
LINES = {"float32": ("-", "full"), "tf32": ("--", "none"), "bf16": (":", "bottom")}  # line, and fill of its markers
PANELS_PER_ROW = 3
PANEL_SHARE = 0.75  # width of a panel, as a share of a figure's width
PANEL_HEIGHT = 0.65  # also as a share of a figure's width


def sweep_table(sweeps: pd.DataFrame, labels: Mapping[str, str]) -> pd.DataFrame:
    """All that the figure of `sweeps` shows, see `draw_sweeps`: their rows, with the labels and places of models."""
    return table_labels.with_labels(sweeps.assign(figure=FIGURE), labels, sweeps["model"])[list(TABLE_COLUMNS)]


def draw_sweep_table(table: pd.DataFrame, settings: FigureSettings) -> Figure:
    """The figure that `sweep_table` describes; call it within `figure_style.drawing`."""
    return draw_sweeps(table, settings, table_labels.labels_of(table))


def draw_sweeps(sweeps: pd.DataFrame, settings: FigureSettings, labels: Mapping[str, str]) -> Figure:
    """Draw all rows of `sweeps` (columns `COLUMNS`); call it within `drawing`.

    Markers are those of the models and colours those of the sizes, as in all figures; lines tell precisions apart.

    Args:
        sweeps: rows of the sweeps of all systems; those without energy are left out.
        settings: size and style; the width is that of one panel.
        labels: what readers see for each model; their order gives the markers.
    """
    systems = list(dict.fromkeys(sweeps["system"]))
    columns, width = sheet(settings, len(systems), PANELS_PER_ROW, PANEL_SHARE)
    rows = math.ceil(len(systems) / columns)
    figure = new_figure(width, settings.width_inches * PANEL_HEIGHT * rows)
    grid = figure.subplots(rows, columns, squeeze=False)
    panels = iter(grid.flat)
    measured = sweeps.dropna(subset=ENERGY)
    colours = size_colours(settings, list(sweeps["size"]), list(sweeps["model"]))
    for system, axes in zip(systems, panels, strict=False):
        model, _, size = system.rpartition("-")
        marker = marker_of(model, labels, sweeps["model"])
        _draw_system(axes, measured[measured["system"] == system], marker, colours[size])
        axes.set_xlabel("batch size")
        axes.set_title(f"{labels.get(model, model)} {size}")
    for axes in panels:  # what the systems left
        axes.set_visible(False)
    joules = label_with_sources("J per second of audio", measured["energy_source"], False, settings, between="\n")
    for axes in grid[:, 0]:
        axes.set_ylabel(joules)
    write_below(figure, _caption(measured), settings)
    return figure


def _draw_system(axes: Axes, rows: pd.DataFrame, marker: Marker, colour: tuple[float, float, float]) -> None:
    for precision, line in rows.groupby("precision", sort=False):
        style, fill = LINES[str(precision)]
        axes.errorbar(
            line["batch_size"], line[ENERGY],
            yerr=line[f"{ENERGY}_ci95"].fillna(0), marker=marker, linestyle=style, fillstyle=fill,
            markersize=3.6, markeredgewidth=0.8, linewidth=1, capsize=1.5, color=colour, label=precision,
        )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    number_logarithmic(axes.yaxis, *axes.get_ylim())
    axes.xaxis.set_major_formatter(ScalarFormatter())
    axes.xaxis.set_minor_locator(NullLocator())
    if len(rows):
        axes.set_xticks(sorted(set(rows["batch_size"])))
        axes.legend(frameon=False)
    axes.grid(True, axis="y")


def _caption(measured: pd.DataFrame) -> str:
    labels = [source_of(word).label for word in sorted(set(measured["energy_source"].astype(str)))]
    devices = sorted(set(measured["device"].astype(str)))
    energy = f"Energy: {', '.join([*labels, *devices])}." if labels else "Energy: nothing measured."
    return f"{energy} Bars: 95 % intervals. A precision that the device lacks is not drawn."
