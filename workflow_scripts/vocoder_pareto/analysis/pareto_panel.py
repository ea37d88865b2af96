"""One scatter of a Pareto front in our style: logarithmic cost, stepped front, families as lines, intervals, labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogLocator, MaxNLocator, NullFormatter

from vocoder_pareto.analysis.columns import column_of, model_label, size_rank, system_label
from vocoder_pareto.analysis.figure_style import (
    DOMINATED,
    INK,
    LINE,
    MARKERS,
    OPTIMAL,
    SOFT_INK,
    FigureSettings,
)
from vocoder_pareto.analysis.fronts import MOS_COLUMNS, Front, is_logarithmic
from vocoder_pareto.analysis.label_placement import Label

MARKER_POINTS = 5.4  # diameter
MARKER_SCALE = {"P": 1.2, "X": 1.15, "D": 0.84, "s": 0.92, "*": 1.3}  # so that all look equally large
RING_POINTS = 10.0
NOTEWORTHY_PROBABILITY = 0.05  # a dominated system that may well be optimal gets a thin ring
PADDING = 0.07  # of the range of the values, on either side
BEHIND_LABELS = "#fafbfc"
MAX_LABELS = 40  # of a panel; with more systems, only the noteworthy ones are named
DENSE_DECADES = 3.0  # logarithmic axes shorter than this have ticks at 1, 2 and 5


@dataclass(frozen=True)
class Panel:
    """Two columns of a front, and the title above them."""

    front: Front
    x: str
    y: str
    title: str = ""

    @property
    def is_whole_front(self) -> bool:
        """Whether the two columns are all objectives, so that the front is a staircase in this plane."""
        return {self.x, self.y} == set(self.front.names)

    def shown(self, name: str) -> np.ndarray:
        """The values of a column of the front's table in the unit that readers see."""
        return self.front.table[name].to_numpy(dtype=float) * column_of(name).factor

    def half_widths(self, name: str) -> np.ndarray:
        """Half-widths of the 95 % intervals of a column in the same unit, 0 where there is none."""
        known = self.front.table.get(f"{name}_ci95")
        if known is None:
            return np.zeros(len(self.front.table))
        return np.nan_to_num(known.to_numpy(dtype=float)) * column_of(name).factor


def draw_panel(
    axes: Axes, panel: Panel, settings: FigureSettings, labels: Mapping[str, str]
) -> tuple[list[Label], list[np.ndarray]]:
    """Draw all but the labels; return these, and the lines that they should not cover."""
    table = panel.front.table.assign(x=panel.shown(panel.x), y=panel.shown(panel.y))
    _set_scales(axes, panel, table, settings.intervals)
    _draw_references(axes, panel)
    lines = _draw_front(axes, panel, table) if panel.is_whole_front else []
    lines += _draw_families(axes, table)
    if settings.intervals:
        lines += _draw_intervals(axes, panel, table)
    _draw_systems(axes, table, settings)
    models = list(table["model"])
    rows = [row for row in table.to_dict("records") if len(table) <= MAX_LABELS or _is_noteworthy(row)]
    return [_label(row, marker_of(row["model"], models), settings, labels) for row in rows], lines


def name_axes(axes: Axes, panel: Panel, shares_vertical_label: bool) -> None:
    """Titles and labels; the vertical label stands once for panels that share it."""
    axes.set_xlabel(column_of(panel.x).axis_label)
    axes.set_ylabel("" if shares_vertical_label else column_of(panel.y).axis_label)
    if panel.title:
        axes.set_title(panel.title, fontweight="bold")


def marker_of(model: str, models: Sequence[str]) -> str:
    """The marker of a model among all models of a figure, in the order of the table."""
    return MARKERS[list(dict.fromkeys(models)).index(model) % len(MARKERS)]


def _set_scales(axes: Axes, panel: Panel, table: pd.DataFrame, with_intervals: bool) -> None:
    for name, values, axis in ((panel.x, table["x"], axes.xaxis), (panel.y, table["y"], axes.yaxis)):
        half = panel.half_widths(name) if with_intervals else 0.0
        low, high = (values - half).min(), (values + half).max()
        if is_logarithmic(name, table[name].to_numpy()):
            low = max(low, values.min() / 2)  # an interval down to zero has no end on this axis
            decades = max(np.log10(high / low), 0.2)
            pad = 10 ** (PADDING * decades)
            limits = low / pad, high * pad
            set_scale = axes.set_xscale if axis is axes.xaxis else axes.set_yscale
            set_scale("log")
            axis.set_major_locator(LogLocator(subs=(1, 2, 5) if decades < DENSE_DECADES else (1,), numticks=20))
            axis.set_minor_formatter(NullFormatter())
            axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
        else:
            pad = PADDING * (high - low or 1.0)
            limits = low - pad, high + pad
            axis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
        axis.set_view_interval(*limits, ignore=True)
    axes.grid(True)


