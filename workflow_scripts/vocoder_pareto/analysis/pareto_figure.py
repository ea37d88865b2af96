"""Figures of Pareto fronts: quality against cost (figure 2 of the paper), and pairs of three objectives."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import combinations

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vocoder_pareto.analysis.figure_captions import notes, signs
from vocoder_pareto.analysis.figure_style import SOFT_INK, new_figure, sheet, write_below
from vocoder_pareto.analysis.fronts import Front
from vocoder_pareto.analysis.label_placement import clear_of_markers, place_labels
from vocoder_pareto.analysis.paper_panel import draw_paper_panel
from vocoder_pareto.analysis.pareto_panel import Look, Panel, draw_panel, name_axes
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.tables.sources import PUBLISHED

HEIGHT_PER_WIDTH = 0.92
MOST_IN_A_ROW = 3  # panels; more of them stand in pairs


def panels_of(front: Front) -> list[Panel]:
    """The panels that show a front: one for two objectives, every pair for three."""
    return [Panel(front, x, y) for x, y in combinations(front.names, 2)]


def panels_beside(fronts: Sequence[Front]) -> list[Panel]:
    """The panels of several fronts; those with the same objectives, or of several devices, say which device it is."""
    panels = [panel for front in fronts for panel in panels_of(front)]
    several = len({_device_of(front) for front in fronts} - {""}) > 1
    axes = [panel.axes for panel in panels]
    return [
        replace(panel, title=_device_of(panel.front)) if several or axes.count(panel.axes) > 1 else panel
        for panel in panels
    ]


def draw_fronts(
    panels: Sequence[Panel], settings: FigureSettings, labels: Mapping[str, str], said: str | None = None
) -> Figure:
    """Panels side by side, more than three in pairs, over a caption that says what was drawn; call it within `drawing`.

    Args:
        panels: at least one; a neighbour with the same vertical column does not repeat its label.
        settings: size and style; the width is that of one panel.
        labels: what readers see for each model; their order gives the markers.
        said: of the caption, what stands before the signs; by default what the fronts say of themselves.
    """
    columns, width = sheet(settings, len(panels), MOST_IN_A_ROW if len(panels) <= MOST_IN_A_ROW else 2)
    rows = math.ceil(len(panels) / columns)
    figure = new_figure(width, min(width / columns, settings.width_inches) * HEIGHT_PER_WIDTH * rows)
    fronts = list({id(panel.front): panel.front for panel in panels}.values())
    improved = settings.style == "improved"
    shown = signs(
        any(panel.shows_probabilities(settings) for panel in panels),
        improved and any(len(panel.front.table) and panel.ticks(name) for panel in panels for name in panel.axes),
    )
    said = notes(fronts, labels) if said is None else said
    write_below(figure, f"{said}\n{shown}".strip(), settings)
    look = Look(settings, labels, [model for front in fronts for model in front.table["model"]])
    to_place = []
    places = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in places[len(panels) :]:
        unused.remove()
    for index, (axes, panel) in enumerate(zip(places, panels, strict=False)):
        if not len(panel.front.table):
            _draw_nothing(axes, panel.front)
        elif improved:
            to_place.append((axes, draw_panel(axes, panel, look)))
        else:
            draw_paper_panel(axes, panel, look, with_legend=index == len(panels) - 1)
        name_axes(axes, panel, index % columns > 0 and panel.y == panels[index - 1].y, settings)
    figure.draw_without_rendering()
    figure.set_layout_engine("none")  # labels are placed into what the layout has settled
    for axes, unplaced in to_place:
        names = clear_of_markers(axes, unplaced.tick_names, unplaced.labels)
        place_labels(axes, unplaced.labels, unplaced.lines, [*unplaced.texts, *names])
    return figure


def why_empty(front: Front) -> str:
    """Why a front has no system."""
    if known := front.summary.get("why_empty"):
        return known
    if front.summary.get("not_judged"):
        enough = " for long enough" if front.summary.get("briefly_trained") else ""
        return f"no system was trained{enough}: none is judged"
    return "no system has all values"


def _draw_nothing(axes: Axes, front: Front) -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.text(0.5, 0.5, why_empty(front), transform=axes.transAxes, ha="center", va="center", color=SOFT_INK)


def _device_of(front: Front) -> str:
    sources = front.summary.get("sources", {})
    published = sources.get("energy_source") == [PUBLISHED.word]
    return ", ".join(sources.get("device", [])) + (" (published)" if published else "")
