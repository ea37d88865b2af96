"""What a Pareto front is worth: hypervolume, each point's share of it, the knee, and how sure the front is.

Shapes and directions are those of `pareto`.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from vocoder_pareto.analysis.pareto import as_costs, optimal

NORMAL_QUANTILE_95 = 1.959964  # half-width of a 95 % interval in standard deviations


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
    values: np.ndarray, half_widths: np.ndarray, directions: Sequence[str], draws: int = 10_000, seed: int = 0
) -> np.ndarray:
    """Probability (N,) that each point is Pareto optimal, given the uncertainty of its values.

    Monte Carlo: every value is drawn from a normal distribution around itself, independently of the others, and the
    front of each draw is found. The standard error of the result is at most 0.5 / sqrt(draws).

    Args:
        values: (N, K), as elsewhere.
        half_widths: (N, K), half-widths of the 95 % intervals; 0 or NaN for a value that is taken as exact.
        directions: as elsewhere.
        draws: number of draws, at least 1.
        seed: of the random numbers; equal seeds give equal probabilities.

    Raises:
        ValueError: as `as_costs`; a negative half-width; no draw.
    """
    costs = as_costs(values, directions)
    deviations = np.nan_to_num(np.asarray(half_widths, dtype=np.float64), nan=0.0) / NORMAL_QUANTILE_95
    if deviations.shape != costs.shape:
        raise ValueError(f"half-widths have shape {deviations.shape}, values {costs.shape}")
    if (deviations < 0).any() or draws < 1:
        raise ValueError("half-widths must not be negative, and at least one draw is needed")
    minimised = ["min"] * costs.shape[1]
    if not deviations.any():
        return optimal(costs, minimised).astype(float)
    generator = np.random.default_rng(seed)
    counts = np.zeros(len(costs))
    for _ in range(draws):
        counts += optimal(costs + deviations * generator.standard_normal(costs.shape), minimised)
    return counts / draws


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
