"""One scatter as figure 2 of the paper draws it: linear axes, models by marker, sizes by colour, red rings."""

from typing import Any

import seaborn
from matplotlib.axes import Axes

from vocoder_pareto.analysis.doubts import MARK
from vocoder_pareto.analysis.figure_style import OPTIMAL, size_colours
from vocoder_pareto.analysis.pareto_panel import Look, Panel
from vocoder_pareto.tables.columns import model_label, size_rank

MARKER_AREA = 30
RING_AREA = 110


def draw_paper_panel(axes: Axes, panel: Panel, look: Look, with_legend: bool) -> None:
    """Draw the systems of a panel, circle the optimal ones in red, and name families and sizes in a legend."""
    table = panel.front.table.assign(x=panel.shown(panel.x), y=panel.shown(panel.y))
    table["Model"] = [model_label(model, look.labels) for model in table["model"]]
    table["Size"] = table["size"]
    colours = size_colours(look.settings, list(table["size"]), list(table["model"]))
    colours = {size: colours[size] for size in sorted(set(table["size"]), key=size_rank)}
    told_apart: dict[str, Any] = {"color": next(iter(colours.values()))}
    if len(colours) > 1:
        told_apart = {"hue": "Size", "palette": colours}
    if table["Model"].nunique() > 1:
        markers = {name: look.marker(model) for name, model in zip(table["Model"], table["model"], strict=True)}
        told_apart |= {"style": "Model", "markers": markers}
    with_legend = with_legend and ("hue" in told_apart or "style" in told_apart)
    seaborn.scatterplot(
        table, x="x", y="y", **told_apart, legend="full" if with_legend else False,
        s=MARKER_AREA, linewidth=0.4, edgecolor="black", ax=axes, zorder=3,
    )  # fmt: skip
    for row in table[panel.doubtful()].to_dict("records"):
        axes.annotate(MARK, (row["x"], row["y"]), xytext=(4, 3), textcoords="offset points")
    optimal = table[table["on_front"]]
    axes.scatter(
        optimal["x"], optimal["y"], s=RING_AREA, facecolors="none", edgecolors=OPTIMAL, linewidths=1.2, zorder=4
    )
    if with_legend:
        axes.legend(loc="center left", bbox_to_anchor=(1.0, 0.5), frameon=False, handletextpad=0.2, borderaxespad=0.2)
