"""A small figure of each objective metric against MOS, a panel per metric, with its rank correlation above."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from vocoder_pareto.analysis import table_labels
from vocoder_pareto.analysis.correlation import FEWEST_SYSTEMS
from vocoder_pareto.analysis.figure_style import (
    INK,
    LINE,
    SOFT_INK,
    Marker,
    label_with_sources,
    marker_of,
    new_figure,
    points,
    sheet,
    size_colours,
    write_below,
)
from vocoder_pareto.analysis.untrained import not_judged, sentence
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import Kind, model_label, size_rank, system_label
from vocoder_pareto.tables.sources import source_of

PANELS_PER_ROW = 3
PANEL_SHARE = 0.62  # width of a panel, as a share of a figure's width
FIGURE = "correlations"
_OF_METRIC: Mapping[str, Kind] = {
    "metric": "text", "label": "text", "better": "text", "unit": "text", "ranks_systems": "flag",
    "n_systems": "integer", "spearman": "number", "spearman_ci95_low": "number", "spearman_ci95_high": "number",
    "not_comparable": "text",
}  # fmt: skip
_OF_SYSTEM: Mapping[str, Kind] = {
    "system": "text", "model": "text", "size": "text", "mos": "number", "mos_source": "text",
}  # fmt: skip
COLUMNS: Mapping[str, Kind] = {
    "figure": "text", "drawn_as": "text", **_OF_METRIC, **_OF_SYSTEM, "value": "number", **table_labels.COLUMNS,
    "text": "text",
}  # fmt: skip
METRIC, SYSTEM, CAPTION = "metric", "system", "caption"  # `drawn_as`


def correlation_table(
    scores: pd.DataFrame, correlations: pd.DataFrame, labels: Mapping[str, str], withheld: str = ""
) -> pd.DataFrame:
    """All that the figure shows: a row per metric (`drawn_as` is `metric`), then per metric and system that is judged
    (`system`), whose `value` is empty where it is not known, and one for what the caption says of others (`caption`).

    Args:
        scores: a row per system, see `correlation.read_scores`.
        correlations: a row per metric, see `correlation.correlate_with_mos`.
        labels: what readers see for each model; their order gives the markers.
        withheld: why there is no predicted MOS, in a sentence.
    """
    named = [system_label(model, size, labels) for model, size in zip(scores["model"], scores["size"], strict=True)]
    omitted = sentence(scores, pd.Series(named, scores.index, dtype=object))
    judged = scores[~not_judged(scores)].rename_axis("system").reset_index()
    found = correlations.to_dict("records")
    rows: list[dict[Any, Any]] = [{"drawn_as": METRIC, **{name: row[name] for name in _OF_METRIC}} for row in found]
    for metric in correlations["metric"]:
        values = judged[metric].where(np.isfinite(judged[metric].to_numpy(float)))
        own = judged[list(_OF_SYSTEM)].assign(drawn_as=SYSTEM, metric=metric, value=values)
        rows += own.to_dict("records")
    rows.append({"drawn_as": CAPTION, "text": " ".join(filter(None, [omitted, withheld]))})
    table = table_labels.rows_of_figure(FIGURE, rows, COLUMNS)
    return table_labels.with_labels(table, labels, judged["model"])[list(COLUMNS)]


def draw_correlations(
    scores: pd.DataFrame,
    correlations: pd.DataFrame,
    settings: FigureSettings,
    labels: Mapping[str, str],
    withheld: str = "",
) -> Figure:
    """Panels of metric against MOS, a marker per model and a shade per size; call it within `drawing`.

    Args: as those of `correlation_table`, and `settings`, the style of all figures.
    """
    return draw_correlation_table(correlation_table(scores, correlations, labels, withheld), settings)


def draw_correlation_table(table: pd.DataFrame, settings: FigureSettings) -> Figure:
    """The figure that `correlation_table` describes; call it within `figure_style.drawing`."""
    labels = table_labels.labels_of(table)
    metrics = table[table["drawn_as"] == METRIC].to_dict("records")
    systems = table[table["drawn_as"] == SYSTEM]
    scores = systems[systems["metric"] == metrics[0]["metric"]]  # each metric has a row for each system
    remarks = list(table["text"][table["drawn_as"] == CAPTION])
    reasons = list(dict.fromkeys(metric["not_comparable"] for metric in metrics if metric["not_comparable"]))
    columns, width = sheet(settings, len(metrics), PANELS_PER_ROW, PANEL_SHARE)
    rows = math.ceil(len(metrics) / columns)
    side = min(width / columns, settings.width_inches)
    figure = new_figure(max(settings.width_inches, width), side * rows + 0.45)
    write_below(figure, _caption(scores, remarks, reasons), settings)
    markers = {model: marker_of(model, labels, scores["model"]) for model in dict.fromkeys(scores["model"])}
    grid = figure.subplots(rows, columns, squeeze=False, sharey=True)
    for axes, metric in zip(grid.flat, metrics, strict=False):
        _draw_metric(axes, metric, systems[systems["metric"] == metric["metric"]], markers, settings)
    for axes in grid.flat[len(metrics) :]:
        axes.set_axis_off()
    for axes in grid[:, 0]:
        axes.set_ylabel(label_with_sources("MOS", scores["mos_source"], bool(reasons), settings))
    if markers:
        figure.legend(
            handles=_legend(markers, labels),
            loc="outside upper center",
            ncols=2 * columns + (columns == 1),
            frameon=False,
        )
    return figure


def _draw_metric(
    axes: Axes,
    metric: Mapping[Hashable, Any],
    scores: pd.DataFrame,
    markers: Mapping[str, Marker],
    settings: FigureSettings,
) -> None:
    axes.set_xlabel(_axis_label(metric))
    if metric["n_systems"] < FEWEST_SYSTEMS:
        _draw_nothing(axes, int(metric["n_systems"]))
        return
    known = scores[scores["value"].notna()]
    colours = size_colours(settings, list(scores["size"]), list(scores["model"])) if len(scores) else {}
    for _, family in known.groupby("model", sort=False):
        ordered = family.sort_values("size", key=lambda sizes: sizes.map(size_rank), kind="stable")
        axes.plot(ordered["value"], ordered["mos"], color=LINE, linewidth=0.6, zorder=1)
    for row in known.to_dict("records"):
        style: dict[str, Any] = {"markersize": 4.4, "markeredgewidth": 0.4, "markeredgecolor": INK, "zorder": 2}
        marker = markers[row["model"]]
        axes.plot(
            row["value"], row["mos"], marker=marker, markerfacecolor=colours[row["size"]], linestyle="none", **style
        )
    axes.set_title(_title(metric), fontsize=points(settings, -0.5), color=SOFT_INK)
    axes.margins(0.1)
    axes.grid(True)


def _axis_label(metric: Mapping[Hashable, Any]) -> str:
    unit = f" ({metric['unit']})" if metric["unit"] else ""
    arrow = "←" if metric["better"] == "lower" else "→"
    return f"{metric['label']}{unit}, " + (f"better {arrow}" if metric["ranks_systems"] else "never ranks")


def _draw_nothing(axes: Axes, systems: int) -> None:
    axes.tick_params(labelleft=False, labelbottom=False, length=0)
    told = f"systems whose audio is real: {systems}\nof {FEWEST_SYSTEMS} that a correlation needs"
    axes.text(0.5, 0.5, told, transform=axes.transAxes, ha="center", va="center", color=SOFT_INK)


def _title(correlation: Mapping[Hashable, Any]) -> str:
    if pd.isna(correlation["spearman"]):
        return "ρ undefined: all values are equal"
    low, high = (_signed(correlation[f"spearman_ci95_{end}"]) for end in ("low", "high"))
    return f"ρ = {_signed(correlation['spearman'])} [{low}, {high}]"


def _signed(value: float) -> str:
    return f"{value:.2f}".replace("-", "−")


def _caption(scores: pd.DataFrame, remarks: Sequence[str], not_comparable: Sequence[str]) -> str:
    sources = list(dict.fromkeys(scores["mos_source"]))
    sentences = [f"MOS: {source_of(word).described('mos')}." for word in sources if word]
    sentences += filter(None, remarks)
    sentences += [f"NOT COMPARABLE: {reason}." for reason in not_comparable]
    sentences.append(
        "ρ: Spearman's rank correlation over systems, 95 % bootstrap interval. Light to dark: small to large."
    )
    return " ".join(sentences)


def _legend(markers: Mapping[str, Marker], labels: Mapping[str, str]) -> list[Line2D]:
    style: dict[str, Any] = {"linestyle": "", "markersize": 4.4, "markerfacecolor": "white", "markeredgecolor": INK}
    return [
        Line2D([], [], marker=marker, label=model_label(model, labels), **style) for model, marker in markers.items()
    ]
