import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from seeds import seed_of
from statsmodels.stats.power import TTestPower

from vocoder_pareto.listening_test.power import participants_needed, power_of, power_table


@pytest.mark.parametrize("effect", [0.1, 0.3, 0.8, -0.5])
@pytest.mark.parametrize("people", [5, 20, 60])
def test_power_equals_statsmodels(effect, people):
    expected = TTestPower().power(effect, people, 0.05, alternative="two-sided")
    assert power_of(effect, people, 0.05) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("effect", [0.15, 0.4, 1.0, -0.4])
@pytest.mark.parametrize("alpha", [0.05, 0.05 / 190])  # of one pair, and of all pairs of 20 systems
def test_participants_are_those_of_statsmodels_over_the_efficiency_of_wilcoxon(effect, alpha):
    exact = TTestPower().solve_power(abs(effect), power=0.8, alpha=alpha, alternative="two-sided")
    assert participants_needed(effect, alpha, 0.8) == math.ceil(math.ceil(exact) * math.pi / 3)


def test_power_grows_with_participants_up_to_one():
    powers = [power_of(0.4, people, 0.05 / 190) for people in (10, 100, 140, 256, 512, 1024, 5000)]
    assert powers == sorted(powers)
    assert powers[-1] == pytest.approx(1)


def test_so_many_participants_do_reach_the_power():
    generator = np.random.default_rng(seed_of(0))
    people = participants_needed(0.5, 0.05, 0.8)
    found = [stats.wilcoxon(generator.normal(0.5, 1, people)).pvalue < 0.05 for _ in range(1000)]
    assert np.mean(found) == pytest.approx(0.8, abs=0.04)


@pytest.mark.parametrize("effect", [0.0, math.nan, math.inf, 1e-6])
def test_no_number_of_participants_finds_nothing(effect):
    assert participants_needed(effect, 0.05, 0.8) is None


def test_neighbours_in_the_ranking_are_compared():
    generator = np.random.default_rng(seed_of(0))
    rows = [
        (f"p{person}", system, quality + generator.normal(scale=0.5))
        for person in range(30)
        for system, quality in (("c", 1.0), ("a", 3.0), ("b", 2.8))
    ]
    table = power_table(pd.DataFrame(rows, columns=["participant", "system", "rating"]), 0.05, 0.8)
    assert list(zip(table["system_a"], table["system_b"], strict=True)) == [("a", "b"), ("b", "c")]
    close, far = table.to_dict("records")
    assert close["n_participants_needed"] > far["n_participants_needed"]
    assert close["n_participants_needed_all_pairs"] > close["n_participants_needed"]
    effect = close["mean_difference"] / close["sd_of_differences"]
    assert close["power_now"] == pytest.approx(TTestPower().power(effect, 30, 0.05, alternative="two-sided"), abs=1e-6)


@pytest.mark.parametrize("people", [1, 2])
def test_systems_that_are_rated_alike_or_once_have_no_estimate(people):
    rows = [(f"p{person}", system, 3.0) for person in range(people) for system in "ab"]
    table = power_table(pd.DataFrame(rows, columns=["participant", "system", "rating"]), 0.05, 0.8)
    assert table["n_participants_needed"].isna().all()
    assert table["power_now"].isna().all()


def test_one_system_has_no_neighbours():
    table = power_table(pd.DataFrame([("p", "a", 3.0)], columns=["participant", "system", "rating"]), 0.05, 0.8)
    assert table.empty
