"""One result from several runs of a measurement, each in a process of its own, with an interval that sees all of them.

Windows of one process share whatever a process draws once: addresses, algorithms, clocks, temperature. So run i has a
mean x_i = μ + b_i + e_i, where b_i is its own deviation and e_i the mean error of its n_i windows, with the standard
error u_i. The result is the plain mean of the k run means. Their sample variance s² estimates var(b) + mean(u²), all
there is, so the 95 % interval is Student's with k − 1 degrees of freedom, t · s / √k: the random-effects interval of
Hartung and Knapp (2001) for runs of equal weight. By chance s can be too small; then the interval is that of the
windows alone, as Röver, Knapp and Friede (2015) advise: t · √(Σu²) / k with Σ(n_i − 1) degrees of freedom. Runs weigh
the same, since weights from the variances of a few windows would be noise, and would let a run that differs but was
steady win.

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
        mean: over its windows.
        half_width: of the 95 % interval of that mean by Student's t; None from one window.
        degrees_of_freedom: of that interval; None from one window.
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
        degrees_of_freedom: of that interval.
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
    windows = [
        ((run.half_width / student_quantile_95(run.degrees_of_freedom)) ** 2, run.degrees_of_freedom)
        for run in runs
        if run.half_width is not None and run.degrees_of_freedom is not None
    ]
    inner = [squared_error for squared_error, _ in windows]
    between = math.sqrt(max(0.0, variance - statistics.fmean(inner or [0.0])))
    candidates = [(student_quantile_95(len(runs) - 1) * math.sqrt(variance / len(runs)), float(len(runs) - 1))]
    if len(windows) == len(runs):
        degrees = sum(degrees for _, degrees in windows)
        candidates.append((student_quantile_95(degrees) * math.sqrt(sum(inner)) / len(runs), degrees))
    half_width, degrees_of_freedom = max(candidates)
    return CombinedRuns(statistics.fmean(means), half_width, degrees_of_freedom, between)
