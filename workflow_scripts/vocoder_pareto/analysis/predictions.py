"""What readers must know of predicted MOS: why there is none, and which differences of it say nothing."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import numpy as np

from vocoder_pareto.study.systems import GROUND_TRUTH

_SHOWN = 4


def withheld_sentence(predictions: Mapping[str, Mapping[str, Any]]) -> str:
    """Why systems have no predicted MOS, in a sentence or two; "" if all have one, or none was to be predicted.

    Args:
        predictions: what `predict_mos` wrote of each system.
    """
    systems_of: dict[str, list[str]] = {}
    for system, prediction in predictions.items():
        if prediction["withheld"]:
            systems_of.setdefault(prediction["withheld"], []).append(system)
    sentences = []
    for why, systems in systems_of.items():
        named = ", ".join(systems[:_SHOWN]) + (f" and {len(systems) - _SHOWN} more" if len(systems) > _SHOWN else "")
        whom = "on this corpus" if len(systems) == len(predictions) else f"for {named}"
        sentences.append(f"Predicted MOS is withheld {whom}: {why}.")
    return " ".join(sentences)


def resolution_of(predictions: Mapping[str, Mapping[str, Any]]) -> float | None:
    """By how much passages of one quality differ: the standard deviation over those of the recordings.

    None where there are not at least two. What one passage and another of the same recordings differ by, is no
    difference between systems.
    """
    passages = predictions.get(GROUND_TRUTH, {}).get("passages", [])
    scores = [passage["predicted_mos"] for passage in passages]
    return float(np.std(scores, ddof=1)) if len(scores) > 1 else None


def not_told_apart(scores: Mapping[str, float], resolution: float | None) -> str:
    """Which systems the predictor does not tell apart, in a sentence; "" if it tells all apart, or has no scores.

    Args:
        scores: the predicted MOS of systems, by what readers call them; NaN where there is none.
        resolution: see `resolution_of`.
    """
    known = {name: score for name, score in scores.items() if np.isfinite(score)}
    if len(known) < 2:
        return ""
    if resolution is None:
        return "How far systems must differ in predicted MOS is not known: it heard one passage of each."
    ordered = sorted(known, key=lambda name: -known[name])
    runs = [ordered[:1]]
    for better, worse in pairwise(ordered):
        if known[better] - known[worse] < resolution:
            runs[-1].append(worse)
        else:
            runs.append([worse])
    together = [", ".join(run) for run in runs if len(run) > 1]
    if not together:
        return ""
    return (
        f"Predicted MOS does not tell neighbours apart that differ by less than {resolution:.2f}, as passages of the "
        f"recordings do: {'; '.join(together)}."
    )
