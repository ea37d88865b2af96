"""One scatter of a Pareto front in our style: logarithmic cost, stepped front, families as lines, intervals, labels."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb
from matplotlib.markers import CARETDOWN, CARETLEFT
from matplotlib.text import Text
from matplotlib.ticker import MaxNLocator

from vocoder_pareto.analysis.doubts import MARK
from vocoder_pareto.analysis.figure_style import (
    DOMINATED,
    INK,
    LINE,
    OPTIMAL,
    REFERENCE_COLOUR,
    SOFT_INK,
    Marker,
    label_with_sources,
    marker_of,
    number_logarithmic,
    points,
    size_colours,
)
from vocoder_pareto.analysis.fronts import Front, is_logarithmic
from vocoder_pareto.analysis.label_placement import Label
from vocoder_pareto.analysis.partly_known import DEVICE_COLUMNS, ENERGY_COLUMNS, MOS_COLUMNS
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import column_of, label_of_system, model_label, size_rank, system_label

MARKER_POINTS = 5.4  # diameter
# So that all look equally large.
MARKER_SCALE: Mapping[Marker, float] = {
    "P": 1.2, "X": 1.15, "D": 0.84, "s": 0.92, "*": 1.3, (4, 1, 0): 1.3, (3, 1, 180): 1.3,
}  # fmt: skip
RING_POINTS = 10.0
ARROW_POINTS = 4.0
NOTEWORTHY_PROBABILITY = 0.05  # a dominated system that may well be optimal gets a thin ring
PADDING = 0.09  # of the range of the values, on either side
BEHIND_LABELS = "#fafbfc"
MAX_LABELS = 40  # of a panel; with more systems, only the noteworthy ones are named
TICK_LENGTH = 0.035  # of the height or width of a panel
MAX_NAMED_TICKS = 8  # of a panel; more would cover each other
MAX_INTERVALS = 400  # of a panel; with more systems, only the noteworthy ones have theirs
MAX_VECTORS = 5000  # markers; more are drawn as one picture, since a vector file of all would be tens of megabytes


@dataclass(frozen=True)
class Panel:
    """Two columns of a front, and the title above them."""

    front: Front
    x: str
    y: str
    title: str = ""

    @property
    def axes(self) -> tuple[str, str]:
        """The two columns."""
        return self.x, self.y

    @property
    def is_whole_front(self) -> bool:
        """Whether the two columns are all objectives, so that the front is a staircase in this plane."""
        return {self.x, self.y} == set(self.front.names)

    @property
    def knows_probabilities(self) -> bool:
        """Whether it is known how uncertain the values are, and any is uncertain."""
        return bool(self.front.summary["is_uncertain"] and not self.front.summary["uncertainty_unknown"])

    def shows_probabilities(self, settings: FigureSettings) -> bool:
        """Whether percentages are drawn: they are asked for, and it is known how uncertain the values are."""
        return settings.style == "improved" and settings.probabilities and self.knows_probabilities

    def shown(self, name: str) -> np.ndarray:
        """The values of a column of the front's table in the unit that readers see."""
        return self.front.table[name].to_numpy(dtype=float) * column_of(name).factor

    def ticks(self, name: str) -> dict[str, float]:
        """What is known of systems that have the value of this axis alone, in the unit that readers see."""
        (other,) = {self.x, self.y} - {name}
        known = self.front.summary.get("partly_known", {})
        factor = column_of(name).factor
        return {system: own[name] * factor for system, own in known.items() if name in own and other not in own}

    def levels(self) -> dict[str, float]:
        """Values of the reference systems that are drawn as lines across: of MOS alone."""
        references = self.front.summary.get("references", {}) if self.y in MOS_COLUMNS else {}
        return {system: values[self.y] for system, values in references.items() if self.y in values}

    def doubtful(self) -> np.ndarray:
        """Which systems have a measurement to doubt."""
        return self.front.table["system"].isin(list(self.front.summary.get("doubts", ()))).to_numpy()

    def half_widths(self, name: str) -> np.ndarray:
        """Half-widths of the 95 % intervals of a column in the same unit, 0 where there is none."""
        known = self.front.table.get(f"{name}_ci95")
        if known is None:
            return np.zeros(len(self.front.table))
        return np.nan_to_num(known.to_numpy(dtype=float)) * column_of(name).factor

    def ends(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """The ends of these intervals: a cost or a distance has none below 0, however wide its interval is."""
        values, half = self.shown(name), self.half_widths(name)
        stops_at_zero = (values >= 0) & (column_of(name).direction == "min")
        return np.where(stops_at_zero, np.maximum(values - half, 0.0), values - half), values + half


@dataclass(frozen=True)
class Look:
    """What all panels of a figure share.

    Attributes:
        settings: size and style.
        labels: what readers see for each model; their order, then that of `models`, gives each model its marker, so
            that a model looks the same in all figures of a study.
        models: all models of the figure.
    """

    settings: FigureSettings
    labels: Mapping[str, str]
    models: Sequence[str]

    def marker(self, model: str) -> Marker:
        """The marker of a model."""
        return marker_of(model, self.labels, self.models)


@dataclass(frozen=True)
class Unplaced:
    """What is written once the layout of the figure is final: labels, and the lines and texts to keep clear.

    Of `tick_names`, only those stay that cover no marker.
    """

    labels: Sequence[Label]
    lines: Sequence[np.ndarray]
    texts: Sequence[Text]
    tick_names: Sequence[Text]


def draw_panel(axes: Axes, panel: Panel, look: Look) -> Unplaced:
    """Draw all but the labels of the systems, and return these."""
    table = panel.front.table.assign(x=panel.shown(panel.x), y=panel.shown(panel.y), doubtful=panel.doubtful())
    _set_scales(axes, panel, table, look.settings.intervals)
    texts = _draw_references(axes, panel, points(look.settings, -1.2))
    tick_names = _draw_ticks(axes, panel, look)
    lines = _draw_front(axes, panel, table) if panel.is_whole_front else []
    lines += _draw_families(axes, table)
    if look.settings.intervals:
        lines += _draw_intervals(axes, panel, table)
    _draw_systems(axes, table, look)
    if "label" in table and table["model"].nunique() > 1:
        axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=4, frameon=False, handletextpad=0, columnspacing=1)
    return Unplaced(_labels(table, look, panel.shows_probabilities(look.settings)), lines, texts, tick_names)


