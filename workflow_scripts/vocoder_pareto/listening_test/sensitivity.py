"""Which differences a planned test can find, told at its export, while it can still be made larger."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import pandas as pd

from vocoder_pareto.listening_test.crossed_effects import COMPONENTS, CrossedDesign, Estimates
from vocoder_pareto.listening_test.fitted_ratings import fit_of_estimates
from vocoder_pareto.listening_test.key import Key
from vocoder_pareto.listening_test.power import needed
from vocoder_pareto.listening_test.texts import HIGHEST_SCORE, LOWEST_SCORE
from vocoder_pareto.study.sections.listening_test import StatisticsSettings

# Standard deviations in points, assumed: a test that was made replaces them by its own (power.csv).
ASSUMED_DEVIATIONS: Mapping[str, float] = MappingProxyType(
    {
        "listener": 0.4, "sentence": 0.2, "listener_sentence": 0.2, "system_listener": 0.3, "system_sentence": 0.3,
        "residual": 0.6,
    }
)  # fmt: skip
LARGE_DIFFERENCE = 1.0  # points, a category of the scale: a test that finds no smaller one is warned about
REPLICATES = 500

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Sensitivity:
    """Which differences a design finds between two systems, in the middle of all pairs.

    Attributes:
        pairs: How many pairs of systems there are.
        n_participants, n_utterances: The size of the design.
        detectable_difference: The true difference, in points, that is found with the power of the settings after the
            correction for all pairs; NaN where no test is possible.
        n_participants_needed, n_utterances_needed: How many of one of them find a difference of `LARGE_DIFFERENCE`;
            None where more of these alone do not.
    """

    pairs: int
    n_participants: int
    n_utterances: int
    detectable_difference: float
    n_participants_needed: int | None
    n_utterances_needed: int | None


def planned_table(key: Key) -> pd.DataFrame:
    """Who is to rate what, a row per rating that counts: participant, system, utterance."""
    stimuli = [
        (session.number, key.stimulus_by_name[name])
        for session in key.sessions
        for name in dict.fromkeys(session.trials)
    ]
    rows = [(number, each.system, each.utterance) for number, each in stimuli if each.kind == "rating"]
    return pd.DataFrame(rows, columns=["participant", "system", "utterance"])


def sensitivity_of(
    table: pd.DataFrame,
    settings: StatisticsSettings,
    seed: int,
    deviations: Mapping[str, float] = ASSUMED_DEVIATIONS,
) -> Sensitivity:
    """Which differences a design finds.

    Args:
        table: Who rates what, see `planned_table`; at least two systems.
        settings: The level, the power, and whether results are to hold for other sentences.
        seed: The seed of the degrees of freedom, which are found by simulation.
        deviations: The standard deviation of each effect of the mixed model, in points.
    """
    design = CrossedDesign.of(table)
    count = len(design.systems)
    variances = np.array([[deviations[name] ** 2] for name in COMPONENTS])
    truth = Estimates(np.zeros((count, 1)), np.ones((count, 1)), variances)
    fitted = fit_of_estimates(design, truth, settings.other_sentences, REPLICATES, seed)
    rows, columns = np.triu_indices(count, 1)
    order = np.argsort(fitted.differences.values[rows, columns])
    middle = order[len(order) // 2]
    pair = (int(rows[middle]), int(columns[middle]))
    found = needed(fitted, pair, settings.alpha / len(rows), settings.power, LARGE_DIFFERENCE)
    return Sensitivity(len(rows), design.n_participants, design.n_utterances, **found)


def tell_sensitivity(key: Key, settings: StatisticsSettings, seed: int) -> None:
    """Log which differences a planned test finds; a warning where it finds none, or only large ones."""
    sensitivity = sensitivity_of(planned_table(key), settings, seed)
    size = f"{sensitivity.n_participants} participants × {sensitivity.n_utterances} sentences"
    if np.isnan(sensitivity.detectable_difference):
        log.warning(
            "listening test: %s give no interval and no test, which need 2 participants at least, and 2 sentences to "
            "hold for others: raise listening_test.design.participants or .items%s",
            size, ", or set listening_test.statistics.other_sentences to false" * settings.other_sentences,
        )  # fmt: skip
        return
    level = f"{settings.alpha:g} for all {sensitivity.pairs} pairs together"
    found = (
        f"find a difference of {sensitivity.detectable_difference:.2f} points between two systems with a power of "
        f"{settings.power:g} at the level of {level}"
    )
    if sensitivity.detectable_difference > HIGHEST_SCORE - LOWEST_SCORE:
        found = f"can separate no two systems at the level of {level}"
    found += ", if people are as assumed (docs/listening_test.md)"
    if sensitivity.detectable_difference <= LARGE_DIFFERENCE:
        log.info("listening test: %s %s", size, found)
    else:
        log.warning("listening test: %s %s; %g points need %s", size, found, LARGE_DIFFERENCE, _ways(sensitivity))


def _ways(sensitivity: Sensitivity) -> str:
    counts = {"participants": sensitivity.n_participants_needed, "sentences (items)": sensitivity.n_utterances_needed}
    ways = [f"{count} {name}" for name, count in counts.items() if count]
    return " or ".join(ways) if ways else "more of both"
