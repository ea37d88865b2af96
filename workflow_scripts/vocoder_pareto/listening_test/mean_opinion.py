"""Mean opinion scores: of all ratings of a system, with intervals for other listeners and other sentences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.listening_test.fitted_ratings import FittedRatings, Variance
from vocoder_pareto.listening_test.ratings import Rating

MOS_COLUMNS = (
    "system", "mos", "mos_ci95", "mos_se", "n_ratings", "n_participants", "mos_source", "mos_degrees_of_freedom",
    "mos_comparison_ci95", "mos_comparison_degrees_of_freedom",
)  # fmt: skip


def ratings_frame(ratings: Sequence[Rating]) -> pd.DataFrame:
    """Ratings as columns participant, system, utterance, rating."""
    names = ("participant", "system", "utterance", "rating")
    return pd.DataFrame([[getattr(rating, name) for name in names] for rating in ratings], columns=list(names))


def participant_means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean rating of each system (columns) by each participant (rows), NaN where one rated none of it."""
    return table.pivot_table("rating", "participant", "system", aggfunc="mean")


def mean_opinion_scores(
    table: pd.DataFrame, before_screening: pd.DataFrame, mos_source: str, fitted: FittedRatings
) -> pd.DataFrame:
    """A row per system, the best first: MOS, 95 % interval, standard errors, counts, and the MOS before screening.

    `mos_ci95` is half the width of the interval (`mos_ci95_low` to `mos_ci95_high`) of Student's distribution with
    `mos_degrees_of_freedom`, from the variance that the mixed model gives (`holds_for` says for whom).
    `mos_comparison_ci95` is the same without what all systems have in common, for comparisons within the test: the
    difference of two systems has about the sum of their variances. `mos_se` is the plain standard error of the mean, as
    if all ratings were independent, and `mos_t_ci95` the half-width of Student's interval from it; both are too small
    for repeated listeners. What is not known is NaN.

    Args:
        table: The ratings that count for the MOS, see `ratings_frame`.
        before_screening: The same before sessions were screened out.
        mos_source: Where the ratings come from; it is written into every row.
        fitted: The mixed model, fitted to `table`.
    """
    groups = table.groupby("system")["rating"]
    counts = groups.size()
    errors: pd.Series = groups.std(ddof=1) / np.sqrt(counts)
    mos = pd.Series(fitted.mos, index=fitted.systems)
    half = pd.Series(half_widths(fitted.means), index=fitted.systems)
    result = pd.DataFrame(
        {
            "mos": mos,
            "mos_ci95": half,
            "mos_se": errors,
            "n_ratings": counts,
            "n_participants": table.groupby("system")["participant"].nunique(),
            "mos_source": mos_source,
            "mos_degrees_of_freedom": pd.Series(fitted.means.degrees_of_freedom, index=fitted.systems),
            "mos_comparison_ci95": pd.Series(half_widths(fitted.comparisons), index=fitted.systems),
            "mos_comparison_degrees_of_freedom": pd.Series(fitted.comparisons.degrees_of_freedom, index=fitted.systems),
            "mos_ci95_low": mos - half,
            "mos_ci95_high": mos + half,
            "mos_t_ci95": stats.t.ppf(0.975, (counts - 1).where(counts > 1)) * errors,
            "n_utterances": table.groupby("system")["utterance"].nunique(),
            "mos_before_screening": before_screening.groupby("system")["rating"].mean(),
            "n_ratings_before_screening": before_screening.groupby("system").size(),
            "holds_for": fitted.holds_for,
        }
    )
    return result.loc[counts.index].sort_values("mos", ascending=False, kind="stable").reset_index(names="system")


def half_widths(variance: Variance) -> np.ndarray:
    """Half-widths of 95 % intervals, in points; NaN where the variance is not known."""
    return stats.t.ppf(0.975, variance.degrees_of_freedom) * np.sqrt(variance.values)
