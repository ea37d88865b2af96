"""Means and their 95 % intervals."""

import numpy as np
import pytest
from scipy import stats

from vocoder_pareto.intervals import mean_with_interval


def test_the_interval_is_students_t():
    values = [3.1, 2.7, 3.4, 2.9, 3.3]
    interval = mean_with_interval(values)
    low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=stats.sem(values))
    assert interval.mean == pytest.approx(np.mean(values))
    assert interval.half_width == pytest.approx((high - low) / 2)
    # By hand, from a printed table of t: 2.776 for 4 degrees of freedom.
    assert interval.half_width == pytest.approx(2.776 * np.std(values, ddof=1) / 5**0.5, rel=1e-3)


def test_one_value_has_no_interval():
    assert mean_with_interval([2.0]).half_width is None
