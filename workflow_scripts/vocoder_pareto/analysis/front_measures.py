"""What a Pareto front is worth: hypervolume, each point's share of it, and the knee.

Shapes and directions are those of `pareto`.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vocoder_pareto.analysis.pareto import as_costs, covering, optimal


def hypervolume(values: np.ndarray, directions: Sequence[str], reference: ArrayLike) -> float:
    """Volume of what the points dominate, bounded by the point `reference` (K,), in the product of the units.

    Points that are not better than the reference in every objective add nothing. O(F^(K-1) log F) for F points on the
    front.

    Source: Zitzler and Thiele 1999, by slicing along the objectives.
    """
    costs = as_costs(values, directions)
    limit = as_costs(np.array([reference], dtype=np.float64), directions)[0]
    return _volume(costs[(costs < limit).all(axis=1)], limit)


def hypervolume_contributions(values: np.ndarray, directions: Sequence[str], reference: ArrayLike) -> np.ndarray:
    """What the hypervolume loses without each point (N,): 0 for dominated points and for duplicates.

    Without an optimal point, the points that it alone dominates become optimal, and make up for a part of it.
    O(N · F) for F optimal points and two objectives; for others, F hypervolumes.
    """
    costs = as_costs(values, directions)
    limit = as_costs(np.array([reference], dtype=np.float64), directions)[0]
    lost = np.zeros(len(costs))
    inside = np.flatnonzero((costs < limit).all(axis=1))
    is_optimal = optimal(costs[inside], ["min"] * len(limit))
    front, place, copies = np.unique(costs[inside][is_optimal], axis=0, return_inverse=True, return_counts=True)
    successors = _covered_by_one_alone(costs[inside][~is_optimal], front)
    lost_without = _lost_without_one_of_two if len(limit) == 2 else _lost_without_one
    alone = np.zeros(len(front))
    for index in np.flatnonzero(copies == 1).tolist():
        alone[index] = lost_without(front, index, successors.get(index, front[:0]), limit)
    lost[inside[is_optimal]] = alone[place.reshape(-1)]
    return lost


def knee(values: np.ndarray, directions: Sequence[str]) -> int | None:
    """Index of the optimal point that gives up least of every objective, or None where no point stands out.

    The front is scaled to 0 (best) … 1 (worst on the front) in each objective. The knee is the point farthest below
    the plane on which the scaled costs sum to 1; with two objectives that is the line through the front's two ends.

    Source: Das 1999, "On characterizing the 'knee' of the Pareto curve".
    """
    costs = as_costs(values, directions)
    front = np.flatnonzero(optimal(values, directions))
    if len(front) == 0:
        return None
    low = costs[front].min(axis=0)
    span = costs[front].max(axis=0) - low
    if not np.isfinite(span).all():
        raise ValueError("the knee of a front with infinite values is not defined")
    sums = ((costs[front] - low) / np.where(span > 0, span, 1.0)).sum(axis=1)
    best = int(np.argmin(sums))
    return int(front[best]) if len(np.unique(sums)) > 1 and sums[best] < 1 - 1e-12 else None


def _covered_by_one_alone(points: np.ndarray, front: np.ndarray) -> dict[int, np.ndarray]:
    """The points (…, K) that a single point of the front dominates, by its index there."""
    owners = np.full(len(points), -1)
    for block, nowhere_worse in covering(points, front):
        owners[block] = np.where(nowhere_worse.sum(axis=1) == 1, nowhere_worse.argmax(axis=1), -1)
    order = np.argsort(owners, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(owners[order])) + 1)
    return {int(owners[group[0]]): points[group] for group in groups if len(group) and owners[group[0]] >= 0}


def _lost_without_one(front: np.ndarray, index: int, successors: np.ndarray, limit: np.ndarray) -> float:
    rest = np.concatenate([np.delete(front, index, axis=0), successors])
    return _volume(front, limit) - _volume(rest, limit)


def _lost_without_one_of_two(front: np.ndarray, index: int, successors: np.ndarray, limit: np.ndarray) -> float:
    """The rectangle up to the two neighbours on the front, whose first cost rises, less what successors cover of it."""
    right = front[index + 1, 0] if index + 1 < len(front) else limit[0]
    top = front[index - 1, 1] if index else limit[1]
    corner = np.array([right, top])
    inside = successors[(successors < corner).all(axis=1)]
    return float((corner - front[index]).prod()) - _volume(inside, corner)


def _volume(costs: np.ndarray, limit: np.ndarray) -> float:
    if len(costs) == 0:
        return 0.0
    if costs.shape[1] == 1:
        return float(limit[0] - costs.min())
    costs = costs[optimal(costs, ["min"] * costs.shape[1])]
    if costs.shape[1] == 2:
        costs = costs[np.argsort(costs[:, 0], kind="stable")]
        heights = limit[1] - costs[:, 1]
        return float(((np.append(costs[1:, 0], limit[0]) - costs[:, 0]) * heights).sum())
    costs = costs[np.argsort(costs[:, -1], kind="stable")]
    if costs.shape[1] == 3:
        return _volume_of_three(costs, limit)
    depths = np.append(costs[1:, -1], limit[-1]) - costs[:, -1]
    slices = (_volume(costs[: index + 1, :-1], limit[:-1]) * depth for index, depth in enumerate(depths) if depth > 0)
    return float(sum(slices))


def _volume_of_three(costs: np.ndarray, limit: np.ndarray) -> float:
    """Sweep over the third objective, keeping the area that the staircase of the other two dominates.

    Source: Beume et al. 2009, "On the complexity of computing the hypervolume indicator".
    """
    volume = area = 0.0
    before = limit[2]
    firsts: list[float] = []
    seconds: list[float] = []
    for first, second, third in costs.tolist():
        volume += area * (third - before) if area else 0.0
        before = third
        step = bisect_right(firsts, first)
        if step and seconds[step - 1] <= second:
            continue
        start = end = bisect_left(firsts, first)
        left, top = first, seconds[start - 1] if start else limit[1]
        while end < len(firsts) and seconds[end] >= second:
            area += (firsts[end] - left) * (top - second)
            left, top = firsts[end], seconds[end]
            end += 1
        right = firsts[end] if end < len(firsts) else limit[0]
        area += (right - left) * (top - second)
        firsts[start:end] = [first]
        seconds[start:end] = [second]
    return float(volume + area * (limit[2] - before))
