"""Which systems differ: Friedman's test over all, a test of the mixed model for each pair, Holm's correction."""

from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.listening_test.fitted_ratings import FittedRatings
from vocoder_pareto.listening_test.mean_opinion import half_widths, participant_means


def friedman_test(table: pd.DataFrame) -> tuple[float, float, int]:
    """Friedman's chi-square over systems, its p-value, and the number of participants who rated all of them.

    Ranks are taken of each participant's mean ratings, so it holds for these sentences alone. The statistic is NaN for
    fewer than 3 systems or 2 participants.
    """
    means = participant_means(table).dropna()
    if means.shape[1] < 3 or len(means) < 2:
        return float("nan"), float("nan"), len(means)
    result = stats.friedmanchisquare(*(means[system] for system in means))
    return float(result.statistic), float(result.pvalue), len(means)


def pairwise_tests(fitted: FittedRatings, table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Student's test for every pair of systems, two-sided, of the difference of their MOS.

    The variance of the difference is that of the mixed model, with Satterthwaite's degrees of freedom. Listeners and
    sentences are random, and some suit one system more than another: a difference that is found is one that other
    listeners would find, on other sentences where `holds_for` says so.

    Columns: system_a, system_b, mean_difference (a − b, in points), n_participants (who rated both), statistic (t),
    p_value, p_holm (over all pairs), significant, standard_error (points), degrees_of_freedom, difference_ci95 (half
    the width of the 95 % interval of this one difference), holds_for. Tests are empty where nothing is known of the
    variance, as where no two ratings differ.

    Args:
        fitted: The mixed model, fitted to `table`.
        table: Ratings with the columns participant, system.
        alpha: The level of significance.
    """
    rated = pd.crosstab(table["system"], table["participant"]).reindex(fitted.systems).to_numpy() > 0  # (K, P)
    errors, degrees = np.sqrt(fitted.differences.values), fitted.differences.degrees_of_freedom
    half = half_widths(fitted.differences)
    rows = []
    for better, worse in combinations(np.argsort(-fitted.mos, kind="stable"), 2):
        pair = better, worse
        difference = fitted.mos[better] - fitted.mos[worse]
        statistic = difference / errors[pair]
        rows.append(
            {
                "system_a": fitted.systems[better],
                "system_b": fitted.systems[worse],
                "mean_difference": difference,
                "n_participants": int(np.sum(rated[better] & rated[worse])),
                "statistic": statistic,
                "p_value": 2 * stats.t.sf(abs(statistic), degrees[pair]),
                "standard_error": errors[pair],
                "degrees_of_freedom": degrees[pair],
                "difference_ci95": half[pair],
            }
        )
    numbers = ("n_participants", "statistic", "p_value", "standard_error", "degrees_of_freedom", "difference_ci95")
    result = pd.DataFrame(rows, columns=["system_a", "system_b", "mean_difference", *numbers])
    adjusted = holm_adjusted(result["p_value"].to_numpy(float))
    result.insert(6, "p_holm", adjusted)
    known = result["p_holm"].notna()
    result.insert(7, "significant", (result["p_holm"] < alpha).astype("boolean").where(known))
    return result.assign(holds_for=fitted.holds_for)


def holm_adjusted(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values adjusted by Holm's step-down method (1979); NaN are no tests and stay NaN."""
    p_values = np.asarray(p_values, float)
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
