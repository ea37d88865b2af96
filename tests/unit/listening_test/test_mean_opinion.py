import numpy as np
import pandas as pd
import pytest
from scipy import stats
from seeds import SEED, seed_of

from vocoder_pareto.listening_test.fitted_ratings import fit_ratings
from vocoder_pareto.listening_test.mean_opinion import MOS_COLUMNS, mean_opinion_scores, participant_means
from vocoder_pareto.study.sections.listening_test import StatisticsSettings

SETTINGS = StatisticsSettings()


def panel(people=30, sentences=10, systems=("a", "b"), spread=(0.0, 0.0, 0.5), means=(2.0, 4.0), seed=0):
    """Ratings of a crossed design: listener, sentence and rating effects of the given standard deviations."""
    generator = np.random.default_rng(seed_of(seed))
    listener = generator.normal(scale=spread[0], size=people)
    sentence = generator.normal(scale=spread[1], size=sentences)
    rows = [
        (f"p{p}", system, f"u{u}", mean + listener[p] + sentence[u] + generator.normal(scale=spread[2]))
        for system, mean in zip(systems, means, strict=True)
        for p in range(people)
        for u in range(sentences)
    ]
    return pd.DataFrame(rows, columns=["participant", "system", "utterance", "rating"])


def scores(table, before=None, source="listening_test", seed=SEED):
    fitted = fit_ratings(table, SETTINGS.other_sentences, SETTINGS.replicates, seed)
    return mean_opinion_scores(table, table if before is None else before, source, fitted)


def test_mean_standard_error_and_counts_equal_those_computed_by_hand():
    table = pd.DataFrame(
        [("p1", "a", "u1", 1), ("p1", "a", "u2", 2), ("p2", "a", "u1", 4), ("p2", "b", "u1", 5), ("p1", "b", "u1", 5)],
        columns=["participant", "system", "utterance", "rating"],
    )
    result = scores(table).set_index("system")
    assert list(result.index) == ["b", "a"]
    assert result.loc["a", "mos"] == pytest.approx(7 / 3)
    assert result.loc["a", "mos_se"] == pytest.approx(stats.sem([1, 2, 4]))
    low, high = stats.t.interval(0.95, 2, loc=7 / 3, scale=stats.sem([1, 2, 4]))
    assert result.loc["a", "mos_t_ci95"] == pytest.approx((high - low) / 2)
    assert result.loc["a", ["n_ratings", "n_participants", "n_utterances"]].tolist() == [3, 2, 2]
    assert tuple(scores(table).columns[:10]) == MOS_COLUMNS


def test_interval_of_independent_ratings_equals_the_one_of_the_central_limit_theorem():
    table = panel(people=60, sentences=40)
    expected = 1.96 * table[table["system"] == "a"]["rating"].std(ddof=1) / np.sqrt(2400)
    assert scores(table).set_index("system").loc["a", "mos_ci95"] == pytest.approx(expected, rel=0.3)


def test_interval_grows_when_ratings_share_listeners_or_sentences():
    independent = scores(panel()).set_index("system")["mos_ci95"]
    strict_listeners = scores(panel(spread=(0.6, 0.0, 0.5))).set_index("system")["mos_ci95"]
    odd_sentences = scores(panel(spread=(0.0, 0.6, 0.5))).set_index("system")["mos_ci95"]
    assert (strict_listeners > 1.5 * independent).all()
    assert (odd_sentences > 2 * independent).all()


def test_bounds_are_those_of_student_around_the_mean():
    """The outside is SciPy's interval of the standard error and the degrees of freedom that the model has."""
    table = panel(people=6, sentences=4)
    fitted = fit_ratings(table, True, SETTINGS.replicates, SEED)
    row = mean_opinion_scores(table, table, "listening_test", fitted).set_index("system").loc["a"]
    index = list(fitted.systems).index("a")
    error = np.sqrt(fitted.means.values[index])
    low, high = stats.t.interval(0.95, row["mos_degrees_of_freedom"], loc=row["mos"], scale=error)
    assert (row["mos_ci95_low"], row["mos_ci95_high"]) == pytest.approx((low, high))
    assert row["mos_ci95"] == pytest.approx((high - low) / 2)


def test_intervals_for_comparisons_leave_out_what_systems_share():
    result = scores(panel(spread=(0.6, 0.3, 0.5)))
    assert (result["mos_comparison_ci95"] < 0.5 * result["mos_ci95"]).all()


def test_a_system_that_few_participants_rated_still_has_an_interval():
    table = pd.concat([panel(people=10), panel(people=2, systems=("rare",), means=(3.0,))])
    result = scores(table).set_index("system")
    assert np.isfinite(result.loc["rare", "mos_ci95"])
    assert result.loc["rare", "n_participants"] == 2


def test_one_participant_gives_a_mean_without_an_interval():
    result = scores(panel(people=1)).set_index("system")
    assert result["mos"].notna().all()
    assert result["mos_ci95"].isna().all()


def test_a_single_rating_has_no_standard_error():
    result = scores(panel(people=1, sentences=1))
    assert result[["mos_se", "mos_t_ci95"]].isna().all().all()


def test_mos_before_screening_stands_beside():
    table = panel(people=4)
    everyone = pd.concat([table, table.assign(participant="careless", rating=5.0)])
    result = scores(table, everyone).set_index("system")
    assert (result["mos_before_screening"] > result["mos"]).all()
    assert result.loc["a", "n_ratings_before_screening"] == len(everyone) // 2


def test_systems_without_ratings_after_screening_are_left_out():
    table = panel(people=4)
    result = scores(table[table["system"] == "a"], table)
    assert result["system"].tolist() == ["a"]


def test_every_row_says_where_it_comes_from():
    assert set(scores(panel(people=3), source="simulated")["mos_source"]) == {"simulated"}


def test_participant_means_average_over_sentences():
    table = panel(people=3, sentences=5)
    expected = table[(table["participant"] == "p1") & (table["system"] == "b")]["rating"].mean()
    assert participant_means(table).loc["p1", "b"] == pytest.approx(expected)


@pytest.mark.parametrize("values", [{"replicates": 10}, {"alpha": 0.0}, {"power": 1.0}])
def test_impossible_settings_are_refused(values):
    with pytest.raises(ValueError, match=r"(greater|less) than"):
        StatisticsSettings(**values)