def name_axes(axes: Axes, panel: Panel, shares_vertical_label: bool, settings: FigureSettings) -> None:
    """Titles and labels; the vertical label stands once for panels that share it."""
    axes.set_xlabel(_axis_label(panel, panel.x, settings))
    axes.set_ylabel("" if shares_vertical_label else _axis_label(panel, panel.y, settings))
    if panel.title:
        axes.set_title(panel.title, fontweight="bold")


def _axis_label(panel: Panel, name: str, settings: FigureSettings) -> str:
    table = panel.front.table
    source = "energy_source" if name in ENERGY_COLUMNS else "mos_source" if name in MOS_COLUMNS else ""
    is_cost = name in DEVICE_COLUMNS
    not_comparable = is_cost and bool((table.get("not_comparable", pd.Series(dtype="str")) != "").any())
    return label_with_sources(column_of(name).axis_label, table.get(source, []), not_comparable, settings)


def _set_scales(axes: Axes, panel: Panel, table: pd.DataFrame, with_intervals: bool) -> None:
    horizontal = (panel.x, table["x"], axes.xaxis, axes.set_xscale, axes.set_xlim)
    vertical = (panel.y, table["y"], axes.yaxis, axes.set_yscale, axes.set_ylim)
    for name, values, axis, set_scale, set_limits in (horizontal, vertical):
        lows, highs = panel.ends(name) if with_intervals else (values, values)
        beside = list(panel.ticks(name).values())
        low, high = min([lows.min(), *beside]), max([highs.max(), *beside])
        if is_logarithmic(name, panel.front.objectives.columns[name], table[name].to_numpy()):
            low = max(low, min([values.min() / 2, *beside]))  # an interval down to zero has no end on this axis
            decades = max(np.log10(high) - np.log10(low), 0.2)
            pad = 10 ** (PADDING * decades)
            limits = low / pad, high * pad
            set_scale("log")
            number_logarithmic(axis, *limits)
        else:
            pad = PADDING * (high - low or max(abs(high), 1.0))
            limits = low - pad, high + pad
            axis.set_major_locator(MaxNLocator(6, steps=(1, 2, 5, 10)))
        set_limits(limits)
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
    """A line through the sizes of each model, or through the sub-front of a group whose members have no sizes."""
    lines = []
    families = list(table.groupby("model", sort=False))
    for _, family in families if len(families) > 1 else ():
        if family["size"].is_unique:
            ordered = family.sort_values("size", key=lambda sizes: sizes.map(size_rank), kind="stable")
        else:
            ordered = family[family["on_family_front"]].sort_values("x", kind="stable")
        lines.append(ordered[["x", "y"]].to_numpy())
        axes.plot(*lines[-1].T, color=LINE, linewidth=0.7, zorder=1.2)
    return lines


