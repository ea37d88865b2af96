"""Trainings of one system with several seeds: how far training alone moves quality, and what that does to intervals.

The quality of a training i is its mean m_i over n clips, with the standard deviation s_i between clips. Trainings that
differ in their seed alone are replicates. Of groups g of R_g replicates each, the variance that training makes is

    (1)  V = Σ_g Σ_r (m_gr − m̄_g)² / ν,  with ν = Σ_g (R_g − 1) degrees of freedom

pooled over groups as in an analysis of variance (Montgomery 2017, Design and Analysis of Experiments, section 3.3).
All systems hear the same clips, so what makes a clip easy for all of them is not in V. One training tells of its
system, whatever the seed and the clips, that its mean quality is

    (2)  m_i ± t(ν_i) √(s_i² / n + V),  ν_i = (s_i² / n + V)² / ((s_i² / n)² / (n − 1) + V² / ν)

with the degrees of freedom of Welch and Satterthwaite. It is taken that training moves all systems of a study as far as
those that were trained several times: their own intervals would otherwise be wider than those of systems whose spread
nobody has seen.
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from vocoder_pareto.files import canonical_json
from vocoder_pareto.intervals import student_quantile_95
from vocoder_pareto.study.sections.training import BESIDE_WEIGHTS
from vocoder_pareto.tables.columns import METRIC_COLUMNS, PREDICTED_MOS
from vocoder_pareto.training.bands import BOUNDS


@dataclass(frozen=True)
class TrainingSpread:
    """What training makes of the quality of one system.

    Attributes:
        variance: V of equation 1, of means over clips.
        degrees_of_freedom: ν, at least 1.
    """

    variance: float
    degrees_of_freedom: int

    def widened(self, half_width: float, degrees_of_freedom: float) -> tuple[float, float]:
        """An interval of a mean over clips as that of equation 2.

        Args:
            half_width: that of its 95 % interval, by Student's t.
            degrees_of_freedom: of that interval, n − 1.

        Returns:
            The half-width and the degrees of freedom of equation 2.
        """
        of_clips = (half_width / student_quantile_95(degrees_of_freedom)) ** 2
        both = of_clips + self.variance
        if not both:
            return 0.0, degrees_of_freedom
        freedom = both**2 / (of_clips**2 / degrees_of_freedom + self.variance**2 / self.degrees_of_freedom)
        return student_quantile_95(freedom) * math.sqrt(both), freedom


def groups_of_replicates(
    summaries: Mapping[str, Mapping[str, Any]], ways: Mapping[str, Any] | None = None
) -> dict[str, list[str]]:
    """The replicates among trainings, by the name of the first of each group: those that differ in their seed alone.

    Of two trainings with the same seed, which end with the same weights, the first one counts. Weights that were given,
    or not trained, are no training; nor is one a replicate that went on beyond its budget, as a finished one does whose
    budget is lowered.

    Args:
        summaries: `summary.json` of each system, by its name.
        ways: What else tells systems apart, such as how their audio was made, by their names; None for what the
            summaries tell of it, that of validations.
    """
    groups: dict[str, dict[int, str]] = {}
    for system, summary in summaries.items():
        settings = summary.get("settings")
        if settings and summary.get("steps") and not summary.get("checkpoint") and not _is_longer(summary):
            kind = _but_for_the_seed(summary, None if ways is None else ways.get(system, ""))
            groups.setdefault(kind, {}).setdefault(settings["seed"], system)
    named = (list(by_seed.values()) for by_seed in groups.values())
    return {names[0]: names for names in named if len(names) > 1}


def _but_for_the_seed(summary: Mapping[str, Any], way: Any) -> str:
    settings = summary["settings"]
    system = {name: value for name, value in settings["system"].items() if name not in ("size", "sampling")}
    run = {name: value for name, value in settings["run"].items() if name in BOUNDS or name not in BESIDE_WEIGHTS}
    way = settings["system"].get("sampling") if way is None else way
    return canonical_json([system, summary.get("front_end"), {**run, "seed": None}, way])


def _is_longer(summary: Mapping[str, Any]) -> bool:
    """Whether a training used more than its budget, by over a twentieth and two steps."""
    used = {"steps": summary["steps"], "hours": (summary.get("seconds") or 0) / 3600}
    bounds = {name: summary["settings"]["run"].get(name) for name in used}
    return any(
        bound is not None and used[name] > bound + max(0.05 * bound, 2 * used[name] / summary["steps"])
        for name, bound in bounds.items()
    )


def training_spread(groups: Iterable[Iterable[float | None]]) -> TrainingSpread | None:
    """The spread that the qualities of replicates show, equation 1; None where no group has two that are known.

    Args:
        groups: the mean quality of each replicate of each group, None where it is not known.
    """
    squares, freedom = 0.0, 0
    for group in groups:
        known = [value for value in group if value is not None and math.isfinite(value)]
        if len(known) > 1:
            squares += float(np.sum((np.array(known) - np.mean(known)) ** 2))
            freedom += len(known) - 1
    return TrainingSpread(squares / freedom, freedom) if freedom else None


def spreads_of_training(
    rows: Iterable[Mapping[str, Any]],
    summaries: Mapping[str, Mapping[str, Any]],
    ways: Mapping[str, Any] | None = None,
) -> dict[str, TrainingSpread]:
    """How far training alone moves each quality, by its column, where replicates tell.

    Args:
        rows: cells of systems by column, `system` and their qualities among them.
        summaries: `summary.json` of each system, by its name.
        ways: See `groups_of_replicates`.
    """
    by_system = {row["system"]: row for row in rows}
    replicates = groups_of_replicates(summaries, ways)
    groups = [[by_system.get(system, {}) for system in group] for group in replicates.values()]
    found = {
        name: training_spread([[row.get(name) for row in group] for group in groups])
        for name in (*METRIC_COLUMNS, PREDICTED_MOS)
    }
    return {name: spread for name, spread in found.items() if spread is not None}


def widen_by_training(
    rows: Sequence[dict[str, Any]],
    summaries: Mapping[str, Mapping[str, Any]],
    ways: Mapping[str, Any] | None = None,
) -> None:
    """Let the intervals of quality in `rows` of `systems.csv` hold for other seeds, where systems were trained here.

    Args:
        rows: cells of systems by column, which are changed.
        summaries: `summary.json` of each system, by its name.
        ways: See `groups_of_replicates`.
    """
    for name, spread in spreads_of_training(rows, summaries, ways).items():
        for row in rows:
            half_width, freedom = row.get(f"{name}_ci95"), row.get(f"{name}_degrees_of_freedom")
            if row.get("weights") == "trained" and half_width is not None and freedom:
                row[f"{name}_ci95"], row[f"{name}_degrees_of_freedom"] = spread.widened(half_width, freedom)
