"""The table of a figure of fronts: a row for each system, tick and level of each panel, and for the text below them."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from vocoder_pareto.analysis import table_labels
from vocoder_pareto.analysis.figure_captions import notes
from vocoder_pareto.analysis.fronts import Front, Objectives
from vocoder_pareto.analysis.pareto_figure import draw_fronts, why_empty
from vocoder_pareto.analysis.pareto_panel import Panel
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import Kind

FIGURE = "fronts"
_PANEL: Mapping[str, Kind] = {
    "figure": "text", "panel": "integer", "title": "text", "objectives": "text", "x_column": "text",
    "y_column": "text", "probabilities_known": "flag", "drawn_as": "text",
}  # fmt: skip
_OF_SYSTEM: Mapping[str, Kind] = {
    "system": "text", "label": "text", "model": "text", "size": "text", "family": "text", "on_front": "flag",
    "on_family_front": "flag", "front_probability": "number", "mos_source": "text", "energy_source": "text",
    "device": "text", "not_publishable": "flag", "not_comparable": "text", "untrained": "flag",
}  # fmt: skip
COLUMNS: Mapping[str, Kind] = {
    **_PANEL, **_OF_SYSTEM, **table_labels.COLUMNS, "energy_doubts": "text",
    **dict.fromkeys(("x", "x_ci95", "y", "y_ci95"), "number"), "text": "text",
}  # fmt: skip
SYSTEM, TICK, LEVEL, NOTHING, CAPTION = "system", "tick", "level", "nothing", "caption"  # `drawn_as`


def front_figure_table(panels: Sequence[Panel], labels: Mapping[str, str]) -> pd.DataFrame:
    """All that the figure of `panels` shows, in the units of the columns that `x_column` and `y_column` name.

    `drawn_as` is `system` (a marker), `tick` (a system of which this one value is known, on its axis), `level` (a
    reference as a line), `nothing` (a panel without systems, and why, in `text`) or `caption`.

    Args:
        panels: see `draw_fronts`.
        labels: what readers see for each model; their order gives the markers.
    """
    fronts = list({id(panel.front): panel.front for panel in panels}.values())
    rows = [row for number, panel in enumerate(panels, 1) for row in _rows(panel, number, labels)]
    rows.append({"drawn_as": CAPTION, "text": notes(fronts, labels)})
    table = table_labels.rows_of_figure(FIGURE, rows, COLUMNS)
    shown = [model for front in fronts for model in front.table["model"]]
    return table_labels.with_labels(table, labels, shown)[list(COLUMNS)]


def draw_front_table(table: pd.DataFrame, settings: FigureSettings) -> Figure:
    """The figure that `front_figure_table` describes; call it within `figure_style.drawing`."""
    text = table["text"][table["drawn_as"] == CAPTION].iloc[0]
    panels = [_panel(rows) for _, rows in table[table["panel"].notna()].groupby("panel")]
    return draw_fronts(panels, settings, table_labels.labels_of(table), text)


def _rows(panel: Panel, number: int, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    front = panel.front
    doubts = front.summary.get("doubts", {})
    rows: list[dict[str, Any]] = [
        {
            **{name: row[name] for name in _OF_SYSTEM if name in row},
            "drawn_as": SYSTEM,
            "energy_doubts": "; ".join(doubts.get(row["system"], ())),
            **{axis: row[column] for axis, column in zip("xy", panel.axes, strict=True)},
            **{f"{axis}_ci95": row.get(f"{column}_ci95") for axis, column in zip("xy", panel.axes, strict=True)},
        }
        for row in front.table.to_dict("records")
    ]
    if not rows:
        rows.append({"drawn_as": NOTHING, "text": why_empty(front)})
    known = front.summary.get("partly_known", {})
    for axis, column in zip("xy", panel.axes, strict=True):
        for system in panel.ticks(column):
            model, _, size = system.rpartition("-")
            own = {"model": model, "size": size} if model in labels else {}
            rows.append({"drawn_as": TICK, "system": system, axis: known[system][column], **own})
    rows += [{"drawn_as": LEVEL, "system": system, "y": level} for system, level in panel.levels().items()]
    of_panel = {
        "panel": number, "title": panel.title, "objectives": json.dumps(dict(front.objectives.columns)),
        "x_column": panel.x, "y_column": panel.y, "probabilities_known": panel.knows_probabilities,
    }  # fmt: skip
    return [of_panel | row for row in rows]


def _panel(rows: pd.DataFrame) -> Panel:
    first = rows.iloc[0]
    x, y = first["x_column"], first["y_column"]
    drawn = {name: rows[rows["drawn_as"] == name] for name in (SYSTEM, TICK, LEVEL, NOTHING)}
    table = drawn[SYSTEM].rename(columns={"x": x, "x_ci95": f"{x}_ci95", "y": y, "y_ci95": f"{y}_ci95"})
    table = table.astype({"on_front": bool, "on_family_front": bool}).reset_index(drop=True)
    if (table["label"] == "").all():
        table = table.drop(columns="label")
    known: dict[str, dict[str, float]] = {}
    for axis, column in (("x", x), ("y", y)):
        ticks = drawn[TICK].dropna(subset=axis)
        known |= {system: {column: value} for system, value in zip(ticks["system"], ticks[axis], strict=True)}
    doubtful = table[table["energy_doubts"] != ""]
    summary = {
        "is_uncertain": bool(first["probabilities_known"]),
        "uncertainty_unknown": {},
        "partly_known": known,
        "references": {row["system"]: {y: row["y"]} for row in drawn[LEVEL].to_dict("records")},
        "doubts": {row["system"]: row["energy_doubts"].split("; ") for row in doubtful.to_dict("records")},
        "why_empty": "".join(drawn[NOTHING]["text"]),
    }
    return Panel(Front(Objectives("figure", json.loads(first["objectives"])), table, summary), x, y, first["title"])
