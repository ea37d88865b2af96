"""A mean and how sure it is: the 95 % interval by Student's t of independent values."""

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from scipy.special import stdtrit  # scipy.stats takes half a second to import


@dataclass(frozen=True)
class Interval:
    """A mean, and the half-width of its 95 % interval (None from one value)."""

    mean: float
    half_width: float | None

    @property
    def relative(self) -> float | None:
        """Half-width over mean."""
        return None if self.half_width is None or not self.mean else self.half_width / self.mean


def mean_with_interval(values: Sequence[float]) -> Interval:
    """Mean and 95 % interval by Student's t of independent `values`, at least one."""
    if len(values) < 2:
        return Interval(values[0], None)
    error = statistics.stdev(values) / math.sqrt(len(values))
    return Interval(statistics.fmean(values), student_quantile_95(len(values) - 1) * error)


def student_quantile_95(degrees_of_freedom: float) -> float:
    """The half-width of a 95 % interval by Student's t, in standard errors."""
    return float(stdtrit(degrees_of_freedom, 0.975))
