"""Probabilities of being optimal, against distributions worked out elsewhere and simulations whose truth is known."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from seeds import seed_of

from vocoder_pareto.analysis.front_probability import front_probability
from vocoder_pareto.analysis.uncertainty import Uncertainty, quantile_95, uncertainty_of
from vocoder_pareto.intervals import mean_with_interval

WAYS = ["min", "max"]
DRAWS = 20_000
TOLERANCE = 4 * 0.5 / np.sqrt(DRAWS)  # four standard errors of a share


def uncertain(errors, degrees=np.inf, systematic=0.0, instruments=None, common_share=0.0):
    errors = np.asarray(errors, dtype=float)
    instruments = np.zeros(len(errors), dtype=int) if instruments is None else np.asarray(instruments)
    parts = (np.broadcast_to(np.asarray(part, dtype=float), errors.shape) for part in (degrees, systematic))
    return Uncertainty(errors, *parts, instruments, common_share)


def test_probability_of_two_systems_is_that_of_a_difference_of_normals():
    # Equal cost: each is optimal when its quality is the larger one.
    values, errors = np.array([[1.0, 3.0], [1.0, 3.2]]), np.array([[0.0, 0.1], [0.0, 0.15]])
    found = front_probability(values, uncertain(errors), WAYS, DRAWS, seed_of(0))
    assert found[1] == pytest.approx(stats.norm.cdf(0.2 / np.hypot(0.1, 0.15)), abs=TOLERANCE)
    assert found.sum() == pytest.approx(1)


def test_a_mean_of_five_windows_is_drawn_from_students_distribution():
    """Against the distribution function of scipy: the second system is cheaper with P(t < 1.2) for 4 degrees."""
    values, errors = np.array([[10.0, 1.0], [10.6, 1.0]]), np.array([[0.0, 0.0], [0.5, 0.0]])
    found = front_probability(values, uncertain(errors, degrees=4), WAYS, DRAWS, seed_of(0))
    assert found[1] == pytest.approx(stats.t.cdf(-1.2, df=4), abs=TOLERANCE)
    too_wide = stats.norm.cdf(-0.6 / (2.776 * 0.5 / 1.96))  # a normal that has the same 95 % interval
    assert abs(found[1] - too_wide) > 2 * TOLERANCE


@pytest.mark.parametrize("windows", [3, 5])
def test_draws_cover_the_truth_as_often_as_they_say(windows):
    """Simulated measurements whose truth is known: its place among the draws is uniform, so every interval covers."""
    generator = np.random.default_rng(seed_of(windows))
    truth, experiments, draws = 24.0, 2000, 199
    found = [mean_with_interval(list(values)) for values in generator.normal(truth, 1.5, (experiments, windows))]
    table = pd.DataFrame({"j": [each.mean for each in found], "j_ci95": [each.half_width for each in found]})
    uncertainty = uncertainty_of(table.assign(j_degrees_of_freedom=windows - 1, j_systematic=0.0), ["j"])
    drawn = uncertainty.draws(table[["j"]].to_numpy(), draws, generator)[..., 0]
    places = (drawn < truth).mean(axis=0)
    normal_places = stats.norm.cdf(truth, table["j"], table["j_ci95"] / 1.959964)
    for level in (0.5, 0.8, 0.95):
        covered = np.mean(np.abs(places - 0.5) < level / 2)
        assert covered == pytest.approx(level, abs=4 * np.sqrt(level * (1 - level) / experiments) + 1 / draws)
    assert np.mean(np.abs(normal_places - 0.5) < 0.25) > 0.56  # the normal of the same interval: 50 % are 61 %


def test_probabilities_of_simulated_studies_come_true():
    """Two systems of equal quality, measured in five windows: of those called p likely the cheaper, a share p is."""
    generator = np.random.default_rng(seed_of(1))
    said, came_true = [], []
    for study in range(600):
        first, second = 10.0, 10.0 + generator.uniform(-2.5, 2.5)
        intervals = [mean_with_interval(list(generator.normal(truth, 1.0, 5))) for truth in (first, second)]
        values = np.array([[interval.mean, 3.0] for interval in intervals])
        errors = np.array([[interval.half_width / 2.776445, 0.0] for interval in intervals])
        said.append(front_probability(values, uncertain(errors, degrees=4), WAYS, 200, study)[0])
        came_true.append(first < second)
    said, came_true = np.array(said), np.array(came_true)
    for low, high in ((0.0, 0.25), (0.25, 0.5), (0.5, 0.75), (0.75, 1.001)):
        chosen = (said >= low) & (said < high)
        standard_error = 0.5 / np.sqrt(chosen.sum())
        assert chosen.sum() > 30
        # Student's draws for two unknown variances are a little too careful (Behrens and Fisher), never too sure.
        assert came_true[chosen].mean() == pytest.approx(said[chosen].mean(), abs=0.06 + 3 * standard_error)


def test_a_gain_common_to_all_systems_changes_no_order_and_one_of_each_does():
    values = np.array([[1.0, 3.0], [1.1, 3.0]])
    no_error, gain = np.zeros((2, 2)), np.array([[0.1, 0.0], [0.1, 0.0]])
    common = front_probability(values, uncertain(no_error, systematic=gain, common_share=1.0), WAYS, 500, 0)
    assert common.tolist() == [1, 0]
    own = front_probability(values, uncertain(no_error, systematic=gain), WAYS, DRAWS, seed_of(0))
    expected = stats.norm.cdf(
        1.959964 * np.log(1.1) / (np.sqrt(2) * np.log1p(0.1))
    )  # the ratio of two log-normal gains
    assert own[0] == pytest.approx(expected, abs=TOLERANCE)


def test_two_devices_have_gains_of_their_own_even_where_all_of_it_is_common():
    values, gain = np.array([[1.0, 3.0], [1.1, 3.0]]), np.array([[0.1, 0.0], [0.1, 0.0]])
    uncertainty = uncertain(np.zeros((2, 2)), systematic=gain, instruments=[0, 1], common_share=1.0)
    found = front_probability(values, uncertainty, WAYS, DRAWS, seed_of(0))
    assert found[0] == pytest.approx(
        stats.norm.cdf(1.959964 * np.log(1.1) / (np.sqrt(2) * np.log1p(0.1))), abs=TOLERANCE
    )


def test_the_share_splits_the_variance_of_the_gain():
    """What remains of each system after a share c is √(1 − c) of the whole, and 95 of 100 gains are within 5 %."""
    draws = 20_000
    uncertainty = uncertain(np.zeros((2, 1)), systematic=0.05, common_share=0.8)
    generator = np.random.default_rng(seed_of(0))
    logs = np.log(uncertainty.draws(np.ones((2, 1)), draws, generator)[..., 0])
    assert (np.abs(logs[:, 0]) < np.log1p(0.05)).mean() == pytest.approx(0.95, abs=0.01)
    assert (logs[:, 0] - logs[:, 1]).std() == pytest.approx(np.sqrt(2 * 0.2) * logs[:, 0].std(), rel=0.03)


def test_one_value_of_unknown_uncertainty_leaves_no_probability_known():
    errors = np.array([[np.nan, 0.1], [0.1, 0.1]])
    assert np.isnan(front_probability(np.ones((2, 2)), uncertain(errors), WAYS, 10)).all()


def test_exact_values_are_optimal_with_probability_one_or_zero():
    values = np.array([[1.0, 3.0], [2.0, 2.0], [2.0, 5.0]])
    assert front_probability(values, uncertain(np.zeros((3, 2))), WAYS, draws=10).tolist() == [1, 0, 1]


def test_many_points_are_counted_as_few_are():
    """More points than are compared in pairs: copies of two systems far below the front change no probability."""
    values, errors = np.array([[1.0, 3.0], [1.0, 3.2]]), np.array([[0.0, 0.1], [0.0, 0.15]])
    worse, exact = np.tile([[9.0, 1.0], [8.0, 0.5]], (60, 1)), np.zeros((120, 2))
    many = front_probability(np.vstack([values, worse]), uncertain(np.vstack([errors, exact])), WAYS, 2000, 3)
    assert many[1] == pytest.approx(stats.norm.cdf(0.2 / np.hypot(0.1, 0.15)), abs=4 * 0.5 / np.sqrt(2000))
    assert many[0] + many[1] == pytest.approx(1)
    assert not many[2:].any()


def test_equal_seeds_give_equal_probabilities_and_other_seeds_others():
    values = np.random.default_rng(seed_of(0)).random((8, 2))
    one, same, other = (
        front_probability(values, uncertain(np.full((8, 2), 0.1)), WAYS, 500, seed) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_counts_are_exact_and_other_values_without_an_interval_unknown():
    table = pd.DataFrame({"parameters": [1.0, 2.0], "mos": [3.0, 4.0], "mos_ci95": [0.2, np.nan]})
    uncertainty = uncertainty_of(table, ["parameters", "mos"])
    assert uncertainty.unknown.tolist() == [[False, False], [False, True]]
    assert uncertainty.standard_errors[0].tolist() == pytest.approx([0, 0.2 / 1.959964])
    assert not uncertainty_of(table[:1], ["mos"], exact=["mos"]).unknown.any()


def test_intervals_for_comparisons_come_before_whole_ones():
    """The outside is Student's quantile of ten degrees of freedom, and the normal one, from tables."""
    beside = {"mos_comparison_ci95": [0.1, np.nan], "mos_comparison_degrees_of_freedom": [10.0, np.nan]}
    table = pd.DataFrame({"mos": [3.0, 4.0], "mos_ci95": [0.5, 0.5], "mos_degrees_of_freedom": [2.0, np.nan]} | beside)
    uncertainty = uncertainty_of(table, ["mos"])
    assert uncertainty.standard_errors[:, 0] == pytest.approx([0.1 / 2.228139, 0.5 / 1.959964])
    assert uncertainty.degrees_of_freedom[:, 0].tolist() == [10.0, np.inf]


