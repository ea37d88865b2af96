"""Pareto optimality for any number of objectives, each minimised or maximised.

Letters of shapes: N points, K objectives. Throughout, `values` is an (N, K) array of numbers and `directions` has one
`"min"` or `"max"` per column. Infinite values are allowed, NaN is not: a missing value must be left out by the caller,
who knows why it is missing.

Source: Douwes et al. 2023, section 4.1. A point a dominates b if a is at least as good as b in every objective and
better in one; a point that none dominates is Pareto optimal. Two equal points therefore never dominate each other:
they are both optimal, or both dominated.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

DIRECTIONS = ("min", "max")
BLOCK_ROWS = 256


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
    distinct, place = np.unique(costs, axis=0, return_inverse=True)
    match costs.shape[1]:
        case 1:
            kept = np.arange(len(distinct)) == 0
        case 2:
            kept = _optimal_of_two(distinct)
        case 3:
            kept = _optimal_of_three(distinct)
        case _:
            kept = _optimal_of_many(distinct)
    return kept[place.reshape(-1)]


def optimal_within(values: np.ndarray, directions: Sequence[str], groups: ArrayLike) -> np.ndarray:
    """Which points are Pareto optimal among those of their own group (N,): the sub-fronts of families."""
    names = np.asarray(groups)
    if names.shape != (len(values),):
        raise ValueError(f"{names.size} groups for {len(values)} points")
    found = np.zeros(len(values), dtype=bool)
    for name in np.unique(names):
        members = names == name
        found[members] = optimal(np.asarray(values)[members], directions)
    return found


def dominators(values: np.ndarray, directions: Sequence[str], among: np.ndarray | None = None) -> list[np.ndarray]:
    """For each point the indices of the points that dominate it; empty for an optimal one. O(N² · K).

    `among` (N,), boolean, restricts the dominating points that are listed, such as to the front.
    """
    costs = as_costs(values, directions)
    listed = np.arange(len(costs)) if among is None else np.flatnonzero(among)
    others = costs[listed]
    return [listed[(others <= point).all(axis=1) & (others < point).any(axis=1)] for point in costs]


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
