"""Which systems differ: Friedman's test over all, Wilcoxon's signed-rank test for each pair, Holm's correction."""

import warnings
from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.listening_test.mean_opinion import participant_means


def friedman_test(table: pd.DataFrame) -> tuple[float, float, int]:
    """Friedman's chi-square over systems, its p-value, and the number of participants who rated all of them.

    Ranks are taken of each participant's mean ratings. The statistic is NaN for fewer than 3 systems or 2 participants.
    """
    means = participant_means(table).dropna()
    if means.shape[1] < 3 or len(means) < 2:
        return float("nan"), float("nan"), len(means)
    result = stats.friedmanchisquare(*(means[system] for system in means))
    return float(result.statistic), float(result.pvalue), len(means)


def pairwise_tests(table: pd.DataFrame, alpha: float) -> pd.DataFrame:
    """Wilcoxon's signed-rank test for every pair of systems, two-sided, on the mean ratings of each participant.

    Columns: system_a, system_b, mean_difference (a − b, over participants who rated both), n_participants, statistic,
    p_value, p_holm (over all pairs), significant. Tests are empty where no participant rated both.

    Args:
        table: Ratings with the columns participant, system, rating.
        alpha: The level of significance.
    """
    means = participant_means(table)
    ranked = means.mean().sort_values(ascending=False, kind="stable").index
    rows = []
    for better, worse in combinations(ranked, 2):
        differences = (means[better] - means[worse]).dropna().to_numpy()
        statistic, p_value = signed_rank_test(differences)
        mean = differences.mean() if len(differences) else np.nan
        rows.append((better, worse, mean, len(differences), statistic, p_value))
    columns = ["system_a", "system_b", "mean_difference", "n_participants", "statistic", "p_value"]
    result = pd.DataFrame(rows, columns=columns)
    result["p_holm"] = holm_adjusted(result["p_value"].to_numpy(float))
    result["significant"] = (result["p_holm"] < alpha).astype("boolean").where(result["p_holm"].notna())
    return result


def signed_rank_test(differences: np.ndarray) -> tuple[float, float]:
    """Wilcoxon's statistic and two-sided p-value of paired differences; no difference at all has p = 1."""
    if not len(differences):
        return float("nan"), float("nan")
    if not np.any(differences):
        return 0.0, 1.0
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # of small samples, whose number is in the table
        result = stats.wilcoxon(differences)
    return float(result.statistic), float(result.pvalue)


def holm_adjusted(p_values: Sequence[float] | np.ndarray) -> np.ndarray:
    """p-values adjusted by Holm's step-down method (1979); NaN are no tests and stay NaN."""
    p_values = np.asarray(p_values, float)
    adjusted = np.full(p_values.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(p_values))
    order = tested[np.argsort(p_values[tested], kind="stable")]
    steps = p_values[order] * np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(steps), 1.0)
    return adjusted
