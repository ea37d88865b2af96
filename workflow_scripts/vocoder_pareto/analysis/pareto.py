"""Pareto optimality for any number of objectives, each minimised or maximised.

Letters of shapes: N points, K objectives. Throughout, `values` is an (N, K) array of numbers and `directions` has one
`"min"` or `"max"` per column. Infinite values are allowed, NaN is not: a missing value must be left out by the caller,
who knows why it is missing.

Source: Douwes et al. 2023, section 4.1. A point a dominates b if a is at least as good as b in every objective and
better in one; a point that none dominates is Pareto optimal. Two equal points therefore never dominate each other:
they are both optimal, or both dominated.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike

DIRECTIONS = ("min", "max")
BLOCK_ROWS = 256
BLOCK_CELLS = 4_000_000  # pairs of points that are compared at once


def as_costs(values: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """The (N, K) `values` as costs, float64 and all to be minimised: columns to maximise change their sign.

    Raises:
        ValueError: not two-dimensional, no column, NaN, or `directions` that do not fit.
    """
    costs = np.array(values, dtype=np.float64)
    if costs.ndim != 2 or costs.shape[1] == 0:
        raise ValueError(f"values have shape {costs.shape}; expected (points, objectives) with at least one objective")
    unknown = [direction for direction in directions if direction not in DIRECTIONS]
    if unknown:
        raise ValueError(f"direction {unknown[0]!r} is unknown; allowed: {', '.join(DIRECTIONS)}")
    if len(directions) != costs.shape[1]:
        raise ValueError(f"{len(directions)} directions for {costs.shape[1]} objectives")
    if np.isnan(costs).any():
        row, column = np.argwhere(np.isnan(costs))[0]
        raise ValueError(f"the value of point {row} in objective {column} is NaN; leave incomplete points out")
    costs[:, [direction == "max" for direction in directions]] *= -1
    return costs


def dominates(one: Sequence[float], other: Sequence[float], directions: Sequence[str]) -> bool:
    """Whether point `one` dominates point `other` (K values each): nowhere worse and somewhere better."""
    first, second = as_costs(np.array([one, other]), directions)
    return bool((first <= second).all() and (first < second).any())


def optimal(values: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """Which of the points are Pareto optimal, as a boolean array (N,).

    O(N log N) for two and three objectives (three: plus an insertion into a sorted list per optimal point); for more,
    O(N · points on the front), in blocks of vectorised comparisons.
    """
    costs = as_costs(values, directions)
    if len(costs) == 0:
        return np.zeros(0, dtype=bool)
    # Distinct points in lexicographic order: whatever dominates a point stands before it.
    order = np.lexsort(costs.T[::-1])
    ordered = costs[order]
    is_new = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    distinct = ordered[is_new]
    match costs.shape[1]:
        case 1:
            kept = np.arange(len(distinct)) == 0
        case 2:
            kept = _optimal_of_two(distinct)
        case 3:
            kept = _optimal_of_three(distinct)
        case _:
            kept = _optimal_of_many(distinct)
    found = np.empty(len(costs), dtype=bool)
    found[order] = kept[np.cumsum(is_new) - 1]
    return found


def optimal_within(values: np.ndarray, directions: Sequence[str], groups: ArrayLike) -> np.ndarray:
    """Which points are Pareto optimal among those of their own group (N,): the sub-fronts of families."""
    names = np.asarray(groups)
    if names.shape != (len(values),):
        raise ValueError(f"{names.size} groups for {len(values)} points")
    found = np.zeros(len(values), dtype=bool)
    _, numbers = np.unique(names, return_inverse=True)
    order = np.argsort(numbers, kind="stable")
    for members in np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1):
        found[members] = optimal(np.asarray(values)[members], directions)
    return found


def is_dominated(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Which of the `points` (N, K) one of the `others` (M, K) dominates (N,); all are costs, without NaN.

    O((N + M) log M) for two objectives; for others, O(N · K · optimal ones of M).
    """
    best = others[optimal(others, ["min"] * others.shape[1])]
    found = np.zeros(len(points), dtype=bool)
    if len(best) == 0:
        return found
    if others.shape[1] != 2:
        for block, nowhere_worse in covering(points, best):
            # Of costs that are nowhere worse, equal ones do not dominate.
            found[block] = nowhere_worse.any(axis=1) & ~(points[block] == best[nowhere_worse.argmax(axis=1)]).all(
                axis=1
            )
        return found
    best = best[np.lexsort(best.T[::-1])]  # the first cost rises and the second one falls
    place = np.searchsorted(best[:, 0], points[:, 0], side="right") - 1
    nearest = best[place]  # the least second cost of those that are nowhere worse in the first
    return (place >= 0) & (nearest <= points).all(axis=1) & (nearest < points).any(axis=1)


