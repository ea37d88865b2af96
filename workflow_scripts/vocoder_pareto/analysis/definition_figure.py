"""Figure 1 of the paper: what a Pareto front is, shown on made-up points whose two objectives are minimised."""

from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from vocoder_pareto.analysis.figure_style import (
    DOMINATED,
    INK,
    OPTIMAL,
    SOFT_INK,
    layout_of,
    new_figure,
    points,
    write_below,
)
from vocoder_pareto.analysis.pareto import optimal
from vocoder_pareto.study.sections.analysis import FigureSettings

POINTS = np.array(
    [
        (0.9, 8.1), (1.5, 5.6), (2.5, 3.9), (4.1, 2.6), (6.0, 1.7), (8.6, 1.2),
        (2.3, 7.4), (3.3, 5.9), (5.9, 4.4), (3.7, 8.5), (5.4, 6.6), (6.2, 3.6), (7.2, 5.3), (7.8, 7.7), (8.2, 3.0),
        (5.9, 8.9), (9.1, 5.9),
    ]
)  # fmt: skip
DOMINATING_POINT, DOMINATED_POINT = 2, 10  # the example, x_a and x_b
END = 10.0  # of both axes
HEIGHT_PER_WIDTH = 0.78
CAPTION = (
    "Both objectives are minimised. Red points are Pareto optimal: no other point is at least as good in both and "
    "better in one. All that lies above and to the right of a point, as the shaded area of $x_a$, is dominated by it."
)


def draw_definition(settings: FigureSettings) -> Figure:
    """Draw the figure; call it within `figure_style.drawing`."""
    with matplotlib.rc_context({"text.parse_math": True}):  # its words are ours, and hold formulas
        return _drawn(settings)


def _drawn(settings: FigureSettings) -> Figure:
    front = optimal(POINTS, ("min", "min"))
    ordered = POINTS[front][np.argsort(POINTS[front][:, 0])]
    figure = new_figure(settings.width_inches, settings.width_inches * HEIGHT_PER_WIDTH)
    axes = figure.subplots()
    if settings.style == "improved":
        write_below(figure, CAPTION, settings)
        _draw_dominated_area(axes, POINTS[DOMINATING_POINT])
        _draw_steps(axes, ordered, points(settings, 0))
        _draw_example(axes, POINTS[DOMINATING_POINT], POINTS[DOMINATED_POINT], points(settings, 0))
    else:
        axes.plot(*ordered.T, color=OPTIMAL, linewidth=0.8, linestyle="--", zorder=1)
    marks: dict[str, Any] = {"s": 26, "linewidths": 0.7, "edgecolors": INK, "zorder": 3}
    axes.scatter(*POINTS[~front].T, facecolors="white", **marks)
    axes.scatter(*POINTS[front].T, facecolors=OPTIMAL, **marks)
    axes.set(xlim=(0, END), ylim=(0, END), xticks=[], yticks=[])
    axes.set_xlabel("$f_1$", loc="right")
    axes.set_ylabel("$f_2$", loc="top", rotation=0)
    layout_of(figure).set(h_pad=0.08)
    for tip, arrowhead in (((1, 0), ">"), ((0, 1), "^")):
        axes.plot(*tip, arrowhead, color=SOFT_INK, markersize=4, transform=axes.transAxes, clip_on=False)
    return figure


def _draw_dominated_area(axes: Axes, point: np.ndarray) -> None:
    x, y = point
    axes.fill_between([x, END], y, END, color=DOMINATED, linewidth=0, zorder=0)
    axes.plot([x, x, END], [END, y, y], color=SOFT_INK, linewidth=0.6, linestyle=(0, (4, 3)), zorder=1)


def _draw_steps(axes: Axes, front: np.ndarray, font_size: float) -> None:
    xs = np.append(np.repeat(front[:, 0], 2), END)
    ys = np.concatenate([[END], np.repeat(front[:, 1], 2)])
    axes.plot(xs, ys, color=OPTIMAL, linewidth=1.0, zorder=1.5)
    axes.annotate(
        "Pareto front", tuple(front[-2]), (4, 4), textcoords="offset points", color=OPTIMAL, fontsize=font_size
    )


def _draw_example(axes: Axes, better: np.ndarray, worse: np.ndarray, font_size: float) -> None:
    style: dict[str, Any] = {"textcoords": "offset points", "fontsize": font_size}
    arrow = {"arrowstyle": "-|>", "color": INK, "linewidth": 0.8, "shrinkA": 4, "shrinkB": 4, "mutation_scale": 7}
    axes.annotate("", tuple(worse), tuple(better), arrowprops=arrow, zorder=2)
    axes.annotate("$x_a$", tuple(better), (-4, -4), ha="right", va="top", **style)
    axes.annotate("$x_b$", tuple(worse), (5, 3), ha="left", va="bottom", **style)
    axes.annotate(r"$x_a \prec x_b$", tuple((better + worse) / 2), (5, -5), ha="left", va="top", **style)
