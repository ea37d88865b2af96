"""One result from several runs of a measurement, each in a process of its own, with an interval that sees all of them.

Windows of one process share whatever a process draws once: addresses, algorithms, clocks, temperature. So run i has a
mean x_i = μ + b_i + e_i, where b_i is its own deviation and e_i the mean error of its n_i windows, with the standard
error u_i. The result is the plain mean of the k run means. Their sample variance s² estimates var(b) + mean(u²), all
there is, so the 95 % interval is Student's with k − 1 degrees of freedom, t · s / √k: the random-effects interval of
Hartung and Knapp (2001) for runs of equal weight. By chance s can be too small; then the interval is that of the
windows alone, as Röver, Knapp and Friede (2015) advise: t · √(Σu²) / k with the degrees of freedom of Satterthwaite,
Σ(n_i − 1) where runs are alike. The interval of a run whose number is a median has no degrees of freedom; its u_i is
that of a normal distribution. Runs weigh the same, since weights from the variances of a few windows would be noise,
and would let a run that differs but was steady win.

The variance between runs is Hedges and Olkin's (1985) estimate, max(0, s² − mean(u²)).

    Hartung and Knapp 2001, Statistics in Medicine 20, 3875–3889
    Röver, Knapp and Friede 2015, BMC Medical Research Methodology 15, 99
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from vocoder_pareto.intervals import student_quantile_95


@dataclass(frozen=True)
class Run:
    """What one run found.

    Attributes:
        mean: over its windows, or their median.
        half_width: of its 95 % interval; None from one window.
        degrees_of_freedom: of that interval, if it is Student's; None for a median, and from one window.
    """

    mean: float
    half_width: float | None = None
    degrees_of_freedom: float | None = None


@dataclass(frozen=True)
class CombinedRuns:
    """What all runs found together.

    Attributes:
        mean: of the runs, each with the same weight.
        half_width: of its 95 % interval, which holds the spread between runs; None from one window.
        degrees_of_freedom: of that interval; None if it is that of a normal distribution.
        between_runs: standard deviation between runs beyond that of their windows; None from one run.
    """

    mean: float
    half_width: float | None
    degrees_of_freedom: float | None
    between_runs: float | None


def combined_runs(runs: Sequence[Run]) -> CombinedRuns:
    """All `runs`, at least one, as one result."""
    if len(runs) == 1:
        return CombinedRuns(runs[0].mean, runs[0].half_width, runs[0].degrees_of_freedom, None)
    means = [run.mean for run in runs]
    variance = statistics.variance(means)
    squared_errors = [error**2 for run in runs if (error := _standard_error(run)) is not None]
    between = math.sqrt(max(0.0, variance - statistics.fmean(squared_errors or [0.0])))
    candidates = [(student_quantile_95(len(runs) - 1) * math.sqrt(variance / len(runs)), float(len(runs) - 1))]
    if len(squared_errors) == len(runs):
        freedom = [math.inf if run.degrees_of_freedom is None else run.degrees_of_freedom for run in runs]
        parts = sum(square**2 / degrees for square, degrees in zip(squared_errors, freedom, strict=True))
        degrees = sum(squared_errors) ** 2 / parts if parts else math.inf
        candidates.append((student_quantile_95(degrees) * math.sqrt(sum(squared_errors)) / len(runs), degrees))
    half_width, degrees = max(candidates)
    return CombinedRuns(statistics.fmean(means), half_width, degrees if math.isfinite(degrees) else None, between)


def _standard_error(run: Run) -> float | None:
    if run.half_width is None:
        return None
    return run.half_width / student_quantile_95(math.inf if run.degrees_of_freedom is None else run.degrees_of_freedom)