def test_instruments_are_told_apart_by_device_and_source():
    table = pd.DataFrame({"x": [1.0] * 4, "device": ["A", "A", "B", "B"], "energy_source": ["n", "n", "n", "r"]})
    assert uncertainty_of(table, ["x"]).instruments.tolist() == [0, 0, 1, 2]


def test_quantiles_are_those_of_printed_tables():
    # From a printed table of t: 12.706, 2.776, 2.021 for 1, 4 and 40 degrees of freedom.
    found = quantile_95(np.array([1.0, 4.0, 40.0, np.inf]))
    assert found == pytest.approx([12.706, 2.776, 2.021, 1.960], abs=6e-4)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"errors": np.full((2, 2), -0.1)}, "negative"),
        ({"systematic": -0.1}, "negative"),
        ({"degrees": 0.5}, "degrees of freedom"),
        ({"common_share": 1.5}, "common share"),
        ({"instruments": [0]}, "do not fit"),
    ],
)
def test_impossible_uncertainties_are_refused(changes, words):
    with pytest.raises(ValueError, match=words):
        uncertain(**({"errors": np.ones((2, 2))} | changes))


def test_no_draw_and_another_shape_are_refused():
    with pytest.raises(ValueError, match="at least one draw"):
        front_probability(np.ones((2, 2)), uncertain(np.ones((2, 2))), WAYS, draws=0)
    with pytest.raises(ValueError, match="shape"):
        front_probability(np.ones((3, 2)), uncertain(np.ones((2, 2))), WAYS)
