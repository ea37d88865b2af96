"""What a Pareto front is worth: hypervolume, each point's share of it, the knee, and how sure the front is.

Shapes and directions are those of `pareto`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vocoder_pareto.analysis.pareto import as_costs, optimal
from vocoder_pareto.analysis.uncertainty import Uncertainty

MAX_PAIRWISE = 100  # points, up to which comparing all pairs of many draws at once is the faster way
BLOCK_CELLS = 1_000_000  # pairs of points that are compared at once


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
    """What the hypervolume loses without each point (N,): 0 for dominated points and for duplicates."""
    values = np.asarray(values, dtype=np.float64)
    whole = hypervolume(values, directions, reference)
    lost = np.zeros(len(values))
    for index in np.flatnonzero(optimal(values, directions)):
        rest = np.delete(values, index, axis=0)
        lost[index] = whole - hypervolume(rest, directions, reference)
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


def front_probability(
    values: np.ndarray, uncertainty: Uncertainty, directions: Sequence[str], draws: int = 10_000, seed: int = 0
) -> np.ndarray:
    """Probability (N,) that each point is Pareto optimal, given the uncertainty of its values.

    Monte Carlo: what the true values may be is drawn, see `uncertainty`, and the front of each draw is found. The
    standard error of the result is at most 0.5 / sqrt(draws). NaN for all points where of one value nothing is known:
    whether any point is optimal depends on all of them.

    Args:
        values: (N, K), as elsewhere.
        uncertainty: of the same shape.
        directions: as elsewhere.
        draws: number of draws, at least 1.
        seed: of the random numbers; equal seeds give equal probabilities.

    Raises:
        ValueError: as `as_costs`; another shape; no draw.
    """
    values = np.asarray(values, dtype=np.float64)
    costs = as_costs(values, directions)
    if uncertainty.standard_errors.shape != costs.shape:
        raise ValueError(f"the uncertainty has shape {uncertainty.standard_errors.shape}, values {costs.shape}")
    if draws < 1:
        raise ValueError("at least one draw is needed")
    if uncertainty.unknown.any():
        return np.full(len(costs), np.nan)
    if not uncertainty.is_uncertain:
        return optimal(values, directions).astype(float)
    generator = np.random.default_rng(seed)
    counts = np.zeros(len(costs))
    block = max(1, BLOCK_CELLS // max(1, len(costs) ** 2))
    for begin in range(0, draws, block):
        counts += _times_optimal(uncertainty.draws(values, min(block, draws - begin), generator), directions)
    return counts / draws


def _times_optimal(drawn: np.ndarray, directions: Sequence[str]) -> np.ndarray:
    """In how many of the draws (D, N, K) each point (N,) is optimal: by all pairs, or one draw at a time if many."""
    if drawn.shape[1] > MAX_PAIRWISE:
        return np.sum([optimal(values, directions) for values in drawn], axis=0)
    pairs = (len(drawn), drawn.shape[1], drawn.shape[1])  # [draw, a, b]: a beside b
    nowhere_worse, somewhere_better = np.ones(pairs, dtype=bool), np.zeros(pairs, dtype=bool)
    for index, direction in enumerate(directions):
        costs = drawn[..., index] if direction == "min" else -drawn[..., index]  # (D, N)
        one, other = costs[:, :, None], costs[:, None, :]
        nowhere_worse &= one <= other
        somewhere_better |= one < other
    dominated = (nowhere_worse & somewhere_better).any(axis=1)
    return np.asarray((~dominated).sum(axis=0))


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
    depths = np.append(costs[1:, -1], limit[-1]) - costs[:, -1]
    slices = (_volume(costs[: index + 1, :-1], limit[:-1]) * depth for index, depth in enumerate(depths) if depth > 0)
    return float(sum(slices))
