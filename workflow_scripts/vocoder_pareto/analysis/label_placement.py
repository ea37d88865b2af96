"""Labels beside points of a scatter so that none covers another, a marker, or leaves the axes.

Candidates around each point are compared by a cost, and labels are placed again in rounds until none moves. The result
depends on nothing but the figure, unlike a simulation of forces that stops by the clock.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.text import Annotation, Text

from vocoder_pareto.analysis.figure_style import renderer_of

ANGLES = np.deg2rad(np.arange(0, 360, 15))
DISTANCES_POINTS = (0.9, 2.0, 3.3, 5.0, 8.0, 12.0, 17.0, 23.0)
ROUNDS = 8
LEADER_COLOUR = "#8a95a0"
LEADER_POINTS = 5.0  # a label farther away than this gets a thin line to its point
LEADER_CLEARANCE = 1.5  # points
LEADER_COST = 4.0
OVERLAP_COST = 50.0  # per square point of a marker or label that is covered
LINE_COST = 1.6  # per point of a line that is covered
OUTSIDE_COST = 1000.0
NEIGHBOUR_COST = 0.8  # per point that another marker is nearer than NEIGHBOUR_POINTS: whose label is it?
NEIGHBOUR_POINTS = 7.0
DISTANCE_COST = 1.6  # per point of distance


@dataclass(frozen=True)
class Label:
    """Text for the point (x, y) in data coordinates, its marker's radius in points, and keywords of `Axes.annotate`."""

    text: str
    x: float
    y: float
    radius: float
    style: dict[str, Any]


def clear_of_markers(axes: Axes, texts: Sequence[Text], labels: Sequence[Label]) -> list[Text]:
    """Take out those of `texts` that cover a marker of `labels`, and return the others.

    The limits of the axes and the layout of the figure must be final.
    """
    clear = []
    for text in texts:
        box = text.get_window_extent(renderer_of(axes.figure))
        for label in labels:
            x, y = axes.transData.transform((label.x, label.y))
            radius = label.radius * axes.figure.dpi / 72
            if box.x0 < x + radius and box.x1 > x - radius and box.y0 < y + radius and box.y1 > y - radius:
                text.remove()
                break
        else:
            clear.append(text)
    return clear


def place_labels(
    axes: Axes, labels: Sequence[Label], lines: Sequence[np.ndarray] = (), texts: Sequence[Text] = ()
) -> list[Annotation]:
    """Write `labels` beside their points, away from `texts` and, where possible, from `lines` (N, 2), in data units.

    The limits of the axes and the layout of the figure must be final.
    """
    if not labels:
        return []
    points_per_pixel = 72 / axes.figure.dpi
    centres = axes.transData.transform([(label.x, label.y) for label in labels]) * points_per_pixel
    radii = np.array([label.radius for label in labels])
    markers = np.column_stack([centres - radii[:, None], centres + radii[:, None]])
    frame = np.array(axes.get_window_extent().extents) * points_per_pixel
    # An interval that reaches below zero is endless on a logarithmic axis: lines count as far as they can be seen.
    seen = [np.clip(axes.transData.transform(line) * points_per_pixel, frame[:2], frame[2:]) for line in lines]
    along = np.concatenate([_sampled(line) for line in seen] or [np.empty((0, 2))])
    written = [axes.annotate(label.text, (label.x, label.y), **label.style) for label in labels]
    renderer = renderer_of(axes.figure)
    extents = [text.get_window_extent(renderer) for text in written]
    sizes = np.array([(extent.width, extent.height) for extent in extents]) * points_per_pixel
    boxes_of_texts = np.array([text.get_window_extent(renderer).extents for text in texts]) * points_per_pixel
    taken = np.concatenate([markers, boxes_of_texts.reshape(-1, 4)])

    candidates = [_candidates(centre, radius, size) for centre, radius, size in zip(centres, radii, sizes, strict=True)]
    fixed = [
        _fixed_cost(*candidates[index], taken, frame, along)
        + _neighbour_cost(candidates[index][0], index, markers)
        + _leader_cost(*candidates[index], centres[index], radii[index], along)
        for index in range(len(labels))
    ]
    chosen = [int(np.argmin(cost)) for cost in fixed]
    for _ in range(ROUNDS):
        before = list(chosen)
        for index, (boxes, _) in enumerate(candidates):
            others = np.array([candidates[k][0][chosen[k]] for k in range(len(labels)) if k != index]).reshape(-1, 4)
            cost = fixed[index] + OVERLAP_COST * _overlap(boxes, others, margin=0.6).sum(axis=1)
            chosen[index] = int(np.argmin(cost))
        if chosen == before:
            break
    for index, text in enumerate(written):
        boxes, away = candidates[index]
        box = boxes[chosen[index]]
        text.set_position(box[:2] - centres[index])
        text.anncoords = "offset points"
        text.set_horizontalalignment("left")
        text.set_verticalalignment("bottom")
        if away[chosen[index]] >= LEADER_POINTS:
            _draw_leader(axes, labels[index], centres[index], box)
    return written


