import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats
from seeds import seed_of
from statsmodels.stats.multitest import multipletests

from vocoder_pareto.listening_test.comparisons import friedman_test, holm_adjusted, pairwise_tests, signed_rank_test


@pytest.fixture
def table():
    generator = np.random.default_rng(seed_of(0))
    rows = [
        (f"p{person}", system, f"u{sentence}", np.clip(round(quality + generator.normal(scale=0.9)), 1, 5))
        for person in range(20)
        for system, quality in (("good", 4.2), ("fair", 3.0), ("alike", 3.05), ("bad", 1.5))
        for sentence in range(4)
    ]
    return pd.DataFrame(rows, columns=["participant", "system", "utterance", "rating"])


def means_of(table, system):
    return table[table["system"] == system].groupby("participant")["rating"].mean().sort_index()


@settings(max_examples=30)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_holm_equals_statsmodels(p_values):
    assert holm_adjusted(p_values) == pytest.approx(multipletests(p_values, method="holm")[1])


def test_holm_of_a_known_example():
    # Holm 1979: 0.01 × 4, 0.02 × 3, 0.03 × 2 but not below the one before, 0.04 × 1 likewise.
    assert holm_adjusted([0.01, 0.02, 0.03, 0.04]) == pytest.approx([0.04, 0.06, 0.06, 0.06])


def test_holm_leaves_tests_that_were_not_made_out_of_the_count():
    assert holm_adjusted([0.01, np.nan, 0.02]) == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)


def test_pairs_are_tested_on_the_means_of_participants(table):
    result = pairwise_tests(table, 0.05).set_index(["system_a", "system_b"])
    assert len(result) == 6
    expected = stats.wilcoxon(means_of(table, "good"), means_of(table, "bad"))
    row = result.loc[("good", "bad")]
    assert (row["statistic"], row["p_value"]) == pytest.approx((expected.statistic, expected.pvalue))
    assert row["mean_difference"] == pytest.approx((means_of(table, "good") - means_of(table, "bad")).mean())
    assert row["n_participants"] == 20


def test_holm_runs_over_all_pairs(table):
    result = pairwise_tests(table, 0.05)
    assert result["p_holm"].to_numpy() == pytest.approx(multipletests(result["p_value"], method="holm")[1])


def test_different_systems_are_separated_and_alike_ones_are_not(table):
    """At a level at which chance separates alike ones for one seed of a thousand."""
    result = pairwise_tests(table, 0.001).set_index(["system_a", "system_b"])["significant"]
    assert result[("good", "bad")]
    assert not result.loc[[pair for pair in result.index if set(pair) == {"fair", "alike"}]].iloc[0]


def test_the_better_system_comes_first(table):
    assert (pairwise_tests(table, 0.05)["mean_difference"] >= 0).all()


def test_equal_ratings_are_no_evidence():
    assert signed_rank_test(np.zeros(10)) == (0.0, 1.0)


def test_pairs_that_nobody_rated_both_of_stay_empty():
    table = pd.DataFrame(
        [("p1", "a", "u", 3), ("p2", "b", "u", 4)], columns=["participant", "system", "utterance", "rating"]
    )
    (row,) = pairwise_tests(table, 0.05).to_dict("records")
    assert row["n_participants"] == 0
    assert np.isnan(row["p_value"])
    assert pd.isna(row["significant"])


def test_friedman_equals_scipy_on_participants_who_rated_everything(table):
    incomplete = pd.concat(
        [table, pd.DataFrame([{"participant": "late", "system": "good", "utterance": "u0", "rating": 1}])]
    )
    expected = stats.friedmanchisquare(*(means_of(table, system) for system in ("alike", "bad", "fair", "good")))
    chi_square, p_value, people = friedman_test(incomplete)
    assert (chi_square, p_value) == pytest.approx((expected.statistic, expected.pvalue))
    assert people == 20


@pytest.mark.parametrize("systems", [["good"], ["good", "bad"]])
def test_friedman_needs_three_systems(table, systems):
    assert np.isnan(friedman_test(table[table["system"].isin(systems)])[0])