def _draw_front(axes: Axes, panel: Panel, table: pd.DataFrame) -> list[np.ndarray]:
    directions = panel.front.objectives.columns
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    worst_x = right if directions[panel.x] == "min" else left
    worst_y = bottom if directions[panel.y] == "max" else top
    front = table[table["on_front"]].sort_values("x", ascending=directions[panel.x] == "min")
    corners = [(front["x"].iloc[0], worst_y)]
    for x, y in zip(front["x"], front["y"], strict=True):
        corners += [(x, corners[-1][1]), (x, y)]
    corners.append((worst_x, corners[-1][1]))
    line = np.array(corners)
    axes.fill(*np.vstack([line, (worst_x, worst_y)]).T, color=DOMINATED, linewidth=0, zorder=0.5)
    axes.plot(*line.T, color=OPTIMAL, linewidth=0.8, alpha=0.75, solid_joinstyle="miter", zorder=1.5)
    return [line]


def _draw_families(axes: Axes, table: pd.DataFrame) -> list[np.ndarray]:
    lines = []
    for _, family in table.groupby("model", sort=False):
        ordered = family.sort_values("size", key=lambda sizes: sizes.map(size_rank), kind="stable")
        if len(ordered) > 1:
            lines.append(ordered[["x", "y"]].to_numpy())
            axes.plot(*lines[-1].T, color=LINE, linewidth=0.7, zorder=1.2)
    return lines


def _draw_intervals(axes: Axes, panel: Panel, table: pd.DataFrame) -> list[np.ndarray]:
    lines = []
    style = {"color": SOFT_INK, "linewidth": 0.6, "alpha": 0.8, "zorder": 2, "solid_capstyle": "butt"}
    for name, across in ((panel.x, np.array([1.0, 0.0])), (panel.y, np.array([0.0, 1.0]))):
        for centre, half in zip(table[["x", "y"]].to_numpy(), panel.half_widths(name), strict=True):
            if half > 0:
                lines.append(np.array([centre - half * across, centre + half * across]))
                axes.plot(*lines[-1].T, **style)
    return lines


def _draw_references(axes: Axes, panel: Panel) -> None:
    """Natural speech and the low anchor of the listening test, as levels."""
    if panel.y not in MOS_COLUMNS:
        return
    style = {"textcoords": "offset points", "ha": "right", "va": "bottom", "color": SOFT_INK}
    for system, values in panel.front.summary.get("references", {}).items():
        if panel.y not in values:
            continue
        level = values[panel.y]
        low, high = axes.get_ylim()
        margin = PADDING * (high - low)
        axes.set_ylim(min(low, level - margin), max(high, level + margin))
        axes.axhline(level, color=SOFT_INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
        text = model_label(system, {}).lower()
        place = {"xy": (1, level), "xytext": (-1, 1.5), "xycoords": ("axes fraction", "data")}
        axes.annotate(text, **place, **style, fontsize="x-small", fontstyle="italic")


def _draw_systems(axes: Axes, table: pd.DataFrame, settings: FigureSettings) -> None:
    colours = settings.colours(list(table["size"]))
    for row in table.to_dict("records"):
        marker = marker_of(row["model"], list(table["model"]))
        style = {"markersize": _marker_points(marker), "markeredgewidth": 0.4, "markeredgecolor": INK}
        axes.plot(row["x"], row["y"], marker, markerfacecolor=colours[row["size"]], zorder=4, clip_on=False, **style)
        if _is_noteworthy(row):
            ring = {"markersize": RING_POINTS, "markerfacecolor": "none", "markeredgecolor": OPTIMAL}
            width = 1.2 if row["on_front"] else 0.5
            axes.plot(row["x"], row["y"], "o", markeredgewidth=width, zorder=5, clip_on=False, **ring)


def _label(row: Mapping, marker: str, settings: FigureSettings, labels: Mapping[str, str]) -> Label:
    text = system_label(row["model"], row["size"], labels)
    if _is_noteworthy(row) and settings.probabilities:
        text = f"{text} {100 * row['front_probability']:.0f}\u2009%"
    style = {
        "fontsize": settings.font_size - 1.2,
        "color": INK if _is_noteworthy(row) else SOFT_INK,
        "fontweight": "bold" if row["on_front"] else "normal",
        "zorder": 3,
        "bbox": {"facecolor": BEHIND_LABELS, "alpha": 0.6, "linewidth": 0, "pad": 0.2},
    }
    radius = RING_POINTS / 2 if _is_noteworthy(row) else _marker_points(marker) / 2 + 0.3
    return Label(text, row["x"], row["y"], radius, style)


def _is_noteworthy(row: Mapping) -> bool:
    return row["on_front"] or row["front_probability"] >= NOTEWORTHY_PROBABILITY


def _marker_points(marker: str) -> float:
    return MARKER_POINTS * MARKER_SCALE.get(marker, 1.0)
