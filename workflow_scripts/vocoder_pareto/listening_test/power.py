"""How many participants a test needs to separate two systems that are close."""

import itertools
import math

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.listening_test.mean_opinion import participant_means

WILCOXON_EFFICIENCY = 3 / math.pi  # of the signed-rank test against Student's, for normal differences
MOST_PARTICIPANTS = 100_000


def power_of(effect: float, participants: int, alpha: float) -> float:
    """Power of a two-sided paired t-test.

    Args:
        effect: The mean of the differences over their standard deviation.
        participants: How many give a difference (>= 2).
        alpha: The level of significance.
    """
    freedom = participants - 1
    critical = stats.t.ppf(1 - alpha / 2, freedom)
    shift = abs(effect) * math.sqrt(participants)
    wrong_direction = stats.nct.cdf(-critical, freedom, shift)  # NaN where it is too small to be computed
    return float(stats.nct.sf(critical, freedom, shift) + np.nan_to_num(wrong_direction))


def participants_needed(effect: float, alpha: float, power: float) -> int | None:
    """Participants that a two-sided Wilcoxon signed-rank test needs; None for more than 100,000, or without effect.

    The number for a paired t-test, over the efficiency 3/π of the signed-rank test.
    """
    if not effect or not math.isfinite(effect):
        return None
    low, high = 1, 2
    while power_of(effect, high, alpha) < power:
        low, high = high, high * 2
        if low > MOST_PARTICIPANTS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power_of(effect, middle, alpha) >= power else (middle, high)
    return math.ceil(high / WILCOXON_EFFICIENCY)


def power_table(table: pd.DataFrame, alpha: float, power: float) -> pd.DataFrame:
    """Neighbours in the ranking, and how many participants would separate them.

    Columns: system_a, system_b, mean_difference, sd_of_differences (of participants' means), n_participants, power_now,
    n_participants_needed (this pair alone), n_participants_needed_all_pairs (at alpha / number of all pairs, the
    strictest step of Holm's correction). Empty where the test has no estimate: one participant, or no difference.

    Args:
        table: Ratings with the columns participant, system, rating.
        alpha: The level of significance.
        power: The power to aim at.
    """
    means = participant_means(table)
    ranked = means.mean().sort_values(ascending=False, kind="stable").index
    pairs = len(ranked) * (len(ranked) - 1) / 2
    rows = []
    for better, worse in itertools.pairwise(ranked):
        differences = (means[better] - means[worse]).dropna().to_numpy()
        mean = differences.mean() if len(differences) else np.nan
        spread = differences.std(ddof=1) if len(differences) > 1 else np.nan
        effect = mean / spread if spread > 0 else np.nan
        rows.append(
            {
                "system_a": better,
                "system_b": worse,
                "mean_difference": mean,
                "sd_of_differences": spread,
                "n_participants": len(differences),
                "power_now": power_of(effect, len(differences), alpha) if np.isfinite(effect) else np.nan,
                "n_participants_needed": participants_needed(effect, alpha, power),
                "n_participants_needed_all_pairs": participants_needed(effect, alpha / pairs, power),
            }
        )
    columns = (
        "system_a", "system_b", "mean_difference", "sd_of_differences", "n_participants", "power_now",
        "n_participants_needed", "n_participants_needed_all_pairs",
    )  # fmt: skip
    counts = ["n_participants_needed", "n_participants_needed_all_pairs"]
    return pd.DataFrame(rows, columns=list(columns)).astype(dict.fromkeys(counts, "Int64"))
