import krippendorff
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from seeds import seed_of

from vocoder_pareto.listening_test.agreement import (
    agreement_table,
    intraclass_correlations,
    ordinal_alpha,
)
from vocoder_pareto.listening_test.ratings import Rating, repeat_differences

NAN = np.nan

# Krippendorff 2011, section C: four observers, twelve units.
OBSERVERS = np.array([
    [1, 2, 3, 3, 2, 1, 4, 1, 2, NAN, NAN, NAN],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, NAN, 3],
    [NAN, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, NAN],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, NAN],
])  # fmt: skip

# Shrout and Fleiss 1979, table 2: six targets, four judges.
JUDGES = pd.DataFrame([[9, 6, 8, 7, 10, 6], [2, 1, 4, 1, 5, 2], [5, 3, 6, 2, 6, 4], [8, 2, 8, 6, 9, 7]])


def test_alpha_of_the_example_of_krippendorff():
    assert ordinal_alpha(OBSERVERS) == pytest.approx(0.815, abs=0.001)


@given(st.integers(2, 6), st.integers(2, 12), st.floats(0, 0.6), st.integers(0, 10_000))
def test_alpha_equals_the_package(raters, units, missing, seed):
    generator = np.random.default_rng(seed_of(seed))
    scores = generator.integers(1, 6, size=(raters, units)).astype(float)
    scores[generator.random(scores.shape) < missing] = NAN
    try:
        expected = krippendorff.alpha(reliability_data=scores, level_of_measurement="ordinal")
    except (ValueError, AssertionError):
        expected = NAN  # the package refuses what has no value
    if np.isnan(expected):
        assert np.isnan(ordinal_alpha(scores))
    else:
        assert ordinal_alpha(scores) == pytest.approx(expected, abs=1e-9)


def test_perfect_agreement_is_one_and_chance_is_near_zero():
    generator = np.random.default_rng(seed_of(0))
    agreed = np.tile(generator.integers(1, 6, 50), (4, 1)).astype(float)
    assert ordinal_alpha(agreed) == pytest.approx(1)
    assert ordinal_alpha(generator.integers(1, 6, (10, 500)).astype(float)) == pytest.approx(0, abs=0.02)


@pytest.mark.parametrize("scores", [[[1.0, NAN], [NAN, 2.0]], [[3.0, 3.0], [3.0, 3.0]], [[NAN, NAN]]])
def test_alpha_is_undefined_where_nothing_can_disagree(scores):
    assert np.isnan(ordinal_alpha(np.array(scores)))


def test_intraclass_correlations_of_the_example_of_shrout_and_fleiss():
    single, average, judges = intraclass_correlations(JUDGES)
    assert (single, average) == pytest.approx((0.29, 0.62), abs=0.005)
    assert judges == 4


def test_participants_with_gaps_do_not_enter_the_intraclass_correlation():
    with_gap = pd.concat([JUDGES, pd.DataFrame([[9, NAN, 8, 7, 10, 6]])])
    assert intraclass_correlations(with_gap) == intraclass_correlations(JUDGES)


@pytest.mark.parametrize("rows", [1, 0])
def test_intraclass_correlation_needs_two_participants(rows):
    assert np.isnan(intraclass_correlations(JUDGES.iloc[:rows])[:2]).all()


def test_repeats_are_compared_with_the_first_rating_of_the_same_session():
    ratings = [
        Rating("p1", "1", "a", "u", 2),
        Rating("p1", "1", "a", "u", 5, is_repeat=True),
        Rating("p1", "2", "a", "u", 1, is_repeat=True),
        Rating("p2", "1", "a", "u", 4, is_repeat=True),
    ]
    assert repeat_differences(ratings) == [3.0]


def test_the_table_holds_a_row_per_measure_and_empty_values_where_there_are_none():
    ratings = [Rating("p1", "1", "a", "u", 2), Rating("p2", "1", "a", "u", 2)]
    table = pd.DataFrame([[r.participant, r.system, r.utterance, r.rating] for r in ratings],
                         columns=["participant", "system", "utterance", "rating"])  # fmt: skip
    result = agreement_table(table, ratings).set_index("measure")
    assert list(result.index)[:3] == ["krippendorff_alpha_ordinal", "icc_2_1", "icc_2_k"]
    assert result["value"].isna().all()
    assert result.loc["repeat_share_equal", "n"] == 0
