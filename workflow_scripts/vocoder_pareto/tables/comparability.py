"""What may be compared with what: the one place that says so, and why not, in words for readers.

Whatever sets numbers side by side asks here: ratios, ranks, fronts, sums and break-even points. Each rule gives the
reason against a comparison, and an empty text where there is none.
"""

from collections.abc import Iterable, Mapping
from itertools import combinations
from typing import Any

import numpy as np

from vocoder_pareto.tables.sources import PUBLISHED, source_of
from vocoder_pareto.units import SECONDS_PER_HOUR

FULL_TRAINING_SHARE = 0.9  # of the paper's hours, from which on spectral distances compare


def comparable(words: Iterable[str]) -> bool:
    """Whether numbers of all these sources may be compared with each other; an empty word is an unknown source."""
    distinct = list(dict.fromkeys(words))
    pairs = combinations(map(source_of, distinct), 2)
    return "" not in distinct and all(
        one.word in other.compares_with or other.word in one.compares_with for one, other in pairs
    )


def why_sources_differ(words: Iterable[str]) -> str:
    """Why energies of these sources may not be divided by each other or added up."""
    distinct = sorted(set(words))
    if comparable(distinct):
        return ""
    names = " and ".join(source_of(word).label if word else "of unknown source" for word in distinct)
    return f"not on comparable terms: {names}"


def why_costs_differ(words: Iterable[str], devices: Iterable[str]) -> str:
    """Why energies of several systems may not be ranked or share a front: their sources, or their devices."""
    found = sorted(set(devices))
    if why := why_sources_differ(words):
        return why
    return f"measured on several devices: {', '.join(found)}" if len(found) > 1 else ""


def why_not_beside_published(word: str) -> str:
    """Why an energy of this source may not be divided by a printed one, nor ranked beside them."""
    return why_sources_differ([word, PUBLISHED.word])


def why_ratings_differ(words: Iterable[str]) -> str:
    """Why MOS of these sources may not share an axis: they are relative to the stimuli of one test."""
    found = sorted(set(words))
    return f"MOS of several tests: {', '.join(source_of(word).label for word in found)}" if len(found) > 1 else ""


def why_no_finding(words: Iterable[str]) -> str:
    """Why a front in MOS of these sources says nothing of the systems: of several tests, or rated by nobody."""
    found = list(dict.fromkeys(words))
    invented = [source_of(word).label for word in found if source_of(word).stands_in]
    return f"MOS of {', '.join(invented)}" if invented else why_ratings_differ(found)


def why_distances_differ(training_seconds: float | None, published_hours: float) -> str:
    """Why a spectral distance may not be divided by the printed one: trained for less than 90 % of the paper's time."""
    if training_seconds is None or np.isnan(training_seconds):
        return "not on comparable terms: the time of training is not known"
    if training_seconds < FULL_TRAINING_SHARE * published_hours * SECONDS_PER_HOUR:
        hours = training_seconds / SECONDS_PER_HOUR
        return f"not on comparable terms: trained for {hours:.3g} h, the paper's for {published_hours:g} h"
    return ""


def why_protocols_differ(one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    """Why joules per second of audio measured in these two ways, sections `protocol` of records, may not be compared.

    A key that one of them does not tell is not compared.
    """
    for key in ("precision", "batch_size", "clip_seconds", "compile"):
        if key in one and key in other and one[key] != other[key]:
            return f"not on comparable terms: measured with {key} {one[key]} and {other[key]}"
    return ""
