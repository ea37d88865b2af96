"""Which differences a test can find, and how many participants or sentences would separate two systems that are close.

The power is that of the pairwise test itself (`comparisons`): of Student's test with the variance and the degrees of
freedom of the mixed model. The power for the difference that a test has found is not reported: it says no more than the
p-value does (Hoenig and Heisey 2001).
"""

import itertools

import numpy as np
import pandas as pd
from scipy import optimize, special

from vocoder_pareto.listening_test.fitted_ratings import FittedRatings, Variance
from vocoder_pareto.listening_test.mean_opinion import participant_means

MOST_LEVELS = 100_000  # participants or sentences
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(200)  # of the interval from -1 to 1
_LARGEST_SHIFT = 1e9
_COUNTS = ("n_participants_needed", "n_utterances_needed")


def power_of(shift: float, degrees_of_freedom: float, alpha: float) -> float:
    """Power of a two-sided Student's test: the chance that a statistic of noncentral distribution is significant.

    It is the mean, over the standard deviations that may be estimated, of the power where they are known; other than
    SciPy's distribution it has a value for very small levels, good to half a percent with one degree of freedom and far
    better with more.

    Args:
        shift: The true difference over its standard error.
        degrees_of_freedom: Of the standard error (>= 1).
        alpha: The level of significance.
    """
    critical = -special.stdtrit(degrees_of_freedom, alpha / 2)
    half = degrees_of_freedom / 2
    spread = np.sqrt(special.gammaincinv(half, (_NODES + 1) / 2) / half)
    found = special.ndtr(shift - critical * spread) + special.ndtr(-shift - critical * spread)
    return float(_WEIGHTS @ found / 2)


def shift_needed(degrees_of_freedom: float, alpha: float, power: float) -> float:
    """The difference, in standard errors, that a two-sided Student's test finds with this power; see `power_of`."""
    if not np.isfinite(degrees_of_freedom):
        return float("nan")
    if power <= alpha:
        return 0.0
    return float(
        optimize.brentq(lambda shift: power_of(shift, degrees_of_freedom, alpha) - power, 0, _LARGEST_SHIFT, rtol=1e-6)
    )


def levels_needed(
    difference: float,
    shrinking: tuple[float, float],
    fixed: tuple[float, float],
    now: int,
    alpha: float,
    power: float,
    single: float = 0.0,
) -> int | None:
    """Participants (or sentences) with which a test finds a difference; None where no number up to 100,000 does.

    The degrees of freedom of the fixed part grow too, since what is left of single ratings in it is estimated with it.

    Args:
        difference: The true difference, in points.
        shrinking: The part of its variance that is divided by the number of participants, and its degrees of freedom.
        fixed: The part that is not, and its degrees of freedom.
        now: The number of participants that both were estimated with (>= 2).
        alpha: The level of significance.
        power: The power to aim at.
        single: What single ratings have of the shrinking part.
    """

    def is_found(levels: int) -> bool:
        variances = np.array([shrinking[0] * now / levels, fixed[0]])
        clearer = (fixed[0] + single) / (fixed[0] + single * now / levels) if fixed[0] else 1.0
        degrees = np.array([shrinking[1] * (levels - 1) / (now - 1), fixed[1] * clearer**2])
        total = variances.sum()
        satterthwaite = total**2 / np.sum(variances**2 / degrees)
        return power_of(abs(difference) / np.sqrt(total), max(satterthwaite, 1.0), alpha) >= power

    if not difference or not np.isfinite(difference) or not np.isfinite(shrinking[1]) or not is_found(MOST_LEVELS):
        return None
    low, high = 1, 2
    while not is_found(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if is_found(middle) else (middle, high)
    return high


def power_table(fitted: FittedRatings, table: pd.DataFrame, alpha: float, power: float) -> pd.DataFrame:
    """Neighbours in the ranking: which difference this test finds, and what would separate them.

    Columns: system_a, system_b, mean_difference, sd_of_differences (of participants' means), n_participants,
    detectable_difference (the true difference, in points, that a test like this one finds with `power`),
    n_participants_needed (to find a true difference as large as the mean one, on as many sentences),
    n_utterances_needed (with as many participants, who rate all), and the same `_all_pairs`: at alpha / number of all
    pairs, the strictest step of Holm's correction. Empty where no number is enough or nothing is known.

    Args:
        fitted: The mixed model, fitted to `table`.
        table: Ratings with the columns participant, system, rating.
        alpha: The level of significance.
        power: The power to aim at.
    """
    means = participant_means(table)
    ranked = np.argsort(-fitted.mos, kind="stable")
    pairs = max(len(ranked) * (len(ranked) - 1) // 2, 1)
    rows = []
    for pair in itertools.pairwise(ranked):
        names = [fitted.systems[index] for index in pair]
        differences = (means[names[0]] - means[names[1]]).dropna()
        row = {
            "system_a": names[0],
            "system_b": names[1],
            "mean_difference": fitted.mos[pair[0]] - fitted.mos[pair[1]],
            "sd_of_differences": differences.std(ddof=1) if len(differences) > 1 else np.nan,
            "n_participants": len(differences),
        }
        for suffix, level in (("", alpha), ("_all_pairs", alpha / pairs)):
            row |= {f"{name}{suffix}": value for name, value in needed(fitted, pair, level, power).items()}
        rows.append(row)
    columns = ["system_a", "system_b", "mean_difference", "sd_of_differences", "n_participants"]
    measures = [f"{name}{end}" for name in ("detectable_difference", *_COUNTS) for end in ("", "_all_pairs")]
    counts = [name for name in measures if name.startswith(_COUNTS)]
    return pd.DataFrame(rows, columns=columns + measures).astype(dict.fromkeys(counts, "Int64"))


def needed(
    fitted: FittedRatings, pair: tuple[int, int], alpha: float, power: float, difference: float | None = None
) -> dict[str, float | int | None]:
    """The difference that is found between a pair of systems, and what is needed to find `difference`.

    Args:
        fitted: The mixed model of a test.
        pair: The numbers of the two systems.
        alpha: The level of significance.
        power: The power to aim at.
        difference: In points; None for the one between their MOS.
    """
    wanted = fitted.mos[pair[0]] - fitted.mos[pair[1]] if difference is None else difference
    splits = (fitted.by_listeners, fitted.design.n_participants), (fitted.by_sentences, fitted.design.n_utterances)
    known = np.nan_to_num([fitted.differences.values[pair], *(fixed.values[pair] for (_, fixed), _ in splits)])
    single = max(known[0] - known[1] - known[2], 0.0)
    counts = (
        levels_needed(wanted, _part(shrinking, pair), _part(fixed, pair), now, alpha, power, single)
        if now > 1
        else None
        for (shrinking, fixed), now in splits
    )
    found = {"detectable_difference": detectable_difference(fitted, pair, alpha, power)}
    return found | dict(zip(_COUNTS, counts, strict=True))


def detectable_difference(fitted: FittedRatings, pair: tuple[int, int], alpha: float, power: float) -> float:
    """The true difference between a pair of systems, in points, that the test finds so often; NaN for no test."""
    error, degrees = np.sqrt(fitted.differences.values[pair]), fitted.differences.degrees_of_freedom[pair]
    return float(error * shift_needed(degrees, alpha, power))


def _part(variance: Variance, pair: tuple[int, int]) -> tuple[float, float]:
    """Value and degrees of freedom of one variance; nothing known is none, with the degrees of a known one."""
    value = variance.values[pair]
    return (0.0, np.inf) if np.isnan(value) else (value, variance.degrees_of_freedom[pair])