def dominators(
    values: np.ndarray, directions: Sequence[str], among: np.ndarray | None = None, most: int | None = None
) -> list[np.ndarray]:
    """For each point the indices of the points that dominate it; empty for an optimal one. O(N² · K).

    `among` (N,), boolean, restricts the dominating points that are listed, such as to the front; `most` are listed of
    each point.
    """
    costs = as_costs(values, directions)
    listed = np.arange(len(costs)) if among is None else np.flatnonzero(among)
    found = []
    for block, nowhere_worse in covering(costs, costs[listed]):
        for point, row in zip(costs[block], nowhere_worse, strict=True):
            others = listed[row]
            found.append(others[(costs[others] < point).any(axis=1)][:most])
    return found


def covering(points: np.ndarray, others: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
    """Blocks of the `points` (N, K), and for each which of the `others` (M, K) are nowhere worse: (block, M), boolean.

    All are costs. In blocks, since N · M truth values may not fit the memory.
    """
    size = max(1, BLOCK_CELLS // max(1, len(others)))
    for start in range(0, len(points), size):
        block = slice(start, start + size)
        nowhere_worse = np.ones((len(points[block]), len(others)), dtype=bool)
        for objective in range(points.shape[1]):
            nowhere_worse &= others[None, :, objective] <= points[block, None, objective]
        yield block, nowhere_worse


def _optimal_of_two(costs: np.ndarray) -> np.ndarray:
    best_before = np.minimum.accumulate(costs[:, 1])[:-1]
    return np.concatenate([[True], costs[1:, 1] < best_before])


def _optimal_of_three(costs: np.ndarray) -> np.ndarray:
    """Sweep over the first objective, keeping the front of the other two as a staircase: second up, third down."""
    kept = np.zeros(len(costs), dtype=bool)
    seconds: list[float] = []
    thirds: list[float] = []
    for index, (_, second, third) in enumerate(costs.tolist()):
        step = bisect_right(seconds, second)
        if step and thirds[step - 1] <= third:
            continue
        kept[index] = True
        start = end = bisect_left(seconds, second)
        while end < len(thirds) and thirds[end] >= third:
            end += 1
        seconds[start:end] = [second]
        thirds[start:end] = [third]
    return kept


def _optimal_of_many(costs: np.ndarray) -> np.ndarray:
    kept = np.zeros(len(costs), dtype=bool)
    for start in range(0, len(costs), BLOCK_ROWS):
        block = np.arange(start, min(start + BLOCK_ROWS, len(costs)))
        for before in np.array_split(np.flatnonzero(kept[:start]), max(1, kept[:start].sum() // BLOCK_ROWS)):
            block = block[~_is_covered(costs[block], costs[before])]
        among = np.all(costs[block][:, None] <= costs[block][None], axis=2)  # [a, b]: a is nowhere worse than b
        np.fill_diagonal(among, False)  # the points are distinct, so that nowhere worse means dominates
        kept[block[~among.any(axis=0)]] = True
    return kept


def _is_covered(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.any(np.all(others[:, None] <= points[None], axis=2), axis=0)
