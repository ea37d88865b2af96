import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from panels import alike_cells, crossed, ratings_of, table_of
from scipy import stats
from seeds import seed_of
from statsmodels.stats.multitest import multipletests

from vocoder_pareto.listening_test.comparisons import friedman_test, holm_adjusted, pairwise_tests
from vocoder_pareto.listening_test.fitted_ratings import fit_ratings


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


def pairs_of(table, alpha=0.05, other_sentences=True):
    fitted = fit_ratings(table, other_sentences, 500, seed_of(0))
    return pairwise_tests(fitted, table, alpha)


def test_a_pair_is_tested_by_the_difference_of_the_mos_and_its_variance(table):
    """The outside is SciPy's distribution of the statistic, and the variance of the model."""
    fitted = fit_ratings(table, True, 500, seed_of(0))
    result = pairwise_tests(fitted, table, 0.05).set_index(["system_a", "system_b"])
    assert len(result) == 6
    row = result.loc[("good", "bad")]
    good, bad = (list(fitted.systems).index(name) for name in ("good", "bad"))
    difference = means_of(table, "good").mean() - means_of(table, "bad").mean()
    error = np.sqrt(fitted.differences.values[good, bad])
    assert row["mean_difference"] == pytest.approx(difference)
    assert row["statistic"] == pytest.approx(difference / error)
    freedom = row["degrees_of_freedom"]
    assert row["p_value"] == pytest.approx(2 * stats.t.sf(difference / error, freedom), rel=1e-6)
    assert row["difference_ci95"] == pytest.approx(stats.t.ppf(0.975, freedom) * error)
    assert row["n_participants"] == 20
    assert row["holds_for"] == "other listeners and sentences"


def test_two_systems_on_these_sentences_are_compared_as_by_the_paired_test_of_students():
    """The outside is SciPy's paired test of the listeners' means, of systems that spread alike."""
    design = crossed(2, 40, 5)
    cells = alike_cells([3.0, 3.3], 40, 5, np.random.default_rng(seed_of(1)))
    table = table_of(design, cells.ravel())
    (row,) = pairs_of(table, other_sentences=False).to_dict("records")
    first, second = (means_of(table, row[name]) for name in ("system_a", "system_b"))
    expected = stats.ttest_rel(first, second)
    assert row["statistic"] == pytest.approx(expected.statistic)
    assert row["holds_for"] == "other listeners, these sentences"


def test_a_difference_on_two_sentences_alone_is_not_found_on_others():
    """One sentence suits the one system, one the other a little: on these sentences the difference is certain."""
    design = crossed(2, 40, 2)
    generator = np.random.default_rng(seed_of(2))
    ratings = 3 + 1.6 * ((design.system == 0) & (design.utterance == 0)) + generator.normal(scale=0.5, size=160)
    (other,) = pairs_of(table_of(design, ratings)).to_dict("records")
    (these,) = pairs_of(table_of(design, ratings), other_sentences=False).to_dict("records")
    assert these["p_value"] < 0.001
    assert other["p_value"] > 0.1


def test_holm_runs_over_all_pairs(table):
    result = pairs_of(table)
    assert result["p_holm"].to_numpy() == pytest.approx(multipletests(result["p_value"], method="holm")[1])


def test_different_systems_are_separated_and_alike_ones_are_not(table):
    """At a level at which chance separates alike ones for one seed of a thousand."""
    result = pairs_of(table, 0.001).set_index(["system_a", "system_b"])["significant"]
    assert result[("good", "bad")]
    assert not result.loc[[pair for pair in result.index if set(pair) == {"fair", "alike"}]].iloc[0]


def test_the_better_system_comes_first(table):
    assert (pairs_of(table)["mean_difference"] >= 0).all()


def test_systems_without_a_listener_in_common_are_compared_by_what_listeners_are_known_to_differ():
    design = crossed(2, 30, 6, lists=1)
    heard = (design.participant < 15) == (design.system == 0)
    ratings = ratings_of(design, [2.0, 4.0], np.random.default_rng(seed_of(3)))
    (row,) = pairs_of(table_of(design, ratings)[heard]).to_dict("records")
    assert row["n_participants"] == 0
    assert row["p_value"] < 0.05


@pytest.mark.parametrize("score", [3, None])
def test_equal_ratings_and_single_listeners_give_no_test(score):
    people = 1 if score is None else 10
    rows = [(f"p{p}", system, u, score or p) for p in range(people) for u in "uv" for system in "ab"]
    (row,) = pairs_of(pd.DataFrame(rows, columns=["participant", "system", "utterance", "rating"])).to_dict("records")
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
