"""What a figure must say of itself: where its numbers come from, what was left out, and what its signs mean."""

from collections.abc import Mapping, Sequence

from vocoder_pareto.analysis.doubts import explanation
from vocoder_pareto.analysis.fronts import Front
from vocoder_pareto.analysis.partly_known import MOS_COLUMNS
from vocoder_pareto.analysis.predictions import not_told_apart
from vocoder_pareto.tables.columns import ENERGY, PREDICTED_MOS, column_of, label_of_system
from vocoder_pareto.tables.comparability import why_costs_differ
from vocoder_pareto.tables.sources import source_of

SIGNS = "Red ring: Pareto optimal."
PROBABILITIES = "Red ring: Pareto optimal; percentage: probability of it, given the uncertainties."
NO_SYSTEMATIC = "The systematic error of the meter is not known and not in the percentages."
NOT_PUBLISHABLE = "Quick protocol or estimate: not publishable."
TICKS = "Tick on an axis: a system of which this value alone is known."
LISTED_NAMES = 4


def caption(
    fronts: Sequence[Front], labels: Mapping[str, str], with_probabilities: bool, with_ticks: bool = False
) -> str:
    """One or two short paragraphs: sources and omissions, then the signs.

    Args:
        fronts: all that the figure shows.
        labels: what readers see for each model.
        with_probabilities: whether percentages are drawn.
        with_ticks: whether systems without all values are drawn as ticks on the axes.
    """
    return f"{notes(fronts, labels)}\n{signs(with_probabilities, with_ticks)}".strip()


def notes(fronts: Sequence[Front], labels: Mapping[str, str]) -> str:
    """Of a caption, where the numbers of `fronts` come from, and what was left out."""
    return " ".join(dict.fromkeys(sentence for front in fronts for sentence in _sentences(front, labels)))


def signs(with_probabilities: bool, with_ticks: bool = False) -> str:
    """Of a caption, what the signs mean, see `caption`."""
    return " ".join([PROBABILITIES if with_probabilities else SIGNS, *([TICKS] if with_ticks else [])])


def _sentences(front: Front, labels: Mapping[str, str]) -> list[str]:
    sources = front.summary.get("sources", {})
    rated_by, metered_by = (list(filter(None, sources.get(name, []))) for name in ("mos_source", "energy_source"))
    sentences = [f"MOS: {source_of(word).described('mos', 'mos_ci95')}." for word in rated_by]
    sentences += filter(None, [front.summary.get("ratings", ""), *_of_predictions(front, labels)])
    energy = [source_of(word).described(ENERGY) for word in metered_by]
    devices = [device for device in sources.get("device", []) if device]
    if energy:
        sentences.append(f"Energy: {', '.join([*energy, *devices])}.")
    elif devices:
        sentences.append(f"Measured on {', '.join(devices)}.")
    if why := why_costs_differ(metered_by, devices):
        sentences.append(f"NOT COMPARABLE on one cost axis: {why}.")
    if front.summary.get("not_publishable"):
        sentences.append(NOT_PUBLISHABLE)
    doubts = front.summary.get("doubts", {})
    if doubts:
        sentences.append(
            explanation(doubts, {system: label_of_system(system, labels) for system in front.table["system"]})
        )
    steps = front.summary.get("training_steps")
    if steps:
        sentences.append(f"Models trained for {' to '.join(f'{count:,}' for count in sorted(set(steps)))} steps.")
    sentences += _of_uncertainty(front)
    unjudged = front.summary.get("not_judged", [])
    briefly = front.summary.get("briefly_trained", [])
    untrained = [system for system in unjudged if system not in briefly]
    for how, those in (("Not trained", untrained), ("Trained too briefly", briefly)):
        sentences += [f"{how}, so not judged: {_listed(those, front, labels)}."] if those else []
    left_out = {system: names for system, names in _without_all(front).items() if system not in unjudged}
    if left_out:
        missing = {name for names in left_out.values() for name in names}
        why = "MOS" if missing <= set(MOS_COLUMNS) else "all values"
        sentences.append(f"Left out, without {why}: {_listed(list(left_out), front, labels)}.")
    if seeds := front.summary.get("further_seeds"):
        sentences.append(f"Further seeds, which do not compete: {_listed(seeds, front, labels)}.")
    if elsewhere := front.summary.get("computed_elsewhere"):
        sentences.append(f"By another device or meter, so not on this axis: {_listed(elsewhere, front, labels)}.")
    return sentences


def _of_predictions(front: Front, labels: Mapping[str, str]) -> list[str]:
    """Who predicted the MOS on an axis, why there is none, and which differences of it say nothing."""
    if PREDICTED_MOS not in front.names:
        return []
    predicted = front.summary.get("predicted_mos", {})
    words = filter(None, front.summary.get("sources", {}).get(f"{PREDICTED_MOS}_source", []))
    names = [label_of_system(system, labels) for system in front.table["system"]]
    scores = dict(zip(names, front.table[PREDICTED_MOS], strict=True))
    return [
        *(f"Predicted MOS: {source_of(f'predicted:{word}').label}." for word in words),
        predicted.get("withheld", ""),
        not_told_apart(scores, predicted.get("resolution")) if predicted else "",
    ]


def _without_all(front: Front) -> dict[str, list[str]]:
    """What the systems lack that lack something, reference systems with a cost among them."""
    known = front.summary.get("partly_known", {})
    references = {system: [name for name in front.names if name not in own] for system, own in known.items()}
    return {**front.summary.get("left_out", {}), **references}


def _of_uncertainty(front: Front) -> list[str]:
    """What is not known of how uncertain the values are, so that a reader does not take them for exact."""
    unknown = front.summary.get("uncertainty_unknown", {})
    if unknown:
        names = ", ".join(column_of(name).label.lower() for name in unknown)
        return [f"No uncertainty is known of: {names}; no probability is given where it is an axis."]
    return [NO_SYSTEMATIC] if front.summary.get("systematic_unknown") else []


def _listed(systems: Sequence[str], front: Front, labels: Mapping[str, str]) -> str:
    if len(systems) > LISTED_NAMES:
        return f"{len(systems)} of {len(_without_all(front)) + front.summary['systems']} systems"
    return ", ".join(label_of_system(system, labels) for system in systems)
