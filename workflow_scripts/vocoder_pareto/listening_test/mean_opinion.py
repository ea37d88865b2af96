"""Mean opinion scores: of all ratings of a system, with intervals for other listeners and other sentences."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.listening_test.ratings import Rating
from vocoder_pareto.study.sections.listening_test import StatisticsSettings

FEWEST_PARTICIPANTS = 2  # for an interval
MOS_COLUMNS = ("system", "mos", "mos_ci95", "mos_se", "n_ratings", "n_participants", "mos_source")


def ratings_frame(ratings: Sequence[Rating]) -> pd.DataFrame:
    """Ratings as columns participant, system, utterance, rating."""
    names = ("participant", "system", "utterance", "rating")
    return pd.DataFrame([[getattr(rating, name) for name in names] for rating in ratings], columns=list(names))


def participant_means(table: pd.DataFrame) -> pd.DataFrame:
    """Mean rating of each system (columns) by each participant (rows), NaN where one rated none of it."""
    return table.pivot_table("rating", "participant", "system", aggfunc="mean")


def mean_opinion_scores(
    table: pd.DataFrame, before_screening: pd.DataFrame, mos_source: str, settings: StatisticsSettings, seed: int
) -> pd.DataFrame:
    """A row per system, the best first: MOS, 95 % interval, standard errors, counts, and the MOS before screening.

    `mos_ci95` is half the width of the percentile interval (`mos_ci95_low` to `mos_ci95_high`) of a bootstrap that
    draws participants and utterances anew, both with replacement (Owen 2007): it covers other listeners and other
    sentences. `mos_se` is the plain standard error of the mean, as if all ratings were independent, and
    `mos_t_ci95` the half-width of Student's interval from it; both are too small for repeated listeners.

    Args:
        table: The ratings that count for the MOS, see `ratings_frame`.
        before_screening: The same before sessions were screened out.
        mos_source: Where the ratings come from; it is written into every row.
        settings: How intervals are computed.
        seed: The seed of the bootstrap.
    """
    low, high = bootstrap_intervals(table, settings.resamples, seed)
    groups = table.groupby("system")["rating"]
    counts = groups.size()
    errors: pd.Series = groups.std(ddof=1) / np.sqrt(counts)
    result = pd.DataFrame(
        {
            "mos": groups.mean(),
            "mos_ci95": (high - low) / 2,
            "mos_se": errors,
            "n_ratings": counts,
            "n_participants": table.groupby("system")["participant"].nunique(),
            "mos_source": mos_source,
            "mos_ci95_low": low,
            "mos_ci95_high": high,
            "mos_t_ci95": stats.t.ppf(0.975, (counts - 1).where(counts > 1)) * errors,
            "n_utterances": table.groupby("system")["utterance"].nunique(),
            "mos_before_screening": before_screening.groupby("system")["rating"].mean(),
            "n_ratings_before_screening": before_screening.groupby("system").size(),
        }
    )
    return result.loc[counts.index].sort_values("mos", ascending=False, kind="stable").reset_index(names="system")


def bootstrap_intervals(table: pd.DataFrame, resamples: int, seed: int) -> tuple[pd.Series, pd.Series]:
    """Lower and upper bounds of the 95 % interval of each system's mean; NaN for fewer than two participants.

    Systems are resampled together, with the same participants and utterances, as they were heard together.
    """
    codes = {name: pd.Categorical(table[name]) for name in ("system", "participant", "utterance")}
    shape = tuple(len(code.categories) for code in codes.values())  # (K, P, U)
    place = tuple(code.codes for code in codes.values())
    sums, counts = np.zeros(shape), np.zeros(shape)
    np.add.at(sums, place, table["rating"].to_numpy(float))
    np.add.at(counts, place, 1.0)
    systems = codes["system"].categories
    if shape[1] < FEWEST_PARTICIPANTS:
        unknown = pd.Series(np.nan, index=systems)
        return unknown, unknown
    generator = np.random.default_rng(seed)
    participant_draws = _multiplicities(shape[1], resamples, generator)  # (R, P)
    utterance_draws = _multiplicities(shape[2], resamples, generator)  # (R, U)

    def weighted(cells: np.ndarray) -> np.ndarray:
        per_utterance = np.tensordot(participant_draws, cells, axes=(1, 1))  # (R, K, U)
        return np.einsum("rku,ru->rk", per_utterance, utterance_draws)

    weights = weighted(counts)
    # A resample may miss all ratings of a system; it then says nothing on it.
    means = np.where(weights > 0, weighted(sums) / np.where(weights > 0, weights, 1), np.nan)
    bounds = np.nanpercentile(means, [2.5, 97.5], axis=0)
    return pd.Series(bounds[0], index=systems), pd.Series(bounds[1], index=systems)


def _multiplicities(size: int, resamples: int, generator: np.random.Generator) -> np.ndarray:
    """How often each of `size` things is drawn in each resample: (resamples, size)."""
    return generator.multinomial(size, np.full(size, 1 / size), size=resamples).astype(float)