def _draw_intervals(axes: Axes, panel: Panel, table: pd.DataFrame) -> list[np.ndarray]:
    style: dict[str, Any] = {"colors": SOFT_INK, "linewidth": 0.6, "alpha": 0.8, "zorder": 2}
    x, y = table["x"].to_numpy(), table["y"].to_numpy()
    across, along = panel.half_widths(panel.x), panel.half_widths(panel.y)
    if len(table) > MAX_INTERVALS:
        across, along = (np.where(_noteworthy(table), half, 0.0) for half in (across, along))
    left, bottom = axes.get_xlim()[0], axes.get_ylim()[0]
    (low_x, high_x), (low_y, high_y) = panel.ends(panel.x), panel.ends(panel.y)
    # On a logarithmic axis, an interval that reaches zero ends at the edge, in an arrowhead.
    from_x, from_y = np.maximum(low_x, left), np.maximum(low_y, bottom)
    axes.hlines(y[across > 0], from_x[across > 0], high_x[across > 0], **style)
    axes.vlines(x[along > 0], from_y[along > 0], high_y[along > 0], **style)
    arrow: dict[str, Any] = {"color": SOFT_INK, "markersize": ARROW_POINTS, "markeredgewidth": 0, "linestyle": "none"}
    for goes_on, xs, ys, marker in (
        ((across > 0) & (low_x < left), from_x, y, CARETLEFT),
        ((along > 0) & (low_y < bottom), x, from_y, CARETDOWN),
    ):
        if goes_on.any():
            axes.plot(xs[goes_on], ys[goes_on], marker=marker, zorder=2, **arrow)
    ends = np.concatenate(
        [
            np.column_stack([from_x, y, high_x, y])[across > 0],
            np.column_stack([x, from_y, x, high_y])[along > 0],
        ]
    )
    return list(ends.reshape(-1, 2, 2))


def _draw_references(axes: Axes, panel: Panel, font_size: float) -> list[Text]:
    """Natural speech and the low anchor of the listening test, as levels; return their names."""
    texts: list[Text] = []
    style: dict[str, Any] = {"textcoords": "offset points", "ha": "right", "va": "bottom", "color": SOFT_INK}
    for system, level in panel.levels().items():
        low, high = axes.get_ylim()
        margin = PADDING * (high - low)
        axes.set_ylim(min(low, level - margin), max(high, level + margin))
        axes.axhline(level, color=SOFT_INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)
        text = model_label(system, {}).lower()
        place: dict[str, Any] = {"xy": (1, level), "xytext": (-1, 1.5), "xycoords": ("axes fraction", "data")}
        texts.append(axes.annotate(text, **place, **style, fontsize=font_size, fontstyle="italic"))
    return texts


