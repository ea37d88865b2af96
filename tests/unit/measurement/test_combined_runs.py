"""Runs as one result: by hand, and against simulated processes whose true mean and spread are known."""

import numpy as np
import pytest
from scipy import stats
from seeds import seed_of

from vocoder_pareto.intervals import mean_with_interval
from vocoder_pareto.measurement.combined_runs import Run, combined_runs


def test_two_runs_by_hand():
    found = combined_runs([Run(10.0, 0.1, 4), Run(11.0, 0.1, 4)])
    assert found.mean == 10.5
    # s² = 0.5, t of 1 degree of freedom from a printed table: 12.706.
    assert found.half_width == pytest.approx(12.706 * (0.5 / 2) ** 0.5, rel=1e-4)
    assert found.degrees_of_freedom == 1
    assert found.between_runs == pytest.approx((0.5 - (0.1 / 2.776) ** 2) ** 0.5, rel=1e-4)


def test_runs_that_agree_by_chance_keep_the_interval_of_their_windows():
    found = combined_runs([Run(10.0, 2.776, 4), Run(10.0, 2.776, 4)])  # standard errors of 1
    assert found.half_width == pytest.approx(stats.t.ppf(0.975, 8) * (1 + 1) ** 0.5 / 2, rel=1e-3)
    assert (found.degrees_of_freedom, found.between_runs) == (8, 0.0)


def test_runs_by_median_that_agree_by_chance_keep_the_interval_of_their_windows_too():
    """Medians have no degrees of freedom. Two runs of a stored set, ±1.9 % and ±4.6 %, agreed to 0.07 %."""
    found = combined_runs([Run(5.2306, 0.0970, 5.8), Run(5.2342, 0.2426)])
    errors = 0.0970 / stats.t.ppf(0.975, 5.8), 0.2426 / stats.norm.ppf(0.975)
    assert found.half_width > 1.96 * np.hypot(*errors) / 2
    degrees = (errors[0] ** 2 + errors[1] ** 2) ** 2 / (errors[0] ** 4 / 5.8)  # Satterthwaite's, by hand
    assert found.degrees_of_freedom == pytest.approx(degrees)
    found = combined_runs([Run(5.0, 0.3), Run(5.0, 0.4)])
    assert (found.half_width, found.degrees_of_freedom) == (pytest.approx(0.25), None)  # as 3, 4, 5


def test_one_run_stays_as_it_is_and_runs_without_an_interval_have_that_of_their_means():
    found = combined_runs([Run(10.0, 0.1, 4)])
    assert (found.mean, found.half_width, found.degrees_of_freedom, found.between_runs) == (10.0, 0.1, 4, None)
    found = combined_runs([Run(10.0), Run(11.0)])
    assert (found.degrees_of_freedom, found.between_runs) == (1, pytest.approx(0.5**0.5))


def test_runs_far_apart_are_independent_values():
    """Against the interval of scipy."""
    means = [23.6, 25.1, 22.2, 24.0]
    found = combined_runs([Run(mean, 0.01, 4) for mean in means])
    low, high = stats.t.interval(0.95, 3, np.mean(means), stats.sem(means))
    assert (found.mean - found.half_width, found.mean + found.half_width) == pytest.approx((low, high))


@pytest.mark.parametrize("runs", [2, 3, 5])
@pytest.mark.parametrize("between", [0.0, 0.5, 5.0])
def test_the_interval_covers_the_mean_of_all_processes(runs, between):
    """Simulated processes: windows of standard deviation 1 around a mean that each process draws anew."""
    generator = np.random.default_rng(seed_of(int(10 * runs + between)))
    studies, windows, truth = 1500, 5, 40.0
    covered = covered_by_first = 0
    for _ in range(studies):
        levels = truth + between * generator.standard_normal(runs)
        found = [mean_with_interval(list(generator.normal(level, 1.0, windows))) for level in levels]
        whole = combined_runs([Run(each.mean, each.half_width, windows - 1) for each in found])
        covered += abs(whole.mean - truth) <= whole.half_width
        covered_by_first += abs(found[0].mean - truth) <= found[0].half_width
    four_errors = 4 * (0.95 * 0.05 / studies) ** 0.5
    assert covered / studies >= 0.95 - four_errors
    if between == 5.0:
        assert covered / studies == pytest.approx(0.95, abs=four_errors)
        assert covered_by_first / studies < 0.3  # what windows of one process know
