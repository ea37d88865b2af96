"""How sure the front of a listening test is: from the same model as its intervals and its pairwise tests."""

import numpy as np
import pytest
from panels import crossed, ratings_of, table_of
from seeds import seed_of

from vocoder_pareto.analysis.front_probability import front_probability
from vocoder_pareto.analysis.uncertainty import uncertainty_of
from vocoder_pareto.listening_test.comparisons import pairwise_tests
from vocoder_pareto.listening_test.fitted_ratings import fit_ratings
from vocoder_pareto.listening_test.mean_opinion import mean_opinion_scores
from vocoder_pareto.tables.columns import EXACT_GFLOPS


def probability_of_the_costly(table, fitted, columns=None):
    """How probable it is that the system that costs more is optimal: that its MOS is higher."""
    scores = mean_opinion_scores(table, table, "listening_test", fitted).sort_values("system")
    scores[EXACT_GFLOPS] = np.arange(1.0, len(scores) + 1)
    kept = scores if columns is None else scores[[EXACT_GFLOPS, *columns]]
    uncertainty = uncertainty_of(kept, [EXACT_GFLOPS, "mos"])
    return front_probability(kept[[EXACT_GFLOPS, "mos"]].to_numpy(), uncertainty, ["min", "max"], 20_000, seed_of(0))[
        -1
    ]


@pytest.mark.parametrize("advantage", [-0.1, 0.0, 0.15, 0.3])
def test_it_is_as_sure_as_the_pairwise_test(advantage):
    """The outside is the test: the probability that the one is better is 1 − p/2, or p/2 where it scored less."""
    design = crossed(2, 30, 10)
    table = table_of(design, ratings_of(design, [3.0, 3.0 + advantage], np.random.default_rng(seed_of(0))))
    fitted = fit_ratings(table, True, 500, seed_of(0))
    (row,) = pairwise_tests(fitted, table, 0.05).to_dict("records")
    expected = 1 - row["p_value"] / 2 if row["system_a"] == "s01" else row["p_value"] / 2
    assert probability_of_the_costly(table, fitted) == pytest.approx(expected, abs=0.02)


def test_whole_intervals_would_be_less_sure_than_the_ratings_are():
    """What listeners and sentences do to all systems alike tells nothing of their order."""
    design = crossed(2, 30, 10)
    deviations = dict.fromkeys(("listener", "sentence"), 0.6) | dict.fromkeys(
        ("system_listener", "system_sentence"), 0.1
    )
    ratings = ratings_of(
        design, [3.0, 3.3], np.random.default_rng(seed_of(0)), deviations | {"listener_sentence": 0.0, "residual": 0.5}
    )
    table = table_of(design, ratings)
    fitted = fit_ratings(table, True, 500, seed_of(0))
    whole = probability_of_the_costly(table, fitted, ["mos", "mos_ci95", "mos_degrees_of_freedom"])
    assert whole < 0.95 < probability_of_the_costly(table, fitted)


def test_equal_ratings_are_no_certainty():
    design = crossed(2, 10, 4)
    table = table_of(design, np.where(design.system == 0, 3.0, 4.0))
    assert np.isnan(probability_of_the_costly(table, fit_ratings(table, True, 100, 0)))
