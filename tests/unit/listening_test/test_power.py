import math

import numpy as np
import pandas as pd
import pytest
from panels import DEVIATIONS, crossed, ratings_of, table_of
from scipy import stats
from seeds import seed_of
from statsmodels.stats.power import TTestPower

from vocoder_pareto.listening_test.comparisons import pairwise_tests
from vocoder_pareto.listening_test.crossed_effects import Estimates
from vocoder_pareto.listening_test.fitted_ratings import fit_of_estimates, fit_ratings
from vocoder_pareto.listening_test.power import levels_needed, needed, power_of, power_table, shift_needed


@pytest.mark.parametrize("effect", [0.1, 0.3, 0.8, -0.5])
@pytest.mark.parametrize("people", [2, 5, 20, 60])
def test_power_equals_statsmodels(effect, people):
    expected = TTestPower().power(effect, people, 0.05, alternative="two-sided")
    assert power_of(effect * math.sqrt(people), people - 1, 0.05) == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("freedom", [1, 3, 30])
def test_power_of_strict_levels_equals_simulated_tests(freedom):
    """The outside is a million drawn statistics, where SciPy's noncentral distribution may have no value."""
    generator = np.random.default_rng(seed_of(0))
    shift = shift_needed(freedom, 0.05 / 190, 0.8)
    spread = np.sqrt(generator.chisquare(freedom, 1_000_000) / freedom)
    found = np.abs(shift + generator.normal(size=1_000_000)) > stats.t.isf(0.025 / 190, freedom) * spread
    assert np.mean(found) == pytest.approx(0.8, abs=0.006 if freedom == 1 else 0.003)


@pytest.mark.parametrize("effect", [0.15, 0.4, 1.0, -0.4])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 190])  # of one pair, and of all pairs of 20 systems
def test_participants_are_those_of_statsmodels_where_listeners_alone_differ(effect, alpha):
    exact = TTestPower().solve_power(abs(effect), power=0.8, alpha=alpha, alternative="two-sided")
    assert levels_needed(effect, (1 / 50, 49), (0.0, math.inf), 50, alpha, 0.8) == math.ceil(exact)


def test_power_grows_with_the_shift_up_to_one():
    powers = [power_of(shift, 12, 0.05 / 190) for shift in (0, 1, 2, 4, 8, 16, 32)]
    assert powers == sorted(powers)
    assert powers[0] == pytest.approx(0.05 / 190, rel=0.01)
    assert powers[-1] == pytest.approx(1)


@pytest.mark.parametrize("effect", [0.0, math.nan, math.inf, 1e-6])
def test_no_number_of_participants_finds_nothing(effect):
    assert levels_needed(effect, (1 / 50, 49), (0.0, math.inf), 50, 0.05, 0.8) is None


def test_no_number_of_participants_replaces_sentences():
    assert levels_needed(0.5, (0.02, 49), (0.1, 3), 50, 0.05, 0.8) is None


def share_found(systems, people, sentences, difference, alpha, panels=300):
    """In how many panels the test itself tells the first two systems apart, whose true difference is known."""
    design = crossed(systems, people, sentences)
    generator = np.random.default_rng(seed_of(1))
    qualities = np.array([difference, *np.zeros(systems - 1)])
    found = 0
    for panel in range(panels):
        estimates = design.estimate(ratings_of(design, qualities, generator)[:, None])
        fitted = fit_of_estimates(design, estimates, True, 100, panel)
        statistic = abs(fitted.mos[0] - fitted.mos[1]) / np.sqrt(fitted.differences.values[0, 1])
        found += 2 * stats.t.sf(statistic, fitted.differences.degrees_of_freedom[0, 1]) < alpha
    return found / panels


@pytest.mark.parametrize(("people", "sentences"), [(12, 2), pytest.param(15, 8, marks=pytest.mark.slow)])
@pytest.mark.parametrize("pairs", [1, 28])  # the strictest step of Holm's correction
def test_a_difference_that_is_called_detectable_is_found_so_often(people, sentences, pairs):
    """The outside is the test itself, on simulated panels of eight systems; 0.1 are four standard errors."""
    fitted = fit_of_estimates(crossed(8, people, sentences), Estimates.of_deviations(8, DEVIATIONS), True, 500, 0)
    difference = needed(fitted, (0, 1), 0.05 / pairs, 0.8)["detectable_difference"]
    assert share_found(8, people, sentences, difference, 0.05 / pairs) == pytest.approx(0.8, abs=0.1)


def test_so_many_participants_and_so_many_sentences_do_find_the_difference():
    """The outside is the same."""
    fitted = fit_of_estimates(crossed(4, 12, 8), Estimates.of_deviations(4, DEVIATIONS), True, 500, 0)
    counts = needed(fitted, (0, 1), 0.05, 0.8, difference=0.65)
    assert 1 < counts["n_participants_needed"] < 60
    assert share_found(4, counts["n_participants_needed"], 8, 0.65, 0.05) == pytest.approx(0.8, abs=0.1)
    assert share_found(4, 12, counts["n_utterances_needed"], 0.65, 0.05) == pytest.approx(0.8, abs=0.1)


def test_five_participants_are_not_advised_where_they_find_nothing():
    """Wilcoxon's signed-rank test of 5 listeners has no p-value below 2 / 2⁵ = 0.0625; nothing here may advise them."""
    design = crossed(3, 5, 10)
    table = table_of(design, ratings_of(design, [1.5, 3.0, 4.5], np.random.default_rng(seed_of(2))))
    fitted = fit_ratings(table, True, 500, 0)
    tests = pairwise_tests(fitted, table, 0.05)
    assert tests["significant"].all()  # this test does find large differences
    people = power_table(fitted, table, 0.05, 0.8)["n_participants_needed"].min()
    assert share_found(3, int(people), 10, 1.5, 0.05) > 0.5  # 0.8, but for what five listeners' spread is off by


def test_neighbours_in_the_ranking_are_compared():
    design = crossed(3, 30, 10)
    ratings = ratings_of(design, [1.0, 3.0, 2.6], np.random.default_rng(seed_of(0)))
    rated = table_of(design, ratings)
    table = power_table(fit_ratings(rated, True, 500, 0), rated, 0.05, 0.8)
    assert list(zip(table["system_a"], table["system_b"], strict=True)) == [("s01", "s02"), ("s02", "s00")]
    close, far = table.to_dict("records")
    assert close["mean_difference"] < far["mean_difference"]
    assert far["n_participants_needed"] < 30
    assert far["n_utterances_needed"] < 10
    assert (table["detectable_difference_all_pairs"] > table["detectable_difference"]).all()
    means = rated.pivot_table("rating", "participant", "system")
    assert close["sd_of_differences"] == pytest.approx((means["s01"] - means["s02"]).std(ddof=1))


@pytest.mark.parametrize("people", [1, 2])
def test_systems_that_are_rated_alike_or_once_have_no_estimate(people):
    rows = [(f"p{person}", system, "u", 3.0) for person in range(people) for system in "ab"]
    rated = pd.DataFrame(rows, columns=["participant", "system", "utterance", "rating"])
    table = power_table(fit_ratings(rated, True, 100, 0), rated, 0.05, 0.8)
    assert table.filter(regex="needed|detectable").isna().all().all()


def test_one_system_has_no_neighbours():
    rated = pd.DataFrame([("p", "a", "u", 3.0)], columns=["participant", "system", "utterance", "rating"])
    assert power_table(fit_ratings(rated, True, 100, 0), rated, 0.05, 0.8).empty
