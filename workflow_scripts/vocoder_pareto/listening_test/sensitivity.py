"""Which differences a planned test can find, told at its export, while it can still be made larger."""

import logging
from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
import pandas as pd

from vocoder_pareto.listening_test.crossed_effects import CrossedDesign, Estimates
from vocoder_pareto.listening_test.fitted_ratings import fit_of_estimates
from vocoder_pareto.listening_test.key import Key
from vocoder_pareto.listening_test.power import detectable_difference
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
TIMES_MORE = (2, 3, 4, 5, 6, 8)  # participants or sentences that are tried
REPLICATES = 500

log = logging.getLogger(__name__)


def planned_table(key: Key) -> pd.DataFrame:
    """Who is to rate what, a row per rating that counts: participant, system, utterance."""
    stimuli = [
        (session.number, key.stimulus_by_name[name])
        for session in key.sessions
        for name in dict.fromkeys(session.trials)
    ]
    rows = [(number, each.system, each.utterance) for number, each in stimuli if each.kind == "rating"]
    return pd.DataFrame(rows, columns=["participant", "system", "utterance"])


def difference_found(
    table: pd.DataFrame,
    settings: StatisticsSettings,
    seed: int,
    deviations: Mapping[str, float] = ASSUMED_DEVIATIONS,
) -> float:
    """The true difference, in points, that a design finds between two systems, in the middle of all pairs.

    It is the one that is found with the power of the settings at the strictest step of Holm's correction, at the level
    over the number of pairs; NaN where no test is possible.

    Args:
        table: Who rates what, see `planned_table`; at least two systems.
        settings: The level, the power, and whether results are to hold for other sentences.
        seed: The seed of the degrees of freedom, which are found by simulation.
        deviations: The standard deviation of each effect of the mixed model, in points.
    """
    design = CrossedDesign.of(table)
    truth = Estimates.of_deviations(len(design.systems), deviations)
    fitted = fit_of_estimates(design, truth, settings.other_sentences, REPLICATES, seed)
    rows, columns = np.triu_indices(len(design.systems), 1)
    middle = np.argsort(fitted.differences.values[rows, columns])[len(rows) // 2]
    pair = (int(rows[middle]), int(columns[middle]))
    return detectable_difference(fitted, pair, settings.alpha / len(rows), settings.power)


def tell_sensitivity(key: Key, settings: StatisticsSettings, seed: int) -> None:
    """Log which differences a planned test finds; a warning where it finds none, or only large ones."""
    table = planned_table(key)
    difference = difference_found(table, settings, seed)
    counts = {name: table[name].nunique() for name in ("participant", "utterance", "system")}
    size = f"listening test: {counts['participant']} participants × {counts['utterance']} sentences"
    if np.isnan(difference):
        log.warning(
            "%s give no interval and no test, which need 2 participants at least, and 2 sentences to hold for others: "
            "raise listening_test.design.participants or .items%s",
            size, ", or set listening_test.statistics.other_sentences to false" * settings.other_sentences,
        )  # fmt: skip
        return
    pairs = counts["system"] * (counts["system"] - 1) // 2
    level = f"at the level of {settings.alpha:g} for all {pairs} pairs together"
    found = f"find a difference of {difference:.2f} points between two systems with a power of {settings.power:g}"
    if difference > HIGHEST_SCORE - LOWEST_SCORE:
        found = "can separate no two systems"
    told = f"{size} {found} {level}, if people are as assumed (docs/listening_test.md)"
    if difference <= LARGE_DIFFERENCE:
        log.info(told)
    else:
        log.warning("%s; %g point needs %s", told, LARGE_DIFFERENCE, _larger(table, settings, seed))


def _larger(table: pd.DataFrame, settings: StatisticsSettings, seed: int) -> str:
    """The fewest times more participants, or sentences, that find `LARGE_DIFFERENCE`, in words."""
    ways = []
    for column, name in {"participant": "participants", "utterance": "sentences (design.items)"}.items():
        for times in TIMES_MORE:
            larger = pd.concat([table.assign(**{column: table[column].astype("str") + f"/{n}"}) for n in range(times)])
            if difference_found(larger, settings, seed) <= LARGE_DIFFERENCE:
                ways.append(f"{larger[column].nunique()} {name}")
                break
    return " or ".join(ways) if ways else "more participants and more sentences (design.items)"