def _draw_ticks(axes: Axes, panel: Panel, look: Look) -> list[Text]:
    """Systems of which one value is known, as ticks on its axis; return the names of a few."""
    texts: list[Text] = []
    style: dict[str, Any] = {"color": SOFT_INK, "linewidth": 0.9, "zorder": 3}
    named: dict[str, Any] = {
        "textcoords": "offset points",
        "color": SOFT_INK,
        "fontsize": points(look.settings, -1.8),
    }
    for name, line, transform in (
        (panel.x, axes.axvline, axes.get_xaxis_transform()),
        (panel.y, axes.axhline, axes.get_yaxis_transform()),
    ):
        ticks = panel.ticks(name)
        is_upright = name == panel.x
        for system, value in ticks.items():
            line(value, 0, TICK_LENGTH, **style)
            if len(ticks) > MAX_NAMED_TICKS:
                continue
            place: dict[str, Any] = {
                "xy": (value, TICK_LENGTH),
                "xytext": (0, 2),
                "ha": "center",
                "va": "bottom",
                "rotation": 90,
            }
            if not is_upright:
                place = {"xy": (TICK_LENGTH, value), "xytext": (2, 0), "ha": "left", "va": "center"}
            texts.append(axes.annotate(label_of_system(system, look.labels), xycoords=transform, **place, **named))
    return texts


def _draw_systems(axes: Axes, table: pd.DataFrame, look: Look) -> None:
    told_by_colour = "size" if table["size"].any() else "model"
    with_size = table[table[told_by_colour].astype(bool)]
    models = list(with_size["model"]) if told_by_colour == "size" else ()
    colours = size_colours(look.settings, list(with_size[told_by_colour]), models)
    colours[""] = to_rgb(REFERENCE_COLOUR)  # of systems without a size beside others that have one
    shrinking = _shrinking(len(table))
    style: dict[str, Any] = {"edgecolors": INK, "linewidths": 0.4 * shrinking, "zorder": 4, "clip_on": False}
    many = len(table) > MAX_VECTORS
    for (model, _), members in table.groupby(["model", "size"], sort=False):
        colour = colours[members[told_by_colour].iloc[0]]
        marker = look.marker(str(model))
        area = (_marker_points(marker) * shrinking) ** 2
        axes.scatter(
            members["x"], members["y"], s=area, marker=marker, color=[colour], label=model, rasterized=many, **style
        )
    maybe = ~table["on_front"] & (table["front_probability"] >= NOTEWORTHY_PROBABILITY)
    style |= {"facecolors": "none", "edgecolors": OPTIMAL, "zorder": 5}
    for rows, width in ((table[table["on_front"]], 1.2), (table[maybe], 0.5)):
        axes.scatter(rows["x"], rows["y"], s=(RING_POINTS * shrinking) ** 2, **style | {"linewidths": width})


def _labels(table: pd.DataFrame, look: Look, with_probabilities: bool) -> list[Label]:
    """Of all systems, or of the noteworthy ones where there are too many, or of none."""
    named = table if len(table) <= MAX_LABELS else table[_noteworthy(table)]
    labels = []
    for row in named.to_dict("records") if len(named) <= MAX_LABELS else ():
        points = RING_POINTS if _is_noteworthy(row) else _marker_points(look.marker(row["model"])) + 0.6
        labels.append(_label(row, points * _shrinking(len(table)) / 2, look, with_probabilities))
    return labels


def _label(row: Mapping, radius: float, look: Look, with_probability: bool) -> Label:
    text = row.get("label") or system_label(row["model"], row["size"], look.labels)
    text += MARK if row["doubtful"] else ""
    if _is_noteworthy(row) and with_probability:
        text = f"{text} {100 * row['front_probability']:.0f}\u00a0%"
    style = {
        "fontsize": points(look.settings, -1.2),
        "color": INK if _is_noteworthy(row) else SOFT_INK,
        "fontweight": "bold" if row["on_front"] else "normal",
        "zorder": 6,
        "bbox": {"facecolor": BEHIND_LABELS, "alpha": 0.6, "linewidth": 0, "pad": 0.2},
    }
    return Label(text, row["x"], row["y"], radius, style)


def _is_noteworthy(row: Mapping) -> bool:
    return row["on_front"] or row["front_probability"] >= NOTEWORTHY_PROBABILITY


def _noteworthy(table: pd.DataFrame) -> pd.Series:
    return table["on_front"] | (table["front_probability"] >= NOTEWORTHY_PROBABILITY)


def _marker_points(marker: Marker) -> float:
    return MARKER_POINTS * MARKER_SCALE.get(marker, 1.0)


def _shrinking(count: int) -> float:
    """Smaller signs where there are more than a reader can tell apart."""
    return float(np.clip((MAX_LABELS / count) ** 0.5, 0.2, 1.0))
