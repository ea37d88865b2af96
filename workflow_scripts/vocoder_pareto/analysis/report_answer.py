"""The first lines of the report page, made from the data: the answer to its question, and the state of the study."""

import math
from collections.abc import Hashable, Mapping, Sequence
from typing import Any

import pandas as pd

from vocoder_pareto.tables.columns import ENERGY, REFERENCE_FAMILY
from vocoder_pareto.tables.comparability import why_costs_differ
from vocoder_pareto.tables.sources import PUBLISHED, source_of

MOST_NAMED = 6
_INTERVALS = ("mos_comparison_ci95", "mos_ci95")


def answer(systems: pd.DataFrame, names: Mapping[str, str]) -> str:
    """Which systems are Pareto optimal in energy and MOS, and what the best of them costs more than the next one.

    Args:
        systems: `systems.csv`.
        names: what readers call each system.
    """
    vocoders = systems[systems["family"] != REFERENCE_FAMILY]
    rated = vocoders[vocoders["on_front_energy"].notna()]
    if rated.empty:
        return _why_no_front(vocoders)
    front = rated[rated["on_front_energy"].astype(bool)].sort_values([ENERGY, "system"])
    devices = ", ".join(sorted(set(rated["device"]) - {""})) or "an unknown device"
    optimal = [names[system] for system in front["system"]]
    count = f"of {len(rated)} {'system' if len(rated) == 1 else 'systems'}"
    are = f"{len(front)} {'is' if len(front) == 1 else 'are'}"
    sentences = [f"On {devices}, {count}, {are} Pareto optimal: {_listed(optimal)}."]
    if len(front) > 1:
        dear, next_one = front.iloc[-1].to_dict(), front.iloc[-2].to_dict()
        sentences.append(_price(dear, next_one, names))
    lacking = [names[system] for system in vocoders["system"][vocoders["on_front_energy"].isna()]]
    if lacking:
        who = _listed(lacking) if len(lacking) <= MOST_NAMED else f"{len(lacking)} systems"
        sentences.append(f"Without energy or MOS, so not compared: {who}.")
    return " ".join(sentences)


def state(systems: pd.DataFrame, flags: Mapping[str, Sequence[str]]) -> list[str]:
    """Sentences that say how far the numbers can be trusted: of meter, protocol, training and listeners.

    Args:
        systems: `systems.csv`.
        flags: what was found amiss with each system, see `systems_flags.json`.
    """
    vocoders = systems[systems["family"] != REFERENCE_FAMILY]
    costed = vocoders[vocoders[ENERGY].notna()]
    sentences = []
    guessed = sum(source_of(word).stands_in for word in costed["energy_source"])
    if guessed:
        sentences.append(f"{_share(guessed, len(costed), 'energies are', 'energy is')} estimated, not measured.")
    short = sum("short_protocol" in flags.get(system, ()) for system in costed["system"])
    if short:
        how_many = _share(short, len(costed), "energies are", "energy is")
        sentences.append(f"{how_many} of a short protocol: not to publish.")
    untrained = int((vocoders["weights"] == "untrained").sum())
    if untrained:
        sentences.append(
            f"{_share(untrained, len(vocoders), 'systems are', 'system is')} not trained: there is no audio to judge."
        )
    words = set(vocoders["mos_source"]) - {""}
    if PUBLISHED.word in words:
        sentences.append("MOS are those that the paper prints, of systems that its authors trained.")
    sentences += [f"MOS are {source_of(word).meaning}." for word in sorted(words) if source_of(word).stands_in]
    return sentences


def _why_no_front(vocoders: pd.DataFrame) -> str:
    both = vocoders[vocoders[[ENERGY, "mos"]].notna().all(axis=1)]
    if why := why_costs_differ(both["energy_source"], both["device"]):
        return f"There is no front of energy and MOS: the energies are {why}."
    lacking = "an energy" if vocoders[ENERGY].isna().all() else "a MOS" if vocoders["mos"].isna().all() else "both"
    return (
        f"There is no front of energy and MOS: no system has {lacking}. Other axes are below; a listening test "
        "(docs/listening_test.md) rates what has none."
    )


def _price(dear: Mapping[Hashable, Any], other: Mapping[Hashable, Any], names: Mapping[str, str]) -> str:
    """What the costlier of two systems costs, and brings, more than the other."""
    gain = dear["mos"] - other["mos"]
    half_widths = [_half_width(dear), _half_width(other)]
    known = [each for each in half_widths if each is not None]
    uncertain = f"\u00a0±\u00a0{math.hypot(*known):.2f}" if len(known) == len(half_widths) else ""
    times = format(dear[ENERGY] / other[ENERGY], ".2g")
    return f"{names[dear['system']]} costs {times} times {names[other['system']]}, for +{gain:.2f}{uncertain}\u00a0MOS."


def _half_width(row: Mapping[Hashable, Any]) -> float | None:
    return next((row[name] for name in _INTERVALS if pd.notna(row[name])), None)


def _share(count: int, of: int, several: str, one: str) -> str:
    """How many of all, as a sentence begins: "All 18 energies are", "3 of 18 energies are", "1 of 18 energies is"."""
    if count == of:
        return f"All {of} {several}" if of > 1 else f"The {one}"
    noun, _, verb = several.partition(" ")
    singular = one.partition(" ")[2]
    return f"{count} of {of} {noun} {singular if count == 1 else verb}".strip()


def _listed(names: Sequence[str]) -> str:
    """Names as a sentence has them; of many, the first ones and how many more there are."""
    if len(names) > MOST_NAMED:
        return f"{', '.join(names[:MOST_NAMED])} and {len(names) - MOST_NAMED} more"
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]
