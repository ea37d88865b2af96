"""How much participants agree with each other, and with themselves."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vocoder_pareto.listening_test.comparisons import friedman_test
from vocoder_pareto.listening_test.mean_opinion import participant_means
from vocoder_pareto.listening_test.ratings import Rating, repeat_differences


def agreement_table(table: pd.DataFrame, ratings: Sequence[Rating]) -> pd.DataFrame:
    """Columns measure, value, p_value, n, of; a row per measure, its value empty where it is not defined.

    Args:
        table: The ratings that count for the MOS, see `ratings_frame`.
        ratings: All ratings of the sessions that were kept, with their repeats.
    """
    chi_square, p_value, complete = friedman_test(table)
    single, average, _ = intraclass_correlations(participant_means(table))
    differences = np.array(repeat_differences(ratings), dtype=float)
    rows = [
        ("krippendorff_alpha_ordinal", ordinal_alpha(_reliability_data(table)), np.nan, len(table), "ratings"),
        ("icc_2_1", single, np.nan, complete, "participants who rated all systems"),
        ("icc_2_k", average, np.nan, complete, "participants who rated all systems"),
        ("friedman_chi_square", chi_square, p_value, complete, "participants who rated all systems"),
        ("repeat_mean_absolute_difference", _mean(differences), np.nan, len(differences), "repeats"),
        ("repeat_share_equal", _mean(differences == 0), np.nan, len(differences), "repeats"),
        ("repeat_share_within_one", _mean(differences <= 1), np.nan, len(differences), "repeats"),
    ]
    return pd.DataFrame(rows, columns=["measure", "value", "p_value", "n", "of"])


def ordinal_alpha(reliability: np.ndarray) -> float:
    """Krippendorff's alpha for ordinal data: 1 is perfect agreement, 0 is chance.

    Source: Krippendorff 2011, "Computing Krippendorff's alpha-reliability", sections C and D.

    Args:
        reliability: Scores (participants, units), NaN where there is none; a unit is an utterance by a system.

    Returns:
        NaN where no unit has two scores. Where all scores are equal, nothing could disagree, and it is NaN too.
    """
    values, codes = np.unique(reliability[~np.isnan(reliability)], return_inverse=True)
    counts = np.zeros((reliability.shape[1], len(values)))  # how often each value was given to each unit
    np.add.at(counts, (np.nonzero(~np.isnan(reliability))[1], codes), 1)
    counts = counts[counts.sum(axis=1) >= 2]
    if not len(counts) or len(values) < 2:
        return float("nan")
    pairs = counts.T @ (counts / (counts.sum(axis=1, keepdims=True) - 1))
    pairs -= np.diag((counts / (counts.sum(axis=1, keepdims=True) - 1)).sum(axis=0))  # a score is no pair with itself
    totals = pairs.sum(axis=1)
    between = np.cumsum(totals)
    # The squared sum of all frequencies between two values, half of their own.
    distance = (between[None, :] - between[:, None] - (totals[None, :] - totals[:, None]) / 2) ** 2
    expected = (np.outer(totals, totals) * distance).sum() / (totals.sum() - 1)
    return float(1 - (pairs * distance).sum() / expected) if expected > 0 else float("nan")


def intraclass_correlations(means: pd.DataFrame) -> tuple[float, float, int]:
    """ICC(2,1) and ICC(2,k) of systems (columns) judged by participants (rows), and the number of participants.

    Two-way random effects, absolute agreement, of one participant and of the mean over all (Shrout and Fleiss 1979).
    Participants who did not rate all systems are left out. Both are NaN for fewer than two participants or systems.
    """
    complete = means.dropna().to_numpy(float).T  # targets × judges
    targets, judges = complete.shape
    if targets < 2 or judges < 2:
        return float("nan"), float("nan"), judges
    grand = complete.mean()
    between_targets = judges * np.sum((complete.mean(axis=1) - grand) ** 2) / (targets - 1)
    between_judges = targets * np.sum((complete.mean(axis=0) - grand) ** 2) / (judges - 1)
    residual = complete - complete.mean(axis=1, keepdims=True) - complete.mean(axis=0, keepdims=True) + grand
    error = np.sum(residual**2) / ((targets - 1) * (judges - 1))
    spread = between_targets - error
    single = spread + judges * error + judges * (between_judges - error) / targets
    average = between_targets + (between_judges - error) / targets
    return _ratio(spread, single), _ratio(spread, average), judges


def _reliability_data(table: pd.DataFrame) -> np.ndarray:
    return table.pivot_table("rating", "participant", ["system", "utterance"]).to_numpy(float)


def _mean(values: np.ndarray) -> float:
    return float(np.mean(values)) if len(values) else float("nan")


def _ratio(numerator: float, denominator: float) -> float:
    return float(numerator / denominator) if denominator > 0 else float("nan")
