"""The figure of one measurement beside those that are known: a row per system, an axis for what may be compared."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

from vocoder_pareto.analysis import table_labels
from vocoder_pareto.analysis.beside_known import Comparison
from vocoder_pareto.analysis.figure_style import INK, LINE, OPTIMAL, SOFT_INK, new_figure, points, sheet, write_below
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import Kind, column_of, label_of_system

ROW_INCHES = 0.17
HEAD_INCHES = 0.9
SENTENCE_LETTERS = 44  # of a line below an axis in print
WIDTH_SHARE = 0.72  # of the width of a panel of the fronts
FIGURE = "beside"
COLUMNS: Mapping[str, Kind] = {
    "figure": "text", "panel": "integer", "axis": "text", "quantity": "text", "drawn_as": "text", "system": "text",
    "label": "text", "value": "number", "ci95": "number", "text": "text",
}  # fmt: skip
OWN, KNOWN, AXIS, DOUBT = "own", "known", "axis", "doubt"  # `drawn_as`


def beside_table(
    name: str, found: Sequence[Comparison], flags: Mapping[str, str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """All that the figure shows: for each axis the measurement (`drawn_as` is `own`; `text` says why it is not there),
    the `known` systems, and a row for the source of the numbers (`axis`); then what speaks against it (`doubt`).

    Args: as those of `draw_beside`.
    """
    rows: list[dict[str, Any]] = []
    for panel, each in enumerate(found, 1):
        own = {"system": name, "label": name, "value": each.own, "ci95": each.own_half_width, "text": each.why_not}
        known = [
            {"system": system, "label": label_of_system(system, labels), "value": value,
             "ci95": each.half_widths.get(system)}
            for system, value in each.known.items()
        ]  # fmt: skip
        drawn = [{"drawn_as": OWN, **own}, *({"drawn_as": KNOWN, **row} for row in known)]
        drawn.append({"drawn_as": AXIS, "text": each.sentence})
        rows += [{"panel": panel, "axis": each.title, "quantity": each.column, **row} for row in drawn]
    rows += [{"drawn_as": DOUBT, "text": told} for told in _doubts(flags)]
    return table_labels.rows_of_figure(FIGURE, rows, COLUMNS).astype({"panel": "Int64"})


def draw_beside_table(table: pd.DataFrame, settings: FigureSettings) -> Figure:
    """The figure that `beside_table` describes; call it within `figure_style.drawing`."""
    found = [_comparison(rows) for _, rows in table[table["panel"].notna()].groupby("panel")]
    labels = dict(zip(table["system"], table["label"], strict=True))
    name = table["system"][table["drawn_as"] == OWN].iloc[0]
    doubts = table["text"][table["drawn_as"] == DOUBT]
    return draw_beside(name, found, dict(enumerate(doubts)), settings, labels)


def _comparison(rows: pd.DataFrame) -> Comparison:
    drawn = {word: rows[rows["drawn_as"] == word] for word in (OWN, KNOWN, AXIS)}
    own, known = drawn[OWN].iloc[0], drawn[KNOWN]
    return Comparison(
        column=own["quantity"],
        title=own["axis"],
        known=dict(zip(known["system"], known["value"], strict=True)),
        own=_or_none(own["value"]),
        why_not=own["text"],
        sentence=drawn[AXIS]["text"].iloc[0],
        half_widths=dict(zip(known["system"], map(_or_none, known["ci95"]), strict=True)),
        own_half_width=_or_none(own["ci95"]),
    )


def _or_none(number: float) -> float | None:
    return None if pd.isna(number) else number


def draw_beside(
    name: str,
    found: Sequence[Comparison],
    flags: Mapping[Any, str],
    settings: FigureSettings,
    labels: Mapping[str, str],
) -> Figure:
    """Draw the measurement called `name` above the known ones; call it within `drawing`.

    Args:
        name: What readers see for the measured vocoder.
        found: See `comparisons`; an axis each.
        flags: What speaks against publishing the measurement, as flag → sentence.
        settings: Size and style.
        labels: What readers see for each model.
    """
    known = _ordered(found)
    rows = [name, *known]
    share = WIDTH_SHARE if settings.medium == "screen" else 1.0
    columns, width = sheet(settings, len(found), len(found), share)
    lines = -(-len(found) // columns)
    figure = new_figure(width, lines * (ROW_INCHES * len(rows) + HEAD_INCHES))
    grid = figure.subplots(lines, columns, sharey=True, squeeze=False)
    write_below(figure, _caption(name, found, flags), settings)
    for axes in grid.flat[len(found) :]:
        axes.set_visible(False)
    for axes, each in zip(grid.flat, found, strict=False):
        _draw(axes, each, rows, points(settings, -1.5))
        if settings.medium != "screen":  # no caption tells it
            axes.set_xlabel(f"{axes.get_xlabel()}\n{textwrap.fill(each.sentence, SENTENCE_LETTERS)}")
    for first in grid[:, 0]:
        first.set_yticks(range(len(rows)), [name, *(label_of_system(system, labels) for system in known)])
        first.get_yticklabels()[0].set(color=OPTIMAL, fontweight="bold")
        first.set_ylim(len(rows) - 0.4, -0.9)
    return figure


def _ordered(found: Sequence[Comparison]) -> list[str]:
    """All known systems, from the least of the first axis that has them to the most."""
    order: list[str] = []
    for each in found:
        order += sorted((system for system in each.known if system not in order), key=each.known.__getitem__)
    return order


def _draw(axes: Axes, shown: Comparison, rows: Sequence[str], small: float) -> None:
    factor = column_of(shown.column).factor
    for system, value in shown.known.items():
        _point(axes, value * factor, _scaled(shown.half_widths.get(system), factor), rows.index(system), INK)
    if shown.own is not None:
        own = shown.own * factor
        axes.axvline(own, color=OPTIMAL, linewidth=0.8, alpha=0.6, zorder=1)
        _point(axes, own, _scaled(shown.own_half_width, factor), 0, OPTIMAL)
        axes.annotate(
            f"{own:.3g}", (own, 0), (4, 3), textcoords="offset points",
            ha="left", va="bottom", color=OPTIMAL, fontsize=small, annotation_clip=False,
        )  # fmt: skip
    elif shown.why_not:
        axes.text(
            0.5, 0, "not on this axis", transform=axes.get_yaxis_transform(),
            ha="center", va="center", color=SOFT_INK, fontsize=small,
        )  # fmt: skip
    axes.set_xscale("log")
    if shown.own is not None and not shown.known:
        axes.set_xlim(shown.own * factor / 10, shown.own * factor * 10)
    axes.xaxis.set_major_locator(LogLocator(numticks=12))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel(column_of(shown.column).axis_label)
    axes.set_title(shown.title, fontweight="bold", fontsize=small, wrap=True)
    axes.grid(True, axis="x")
    axes.axhline(0.5, color=LINE, linewidth=0.6)
    axes.tick_params(axis="y", length=0)


def _point(axes: Axes, value: float, half_width: float | None, row: int, colour: str) -> None:
    if half_width:
        low = max(value - half_width, value / 10)  # an interval down to zero has no end on this axis
        axes.hlines(row, low, value + half_width, color=colour, linewidth=0.9, alpha=0.8)
    axes.plot(value, row, marker="o", markersize=4, color=colour, linestyle="none", zorder=3)


def _scaled(half_width: float | None, factor: float) -> float | None:
    return None if half_width is None else half_width * factor


def _doubts(flags: Mapping[Any, str]) -> list[str]:
    return [sentence for flag, sentence in flags.items() if flag != "not_publishable"]


def _caption(name: str, found: Sequence[Comparison], flags: Mapping[Any, str]) -> str:
    sentences = [each.sentence for each in found]
    sentences += [f"{name} is not on the axis of {each.title}: {each.why_not}." for each in found if each.why_not]
    doubts = _doubts(flags)
    told = f"Of {name}, not publishable: {'; '.join(doubts)}." if doubts else ""
    return f"{' '.join(dict.fromkeys(sentences))}\n{told} Bars: 95 % intervals.".strip()
