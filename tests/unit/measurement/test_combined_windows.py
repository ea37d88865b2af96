"""How windows become one number: against SciPy's binomial quantiles, and against draws whose truth is known."""

import numpy as np
import pytest
from scipy import stats
from seeds import seed_of

from vocoder_pareto.measurement.combined_windows import combined_windows, drift

DRAWS = 4000
UNSURE = 4 * (0.95 * 0.05 / DRAWS) ** 0.5  # four standard errors of a share


def test_windows_that_agree_give_their_mean_with_students_interval():
    values = [10.0, 10.1, 9.9, 10.05, 9.95]
    found = combined_windows([values], accepted=0.05, process_spread=0.0)
    low, high = stats.t.interval(0.95, 4, np.mean(values), stats.sem(values))
    assert (found.method, found.value) == ("mean", pytest.approx(10.0))
    assert found.half_width == pytest.approx((high - low) / 2)
    assert found.process_spread is None


@pytest.mark.parametrize("count", [5, 6, 9, 10, 15, 20])
def test_windows_that_differ_give_their_median_with_the_interval_of_ranks(count):
    """Ranks by the binomial distribution: the k-th smallest and largest hold the median with 1 - 2 P(X < k)."""
    values = np.exp(np.random.default_rng(seed_of(count)).normal(0, 1, count))
    found = combined_windows([list(values)], accepted=0.01, process_spread=0.0)
    ranks = [k for k in range(1, count // 2 + 1) if 1 - 2 * stats.binom.cdf(k - 1, count, 0.5) >= 0.95]
    rank = max(ranks, default=1)
    low, high = np.sort(values)[[rank - 1, count - rank]]
    assert (found.method, found.value) == ("median", pytest.approx(np.median(values)))
    assert found.half_width == pytest.approx(max(found.value - low, high - found.value))


def test_less_than_half_of_the_windows_cannot_move_the_median_far():
    calm = [4.3, 4.4, 4.5, 4.4]
    disturbed = [40.0, 33.0, 28.0]
    assert 4.3 <= combined_windows([[*calm, *disturbed]], 0.1, 0.01).value <= 4.5


def test_the_interval_of_the_median_holds_the_true_one():
    """Windows of 3 ± 1.5 lognormal units, which no interval of the mean fits."""
    random = np.random.default_rng(seed_of(1))
    held = 0
    for _ in range(DRAWS):
        found = combined_windows([list(np.exp(random.normal(1, 0.8, 10)))], accepted=0.01, process_spread=0.0)
        held += abs(found.value - np.e) <= found.half_width
    assert held / DRAWS >= 0.95 - UNSURE


@pytest.mark.parametrize(("processes", "windows"), [(2, 3), (2, 5), (3, 3)])
def test_the_interval_holds_the_truth_where_processes_differ_as_is_known_beforehand(processes, windows):
    """Processes that differ by 1 % (standard deviation), windows by 0.5 %."""
    random = np.random.default_rng(seed_of(2))
    own = 100 * (1 + 0.01 * random.normal(size=(DRAWS, processes, 1)))
    values = own + 0.5 * random.normal(size=(DRAWS, processes, windows))
    found = [combined_windows(each.tolist(), accepted=0.1, process_spread=0.01) for each in values]
    held = np.mean([abs(each.value - 100) <= each.half_width for each in found])
    assert 0.95 - UNSURE <= held <= 0.99


def test_windows_of_processes_that_differ_alone_would_say_far_too_little():
    """What the spread of processes adds: the same draws, taken as ten windows of one process, hold the truth half the
    time.
    """
    random = np.random.default_rng(seed_of(2))
    own = 100 * (1 + 0.01 * random.normal(size=(DRAWS, 2, 1)))
    values = own + 0.1 * random.normal(size=(DRAWS, 2, 5))
    alone = [combined_windows([each.ravel().tolist()], 0.1, 0.0) for each in values]
    held = np.mean([abs(each.value - 100) <= each.half_width for each in alone])
    assert held < 0.75


def test_processes_that_differ_more_than_is_known_widen_the_interval():
    near, far = ([[100.0, 100.1, 99.9], [shift, shift + 0.1, shift - 0.1]] for shift in (100.0, 110.0))
    found = [combined_windows(each, accepted=0.1, process_spread=0.01) for each in (near, far)]
    assert found[1].half_width > 3 * found[0].half_width
    assert found[1].process_spread == pytest.approx(10 / 105)
    assert found[0].process_spread == pytest.approx(0.0)


@pytest.mark.parametrize(("times", "held"), [(1, 0.99), (2, 0.91), (4, 0.81)])
def test_how_often_the_interval_holds_the_truth_where_processes_differ_more_than_is_known(times, held):
    """What docs/measurement.md says of two processes with two windows each."""
    random = np.random.default_rng(seed_of(5))
    own = 100 * (1 + 0.01 * times * random.normal(size=(DRAWS, 2, 1)))
    values = own + 0.3 * random.normal(size=(DRAWS, 2, 2))
    found = [combined_windows(each.tolist(), accepted=0.1, process_spread=0.01) for each in values]
    share = np.mean([abs(each.value - 100) <= each.half_width for each in found])
    assert share == pytest.approx(held, abs=0.02)


def test_one_window_has_no_interval():
    assert combined_windows([[3.0]], 0.1, 0.01).half_width is None


def test_drift_is_the_slope_that_numpy_fits():
    random = np.random.default_rng(seed_of(3))
    times = np.arange(0.0, 150.0, 30.0)
    values = 100 + 0.05 * times + 0.1 * random.normal(size=5)
    slope = np.polyfit(times, values, 1)[0]
    found = drift([list(zip(times, values, strict=True))])
    assert found == pytest.approx(slope * 120 / values.mean())
    assert drift([list(zip(times[:2], values[:2], strict=True))]) is None  # two windows tell of no slope


def test_noise_is_seldom_taken_for_drift():
    """Two-sided at 99 %: one time in a hundred, four standard errors added."""
    random = np.random.default_rng(seed_of(4))
    processes = [[[(30.0 * index, value) for index, value in enumerate(each)] for each in random.normal(100, 1, (2, 5))]
                 for _ in range(DRAWS)]  # fmt: skip
    share = np.mean([drift(each) is not None for each in processes])
    assert share < 0.01 + 4 * (0.01 * 0.99 / DRAWS) ** 0.5
