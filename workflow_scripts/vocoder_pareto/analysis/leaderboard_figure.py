"""The figure of the leaderboard: a row per system, a marker per device, energy relative to the reference system."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from vocoder_pareto.analysis.figure_style import GRID, INK, LINE, MARKERS, new_figure, sheet, write_below
from vocoder_pareto.analysis.leaderboard import order_of_systems
from vocoder_pareto.analysis.number_ticks import number_ticks
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.columns import Kind, label_of_system
from vocoder_pareto.tables.sources import source_of

ROW_INCHES = 0.18
MARGIN_INCHES = 0.75
SPREAD = 0.44  # of a row, over which the markers of all devices lie
FIGURE = "leaderboard"
COLUMNS: Mapping[str, Kind] = {
    **dict.fromkeys(("figure", "set", "device", "energy_source", "system", "label"), "text"),
    "relative_energy": "number", "relative_energy_ci95": "number", "reference_label": "text",
}  # fmt: skip
COLOURS = ("#1b2733", "#d1213a", "#2b7a78", "#b07d12", "#5b4b8a", "#7a7a7a")


def leaderboard_figure_table(table: pd.DataFrame, reference: str, labels: Mapping[str, str]) -> pd.DataFrame:
    """All that the figure shows: the rows of `leaderboard.leaderboard_table` with their labels.

    Args:
        table: of all sets.
        reference: the system whose energy is 1.
        labels: what readers see for each model.
    """
    seen = [label_of_system(system, labels) for system in table["system"]]
    return table.assign(
        figure=FIGURE, label=seen, reference_system=reference, reference_label=label_of_system(reference, labels)
    )


def draw_leaderboard(table: pd.DataFrame, settings: FigureSettings) -> Figure:
    """Draw the relative energies of `table`, see `leaderboard_figure_table`; call it within `drawing`."""
    systems = order_of_systems(table)
    labels = dict(zip(table["system"], table["label"], strict=True))
    sets = table.drop_duplicates("set").to_dict("records")
    figure = new_figure(sheet(settings, 1, 1)[1], MARGIN_INCHES + ROW_INCHES * max(len(systems), 3))
    name = table["reference_label"].iloc[0]
    note = f"Relative to {name} on each device; bars: 95 % intervals of repetitions."
    if any(source_of(each["energy_source"]).stands_in for each in sets):
        note += " Open markers: estimated, not measured."
    write_below(figure, note, settings)
    axes = figure.subplots()
    rows = {system: number for number, system in enumerate(reversed(systems))}
    for number, each in enumerate(sets):
        own = table[(table["set"] == each["set"]) & table["relative_energy"].notna()]
        style: dict[str, Any] = {
            "fmt": MARKERS[number % len(MARKERS)], "color": COLOURS[number % len(COLOURS)], "markersize": 3.8,
            "elinewidth": 0.7, "markeredgewidth": 0.7, "zorder": 3,
            "label": f"{each['device']} ({each['energy_source']})",
        }  # fmt: skip
        if source_of(each["energy_source"]).stands_in:
            style["markerfacecolor"] = "white"
        height = SPREAD * (0.5 - (number + 0.5) / len(sets))
        widths = np.nan_to_num(own["relative_energy_ci95"].to_numpy(float))
        axes.errorbar(own["relative_energy"], own["system"].map(rows) + height, xerr=widths, **style)
    for row in rows.values():
        axes.axhline(row, color=GRID, linewidth=0.5, zorder=0)
    axes.axvline(1.0, color=LINE, linewidth=0.7, zorder=1)
    axes.set_xscale("log")
    number_ticks(axes.xaxis, *axes.get_xlim())
    axes.set_ylim(-0.6, max(len(systems), 1) - 0.4)
    axes.set_yticks(list(rows.values()), [labels[system] for system in rows], color=INK)
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel(f"Energy per second of audio, {name} = 1")
    figure.legend(loc="outside upper left", frameon=False, ncols=1, handletextpad=0.3)
    return figure
