"""How sure a front is: how often each point is optimal among draws of what the true values may be.

Shapes and directions are those of `pareto`. Few points are compared in pairs, many draws at once. Of many points, those
are left out first that are never optimal in practice (`may_be_optimal`), and each draw is thinned out before it is
sorted (`candidates`); neither changes which points of a draw are optimal.
"""

import math
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
from tqdm import tqdm

from vocoder_pareto.analysis.pareto import as_costs, is_dominated, optimal
from vocoder_pareto.analysis.uncertainty import Uncertainty

MAX_PAIRWISE = 100  # points, up to which comparing all pairs of many draws at once is the faster way
BLOCK_CELLS = 1_000_000  # pairs of points that are compared at once
NEGLIGIBLE = 1e-6  # probability, far below what any number of draws can tell from nothing
DRAWS_PER_TASK = 50
MIN_FOR_THREADS = 5_000  # points, below which threads wait for each other more than for numpy
CHUNK_OF_TWO, CHUNK_OF_MORE = 256, 64  # neighbours that are thinned out together, in two and in more objectives
PATIENCE_SECONDS = 2.0  # before a progress bar appears


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
    if len(costs) <= MAX_PAIRWISE:
        return _times_optimal_of_few(values, uncertainty, directions, draws, seed) / draws
    kept = np.flatnonzero(may_be_optimal(values, uncertainty, directions))
    objectives = _most_uncertain_last(values[kept], uncertainty.standard_errors[kept])
    kept = kept[order_of_neighbours(costs[kept][:, objectives], _chunk_of(len(objectives)))]
    drawn, ways = uncertainty.of(kept, objectives), [directions[index] for index in objectives]
    counts = np.zeros(len(costs))
    counts[kept] = _times_optimal_of_many(values[kept][:, objectives], drawn, ways, draws, seed)
    return counts / draws


def may_be_optimal(values: np.ndarray, uncertainty: Uncertainty, directions: Sequence[str]) -> np.ndarray:
    """Which points (N,) are drawn at all: the probability of every other one is below `NEGLIGIBLE`.

    With a chance of at least 1 - `NEGLIGIBLE`, a draw has all its values between their bounds. A point is left out that
    at its best is still dominated by another one at its worst; so none of them is optimal in such a draw, and what they
    dominate is dominated without them.
    """
    bounds = [as_costs(bound, directions) for bound in uncertainty.bounds(values, NEGLIGIBLE)]
    return ~is_dominated(np.minimum(*bounds), np.maximum(*bounds))


def candidates(costs: np.ndarray, chunk: int) -> np.ndarray:
    """Indices of some of the points (N, K), all to be minimised, among which are all that are optimal.

    The points are taken in chunks of `chunk`. Whatever has less cost than a whole chunk in all objectives but the last
    one dominates those of its points that cost more in the last. The closer the points of a chunk are, the fewer stay.
    """
    whole = len(costs) // chunk * chunk
    chunks = np.ascontiguousarray(costs[:whole].T).reshape(costs.shape[1], -1, chunk)
    best = (np.arange(chunks.shape[1]) * chunk + chunks.argmin(axis=2)).ravel()
    best = costs[best[optimal(costs[best], ["min"] * costs.shape[1])]]
    lowest = chunks[:-1].min(axis=2)
    is_below = (best[:, :-1, None] < lowest[None]).all(axis=1)
    least = np.where(is_below, best[:, -1:], np.inf).min(axis=0, initial=np.inf)
    return np.concatenate([np.flatnonzero(chunks[-1] <= least[:, None]), np.arange(whole, len(costs))])


def _times_optimal_of_few(
    values: np.ndarray, uncertainty: Uncertainty, directions: Sequence[str], draws: int, seed: int
) -> np.ndarray:
    """In how many of the draws each point (N,) is optimal, by comparing all pairs."""
    generator = np.random.default_rng(seed)
    counts = np.zeros(len(values))
    block = max(1, BLOCK_CELLS // max(1, len(values) ** 2))
    for begin in range(0, draws, block):
        drawn = uncertainty.draws(values, min(block, draws - begin), generator)
        pairs = (len(drawn), len(values), len(values))  # [draw, a, b]: a beside b
        nowhere_worse, somewhere_better = np.ones(pairs, dtype=bool), np.zeros(pairs, dtype=bool)
        for index, direction in enumerate(directions):
            costs = drawn[..., index] if direction == "min" else -drawn[..., index]  # (D, N)
            one, other = costs[:, :, None], costs[:, None, :]
            nowhere_worse &= one <= other
            somewhere_better |= one < other
        dominated = (nowhere_worse & somewhere_better).any(axis=1)
        counts += (~dominated).sum(axis=0)
    return counts


def _times_optimal_of_many(
    values: np.ndarray, uncertainty: Uncertainty, directions: Sequence[str], draws: int, seed: int
) -> np.ndarray:
    """In how many of the draws each point (N,) is optimal, by sorting; with a progress bar where it takes a while.

    Tasks have seeds of their own, so that the result does not depend on how many run at once.
    """
    sizes = [min(DRAWS_PER_TASK, draws - begin) for begin in range(0, draws, DRAWS_PER_TASK)]
    seeds = np.random.SeedSequence(seed).spawn(len(sizes))
    counts = np.zeros(len(values))
    task = partial(_times_optimal_of_task, values, uncertainty, directions)
    bar = tqdm(total=draws, desc="Drawing fronts", unit="draw", mininterval=1.0, delay=PATIENCE_SECONDS)
    count = os.cpu_count() if len(values) >= MIN_FOR_THREADS else 1
    with bar, ThreadPoolExecutor(count) as threads:  # numpy computes outside the lock of Python
        for size, found in zip(sizes, threads.map(task, sizes, seeds), strict=True):
            counts += found
            bar.update(size)
    return counts


def _times_optimal_of_task(
    values: np.ndarray, uncertainty: Uncertainty, directions: Sequence[str], draws: int, seed: np.random.SeedSequence
) -> np.ndarray:
    generator = np.random.default_rng(seed)
    counts = np.zeros(len(values))
    minimised, chunk = ["min"] * len(directions), _chunk_of(len(directions))
    for _ in range(draws):
        costs = as_costs(uncertainty.draws(values, 1, generator)[0], directions)
        remaining = candidates(costs, chunk)
        counts[remaining[optimal(costs[remaining], minimised)]] += 1
    return counts


def order_of_neighbours(costs: np.ndarray, chunk: int) -> np.ndarray:
    """An order (N,) in which neighbours have similar costs: slices along the first objective, each along the next.

    The last one is left out. There are about as many slices along each as the chunks of `chunk` points can share.
    """
    order = np.argsort(costs[:, 0], kind="stable")
    chunks = max(1.0, len(order) / chunk)
    for objective in range(1, costs.shape[1] - 1):
        size = math.ceil(len(order) / chunks ** (objective / (costs.shape[1] - 1)))
        slices = [order[start : start + size] for start in range(0, len(order), size)]
        order = np.concatenate([each[np.argsort(costs[each, objective], kind="stable")] for each in slices])
    return order


def _most_uncertain_last(values: np.ndarray, errors: np.ndarray) -> list[int]:
    """An order of the objectives: chunks of neighbours stay close in those that draws change least."""
    middle = np.subtract(*np.quantile(values, (0.9, 0.1), axis=0))
    return list(np.argsort(np.median(errors, axis=0) / np.where(middle > 0, middle, 1.0), kind="stable"))


def _chunk_of(objectives: int) -> int:
    return CHUNK_OF_TWO if objectives == 2 else CHUNK_OF_MORE