def _candidates(centre: np.ndarray, radius: float, size: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Boxes (C, 4) as left, bottom, right, top that touch circles around the point, and their distances (C,)."""
    angles, distances = (grid.ravel() for grid in np.meshgrid(ANGLES, DISTANCES_POINTS))
    direction = np.column_stack([np.cos(angles), np.sin(angles)])
    touching = centre + direction * (radius + 0.5 + distances)[:, None]
    # The side of the box that faces the point slides with the angle, so that the box stays clear of the marker.
    corner = touching - size * (1 - np.clip(direction * 1.42, -1, 1)) / 2
    return np.column_stack([corner, corner + size]), distances


def _fixed_cost(
    boxes: np.ndarray, away: np.ndarray, taken: np.ndarray, frame: np.ndarray, along: np.ndarray
) -> np.ndarray:
    outside = np.maximum(frame[:2] - boxes[:, :2], 0).sum(axis=1) + np.maximum(boxes[:, 2:] - frame[2:], 0).sum(axis=1)
    inside = (along[None] >= boxes[:, None, :2]).all(axis=2) & (along[None] <= boxes[:, None, 2:]).all(axis=2)
    return (
        OVERLAP_COST * _overlap(boxes, taken).sum(axis=1)
        + LINE_COST * inside.sum(axis=1)
        + OUTSIDE_COST * outside
        + DISTANCE_COST * away
    )


def _leader_cost(
    boxes: np.ndarray, away: np.ndarray, centre: np.ndarray, radius: float, along: np.ndarray
) -> np.ndarray:
    """A label with a leader costs more, most of all where the leader would run along a line and look like it."""
    cost = LEADER_COST * (away >= LEADER_POINTS)
    reach = radius + max(DISTANCES_POINTS) + LEADER_CLEARANCE + 1
    along = along[(np.abs(along - centre) < reach).all(axis=1)]
    for index in np.flatnonzero(away >= LEADER_POINTS):
        end = np.clip(centre, boxes[index, :2], boxes[index, 2:])
        length = np.hypot(*(end - centre))
        places = np.arange(radius, length)[:, None] / length * (end - centre) + centre
        near = np.hypot(*(places[:, None] - along[None]).transpose(2, 0, 1)) < LEADER_CLEARANCE
        cost[index] += LINE_COST * near.any(axis=1).sum()
    return cost


def _neighbour_cost(boxes: np.ndarray, index: int, markers: np.ndarray) -> np.ndarray:
    others = np.delete(markers, index, axis=0)
    gaps = np.maximum(others[None, :, :2] - boxes[:, None, 2:], boxes[:, None, :2] - others[None, :, 2:])
    distances = np.hypot(*np.maximum(gaps, 0).transpose(2, 0, 1))
    return NEIGHBOUR_COST * np.maximum(NEIGHBOUR_POINTS - distances, 0).sum(axis=1)


def _overlap(boxes: np.ndarray, others: np.ndarray, margin: float = 0.0) -> np.ndarray:
    """Areas that boxes (A, 4) share with others (B, 4), grown by `margin`, as (A, B)."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2] - margin)
    high = np.minimum(boxes[:, None, 2:], others[None, :, 2:] + margin)
    return np.maximum(high - low, 0).prod(axis=2)


def _sampled(line: np.ndarray) -> np.ndarray:
    """Points one typographic point apart along a polyline."""
    pieces = []
    for start, end in pairwise(line):
        steps = max(2, int(np.hypot(*(end - start))))
        pieces.append(start + np.linspace(0, 1, steps)[:, None] * (end - start))
    return np.concatenate(pieces) if pieces else np.empty((0, 2))


def _draw_leader(axes: Axes, label: Label, centre: np.ndarray, box: np.ndarray) -> None:
    nearest = np.clip(centre, box[:2], box[2:])
    arrow = {"arrowstyle": "-", "color": LEADER_COLOUR, "linewidth": 0.4, "shrinkA": 0.3, "shrinkB": label.radius}
    axes.annotate(
        "", (label.x, label.y), xytext=nearest - centre, textcoords="offset points", arrowprops=arrow, zorder=2.5
    )
