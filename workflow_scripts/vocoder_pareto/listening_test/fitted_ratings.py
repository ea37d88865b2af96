"""The mixed model fitted to the ratings of a test: one source of intervals, pairwise tests and front probabilities."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from vocoder_pareto.listening_test.crossed_effects import COMPONENTS, CrossedDesign, Estimates

FEWEST_LEVELS = 2  # listeners, and sentences where these are random, without which nothing is known of others
OF_SENTENCES = ("sentence", "system_sentence")
OF_LISTENERS = ("listener", "system_listener")
NO_VARIANCE = 1e-12  # squared points: what rounding leaves where nothing varies, which is no certainty
OTHER_SENTENCES, THESE_SENTENCES = "other listeners and sentences", "other listeners, these sentences"


@dataclass(frozen=True)
class Variance:
    """Variances of estimates, and how well each is known.

    Attributes:
        values: In squared points; NaN where nothing is known, as where no two ratings differ.
        degrees_of_freedom: Those of Satterthwaite (1946), 2 V² / Var(V), at least 1; NaN where nothing is known. Var(V)
            is that of the estimate in ratings that the fitted model gives again.
    """

    values: np.ndarray
    degrees_of_freedom: np.ndarray


@dataclass(frozen=True)
class FittedRatings:
    """The MOS of K systems, and how uncertain each and each difference is.

    Attributes:
        design: Who rated what.
        estimates: What the model says, one set.
        means: (K,), the variances of the MOS.
        differences: (K, K), the variances of the differences of two MOS; NaN on the diagonal.
        by_listeners: The two parts of `differences`, (K, K) each: what more listeners make smaller, and what not.
        by_sentences: The same for more sentences.
        comparisons: (K,), quasi-variances: the difference of any two systems has about the sum of theirs (Firth and de
            Menezes 2004). What all systems have in common, strict listeners and easy sentences, is not in them.
        holds_for: Whom and what the variances are about.
    """

    design: CrossedDesign
    estimates: Estimates
    means: Variance
    differences: Variance
    by_listeners: tuple[Variance, Variance]
    by_sentences: tuple[Variance, Variance]
    comparisons: Variance
    holds_for: str

    @property
    def systems(self) -> pd.Index:
        """The names of the systems, in the order of all arrays."""
        return self.design.systems

    @property
    def mos(self) -> np.ndarray:
        """(K,), the mean of all ratings of each system."""
        return self.estimates.means[:, 0]


def fit_ratings(table: pd.DataFrame, other_sentences: bool, replicates: int, seed: int) -> FittedRatings:
    """Fit the mixed model to ratings.

    Args:
        table: Ratings with the columns participant, system, utterance, rating.
        other_sentences: Whether results are to hold for other sentences than those rated, or for these alone.
        replicates: How many sets of ratings the fitted model gives again, for the degrees of freedom.
        seed: Of their random numbers.
    """
    table = table.sort_values(["system", "participant", "utterance", "rating"])  # the order of rows is no information
    design = CrossedDesign.of(table)
    estimates = design.estimate(table["rating"].to_numpy(float)[:, None])
    return fit_of_estimates(design, estimates, other_sentences, replicates, seed)


def fit_of_estimates(
    design: CrossedDesign, estimates: Estimates, other_sentences: bool, replicates: int, seed: int
) -> FittedRatings:
    """The same of estimates that are known, as those that a test is planned with; see `fit_ratings`."""
    counted = [name for name in COMPONENTS if other_sentences or name not in OF_SENTENCES]
    found = _variances(design, estimates, counted)
    few = [design.n_participants] + [design.n_utterances] * other_sentences
    if min(few) < FEWEST_LEVELS:
        found = {name: np.full_like(value, np.nan) for name, value in found.items()}
    moments = {name: np.zeros((2, *value.shape[1:])) for name, value in found.items()}
    for ratings in design.replicates(estimates, replicates, np.random.default_rng(seed)):
        for name, value in _variances(design, design.estimate(ratings), counted).items():
            moments[name] += value.sum(axis=0), np.sum(value**2, axis=0)
    known = {name: _with_degrees(value[0], *(moments[name] / replicates)) for name, value in found.items()}
    return FittedRatings(
        design,
        estimates,
        known["means"],
        known["differences"],
        (known["without_sentences"], known["of_sentences"]),
        (known["without_listeners"], known["of_listeners"]),
        known["comparisons"],
        OTHER_SENTENCES if other_sentences else THESE_SENTENCES,
    )


def _variances(design: CrossedDesign, estimates: Estimates, counted: Sequence[str]) -> dict[str, np.ndarray]:
    """The variances that `FittedRatings` holds, (R, …) each, of the effects that are counted."""
    means = design.covariance(estimates, counted)
    parts = {"sentences": OF_SENTENCES, "listeners": OF_LISTENERS}
    found = {"means": np.einsum("rkk->rk", means), "differences": _of_differences(means)}
    for name, effects in parts.items():
        part = [effect for effect in counted if effect in effects]
        rest = [effect for effect in counted if effect not in effects]
        found[f"of_{name}"] = _of_differences(design.covariance(estimates, part))
        found[f"without_{name}"] = _of_differences(design.covariance(estimates, rest))
    return found | {"comparisons": quasi_variances(found["differences"])}


def _of_differences(covariances: np.ndarray) -> np.ndarray:
    variances = np.einsum("rkk->rk", covariances)
    return np.maximum(variances[:, :, None] + variances[:, None, :] - 2 * covariances, 0)


def quasi_variances(differences: np.ndarray) -> np.ndarray:
    """(R, K) of variances of differences (R, K, K): the least squares fit of their sums to these; NaN for one system.

    Source: Firth and de Menezes 2004, Biometrika 91, 65–80.
    """
    count = differences.shape[1]
    if count < 3:
        return np.where(count == 2, differences.sum(axis=2) / 2, np.nan)
    of_system = differences.sum(axis=2)
    total = of_system.sum(axis=1, keepdims=True) / (2 * (count - 1))
    return np.maximum((of_system - total) / (count - 2), 0)


def _with_degrees(values: np.ndarray, mean: np.ndarray, mean_of_squares: np.ndarray) -> Variance:
    spread = mean_of_squares - mean**2
    degrees = np.divide(2 * values**2, spread, out=np.full_like(mean, np.inf), where=spread > 0)
    is_known = values > NO_VARIANCE
    return Variance(np.where(is_known, values, np.nan), np.where(is_known, np.maximum(degrees, 1), np.nan))
