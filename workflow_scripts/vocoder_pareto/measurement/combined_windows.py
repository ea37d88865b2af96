"""One number from windows that differ: a mean where they agree, a median where they do not, and its 95 % interval.

Two sources of spread enter the interval. Windows of one process differ by noise and by what disturbed them. Processes
differ by where their memory lies and by when they ran; two of them tell little of it (with one degree of freedom
Student's factor is 12.7), so that what is known beforehand is counted as if it came from `KNOWN_FREEDOM` processes
more, as variances are moderated by Smyth (2004), Statistical Applications in Genetics and Molecular Biology 3(1).
"""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtr, stdtrit

from vocoder_pareto.intervals import mean_with_interval, student_quantile_95

KNOWN_FREEDOM = 4
CONFIDENCE = 0.95
FEWEST_FOR_RANKS = 5  # whose range holds the median with 94 %
SURE_OF_DRIFT = 0.99


@dataclass(frozen=True)
class CombinedWindows:
    """A number for all windows.

    Attributes:
        value: is the mean or the median.
        half_width: of its 95 % interval; None from one window.
        degrees_of_freedom: of that interval, if it is Student's: of windows and processes together by Welch and
            Satterthwaite; None for a median, and from one window.
        method: `mean`, or `median` where windows differ.
        process_spread: is the range of the processes' own values over `value`; None from one process.
    """

    value: float
    half_width: float | None
    degrees_of_freedom: float | None
    method: Literal["mean", "median"]
    process_spread: float | None

    @property
    def relative(self) -> float | None:
        """Half-width over value."""
        return None if self.half_width is None or not self.value else self.half_width / self.value


def combined_windows(processes: Sequence[Sequence[float]], accepted: float, process_spread: float) -> CombinedWindows:
    """Combine the values of all windows of all processes.

    A mean is taken if the interval of the windows about it is at most `accepted` of it. Else the windows differ by more
    than noise, which is nearly always because something took part of the machine from some of them. The median is not
    moved by less than half of them, and its interval, from the ranks of the values (binomial), asks for no
    distribution.

    Args:
        processes: hold one value of each window, at least one, for each process that has any.
        accepted: is a half-width over the value.
        process_spread: is the standard deviation between processes over the value as known beforehand; 0 says that
            they are known not to differ.
    """
    values = [value for process in processes for value in process]
    own = [statistics.fmean(process) for process in processes]
    plain = mean_with_interval(values)
    method: Literal["mean", "median"] = "mean"
    value, windows = plain.mean, plain.half_width
    if plain.relative is not None and plain.relative > accepted:
        method, value, windows = "median", statistics.median(values), _half_width_of_median(values)
        own = [statistics.median(process) for process in processes]
    between, freedom = _half_width_of_processes(processes, own, value * process_spread)
    half_width = None if windows is None else math.hypot(windows, between)
    degrees = None
    if method == "mean" and windows is not None:
        degrees = _joint_freedom([(windows, len(values) - 1), (between, freedom)])
    spread = (max(own) - min(own)) / value if len(own) > 1 and value else None
    return CombinedWindows(value, half_width, degrees, method, spread)


def _joint_freedom(half_widths: Sequence[tuple[float, float]]) -> float | None:
    """Degrees of freedom of a sum of errors, each with its half-width and degrees of freedom (Satterthwaite 1946)."""
    variances = [(width / student_quantile_95(freedom)) ** 2 for width, freedom in half_widths]
    parts = sum(variance**2 / freedom for variance, (_, freedom) in zip(variances, half_widths, strict=True))
    return sum(variances) ** 2 / parts if parts else None


def _half_width_of_processes(
    processes: Sequence[Sequence[float]], own: Sequence[float], known: float
) -> tuple[float, float]:
    """What the spread of processes adds, and its degrees of freedom: that seen and that known beforehand, by theirs."""
    freedom = KNOWN_FREEDOM + len(own) - 1
    if not known:
        return 0.0, freedom
    by_windows = statistics.fmean(statistics.variance(each) / len(each) if len(each) > 1 else 0.0 for each in processes)
    seen = max(statistics.variance(own) - by_windows, 0.0) if len(own) > 1 else 0.0
    variance = (KNOWN_FREEDOM * known**2 + (len(own) - 1) * seen) / freedom
    return student_quantile_95(freedom) * math.sqrt(variance / len(own)), freedom


def _half_width_of_median(values: Sequence[float]) -> float | None:
    """The farther end of the interval between two ranks that holds the median with at least 95 % (94 % from five)."""
    count, ordered = len(values), sorted(values)
    if count < FEWEST_FOR_RANKS:
        return mean_with_interval(values).half_width
    left_out = 0
    while 2 * bdtr(left_out, count, 0.5) <= 1 - CONFIDENCE and left_out + 1 < count / 2:
        left_out += 1
    median = statistics.median(ordered)
    low = max(left_out - 1, 0)
    return max(median - ordered[low], ordered[count - 1 - low] - median)


def drift(processes: Sequence[Sequence[tuple[float, float]]]) -> float | None:
    """How much a value changes from the first window of a process to its last, by a line common to all, over the mean.

    Args:
        processes: hold the time and the value of each window in order.

    Returns:
        None unless a slope is certain (two-sided, 99 %), as from few windows it never is.
    """
    points = [np.array(process) for process in processes if len(process) > 1]
    freedom = sum(map(len, points)) - len(points) - 1
    if freedom < 1:
        return None
    centred = np.concatenate([process - process.mean(axis=0) for process in points])
    times, values = centred.T
    if not times.any():
        return None
    slope = float(times @ values / (times @ times))
    residual = float(np.sum((values - slope * times) ** 2)) / freedom
    error = math.sqrt(residual / float(times @ times))
    if abs(slope) <= float(stdtrit(freedom, (1 + SURE_OF_DRIFT) / 2)) * error:
        return None
    length = max(float(np.ptp(process[:, 0])) for process in points)
    mean = float(np.mean(np.concatenate(points)[:, 1]))
    return slope * length / mean if mean else None
