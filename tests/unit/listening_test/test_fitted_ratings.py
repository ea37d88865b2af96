import numpy as np
import pytest
from panels import DEVIATIONS, alike_cells, crossed, mean_squares, ratings_of, table_of
from scipy import stats
from seeds import seed_of

from vocoder_pareto.listening_test.crossed_effects import Estimates
from vocoder_pareto.listening_test.fitted_ratings import fit_of_estimates, fit_ratings, quasi_variances

PEOPLE, SENTENCES = 20, 16


def fitted_to(design, ratings, other_sentences=True, replicates=500, seed=0):
    return fit_ratings(table_of(design, ratings), other_sentences, replicates, seed)


@pytest.fixture(scope="module")
def one_system():
    return crossed(1, PEOPLE, SENTENCES), ratings_of(
        crossed(1, PEOPLE, SENTENCES), [3.0], np.random.default_rng(seed_of(0))
    )


def test_variance_of_a_mean_equals_the_one_of_the_analysis_of_variance(one_system):
    """The outside is its expectation in a complete design: (listeners + sentences − what is left) / ratings."""
    design, ratings = one_system
    of_people, of_sentences, left = mean_squares(ratings.reshape(PEOPLE, SENTENCES))
    expected = (of_people + of_sentences - left) / (PEOPLE * SENTENCES)
    assert fitted_to(design, ratings).means.values == pytest.approx([expected])


def test_degrees_of_freedom_are_those_of_satterthwaite(one_system):
    """The outside is his formula (1946, equation 17) for a sum of mean squares."""
    design, ratings = one_system
    squares = np.array(mean_squares(ratings.reshape(PEOPLE, SENTENCES))) * [1, 1, -1]
    degrees = np.array([PEOPLE - 1, SENTENCES - 1, (PEOPLE - 1) * (SENTENCES - 1)])
    expected = squares.sum() ** 2 / np.sum(squares**2 / degrees)
    found = fitted_to(design, ratings, replicates=20_000).means.degrees_of_freedom
    assert found == pytest.approx([expected], rel=0.05)


def test_these_sentences_alone_leave_the_variance_of_listeners(one_system):
    """The outside is the classic interval of listeners' means, which are independent."""
    design, ratings = one_system
    fitted = fitted_to(design, ratings, other_sentences=False)
    listeners = ratings.reshape(PEOPLE, SENTENCES).mean(axis=1)
    assert np.sqrt(fitted.means.values) == pytest.approx([stats.sem(listeners)])
    assert fitted.means.degrees_of_freedom == pytest.approx([PEOPLE - 1], rel=0.2)
    assert fitted.holds_for == "other listeners, these sentences"


def test_variance_of_a_difference_equals_the_one_of_the_analysis_of_variance():
    """The outside is the table of each listener's and sentence's differences of two systems that spread alike."""
    design = crossed(2, PEOPLE, SENTENCES)
    cells = alike_cells([2.0, 4.0], PEOPLE, SENTENCES, np.random.default_rng(seed_of(1)))
    of_people, of_sentences, left = mean_squares(cells[0] - cells[1])
    fitted = fitted_to(design, cells.ravel())
    expected = (of_people + of_sentences - left) / (PEOPLE * SENTENCES)
    assert fitted.differences.values[0, 1] == pytest.approx(expected)
    assert fitted.comparisons.values == pytest.approx([expected / 2, expected / 2])


def test_sums_of_quasi_variances_are_the_variances_that_they_came_from():
    """The outside is a matrix made of them (Firth and de Menezes 2004, equation 2)."""
    own = np.array([0.1, 0.2, 0.05, 0.4])
    differences = (own[:, None] + own) * (1 - np.eye(4))
    assert quasi_variances(differences[None]) == pytest.approx(own[None])


def test_what_all_systems_share_is_not_in_comparisons():
    design = crossed(4, 20, 8)
    generator = np.random.default_rng(seed_of(2))
    strict = {"listener": 1.0, "sentence": 0.5, "listener_sentence": 0.0, "system_listener": 0.1}
    deviations = strict | {"system_sentence": 0.1, "residual": 0.5}
    fitted = fitted_to(design, ratings_of(design, [2, 3, 3, 4], generator, deviations))
    assert (fitted.comparisons.values < 0.3 * fitted.means.values).all()


def test_parts_of_a_variance_shrink_with_listeners_and_with_sentences():
    """The outside is the same model in a design that is four times as large one way."""
    truth = Estimates.of_deviations(4, DEVIATIONS)
    small, more_people, more_sentences = (
        fit_of_estimates(crossed(4, *sizes), truth, True, 2, 0) for sizes in ((5, 6), (20, 6), (5, 24))
    )
    for (shrinking, fixed), larger in ((small.by_listeners, more_people), (small.by_sentences, more_sentences)):
        expected = shrinking.values[0, 1] / 4 + fixed.values[0, 1]
        assert larger.differences.values[0, 1] == pytest.approx(expected)


@pytest.mark.parametrize(("people", "sentences"), [(1, 5), (5, 1)])
def test_of_one_listener_or_one_sentence_nothing_is_known_of_others(people, sentences):
    design = crossed(2, people, sentences)
    fitted = fitted_to(design, ratings_of(design, [2.0, 4.0], np.random.default_rng(seed_of(4))))
    assert np.isfinite(fitted.mos).all()
    for variance in (fitted.means, fitted.differences, fitted.comparisons):
        assert np.isnan(variance.values).all()
        assert np.isnan(variance.degrees_of_freedom).all()


def test_one_sentence_is_enough_for_what_holds_for_it_alone():
    design = crossed(2, 8, 1)
    ratings = ratings_of(design, [2.0, 4.0], np.random.default_rng(seed_of(5)))
    assert np.isfinite(fitted_to(design, ratings, other_sentences=False).means.values).all()


def test_equal_ratings_are_no_certainty():
    design = crossed(2, 8, 4)
    fitted = fitted_to(design, np.where(design.system == 0, 3.0, 5.0))
    assert fitted.mos == pytest.approx([3.0, 5.0])
    assert np.isnan(fitted.means.values).all()
    assert np.isnan(fitted.differences.values).all()


def test_a_difference_that_never_varies_is_no_certainty_either():
    design = crossed(2, 8, 4)
    fitted = fitted_to(design, 2.0 + 2 * design.system + design.participant % 2)
    assert np.isfinite(fitted.means.values).all()
    assert np.isnan(fitted.differences.values).all()


def test_fits_repeat_with_the_seed_and_with_the_order_of_rows():
    table = table_of(crossed(2, 6, 4), ratings_of(crossed(2, 6, 4), [2, 4], np.random.default_rng(seed_of(6))))
    first, again, other = (fit_ratings(table, True, 200, seed).means.degrees_of_freedom for seed in (1, 1, 2))
    shuffled = fit_ratings(table.sample(frac=1, random_state=seed_of(0)), True, 200, 1).means.degrees_of_freedom
    assert first.tolist() == again.tolist() == shuffled.tolist()
    assert first.tolist() != other.tolist()
