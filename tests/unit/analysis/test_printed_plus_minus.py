"""What the ± of Table 1 can be: every number that docs/analysis.md gives for it is recomputed from the printed table.

Outside: integer ratings from 1 to 5 of mean m, f its fractional part, have a variance of at least f (1 − f), ratings of
the two neighbouring integers, and of at most (m − 1) (5 − m), ratings of 1 and 5.
"""

import math

import numpy as np
import pytest
from scipy import stats
from seeds import seed_of

from vocoder_pareto.analysis import published
from vocoder_pareto.analysis.fronts import Objectives, find_front

LISTENERS = 41
HALF_DIGIT_MOS, HALF_DIGIT_PLUS_MINUS = 0.005, 0.0005

# The printed ± as factor · variance^power / N^root.
STANDARD_ERROR, HALF_WIDTH = (1.0, 0.5, 0.5), (1.96, 0.5, 0.5)
VARIANCE_OF_MEAN, DEVIATION_OVER_N, FIFTH_OF_ERROR = (1.0, 1.0, 1.0), (1.0, 0.5, 1.0), (1 / 5, 0.5, 0.5)


def variances(mean):
    """Least and largest variance of integer ratings whose mean is printed as `mean`."""
    means = np.linspace(mean - HALF_DIGIT_MOS, mean + HALF_DIGIT_MOS, 101)
    return ((means % 1) * (1 - means % 1)).min(), ((means - 1) * (5 - means)).max()


def ratings_that_fit(quality, reading):
    """Fewest and most ratings per system that fit all rows and all roundings; none do if fewest is above most."""
    factor, power, root = reading
    fewest, most = [], []
    for mean, plus_minus in zip(quality["mos"], quality["mos_plus_minus"], strict=True):
        least, largest = variances(mean)
        fewest.append((factor * least**power / (plus_minus + HALF_DIGIT_PLUS_MINUS)) ** (1 / root))
        most.append((factor * largest**power / (plus_minus - HALF_DIGIT_PLUS_MINUS)) ** (1 / root))
    assert len(fewest) == 19
    return math.ceil(max(fewest)), math.floor(min(most))


def test_it_is_no_standard_error_and_no_95_percent_interval(printed_quality):
    """Both need hundreds of ratings of each system by each of the 41 listeners."""
    assert ratings_that_fit(printed_quality, STANDARD_ERROR)[0] == 12_315 > 300 * LISTENERS
    assert ratings_that_fit(printed_quality, HALF_WIDTH)[0] == 47_309 > 1150 * LISTENERS


@pytest.mark.parametrize(
    ("reading", "expected"),
    [(VARIANCE_OF_MEAN, (56, 196)), (DEVIATION_OVER_N, (111, 202)), (FIFTH_OF_ERROR, (493, 1636))],
)
def test_three_readings_fit_all_19_rows(printed_quality, reading, expected):
    assert ratings_that_fit(printed_quality, reading) == expected


def test_three_and_four_ratings_per_listener_fit_two_of_them_and_the_third_needs_twelve(printed_quality):
    for reading in (VARIANCE_OF_MEAN, DEVIATION_OVER_N):
        fewest, most = ratings_that_fit(printed_quality, reading)
        assert fewest <= 3 * LISTENERS < 4 * LISTENERS <= most
    assert ratings_that_fit(printed_quality, FIFTH_OF_ERROR)[0] > 12 * LISTENERS


def test_the_deviation_over_n_is_the_likelier_reading(printed_quality):
    """On a bounded scale the variance goes about as (m − 1) (5 − m) (Hoßfeld et al. 2011): the ± follows its root."""
    spread = (printed_quality["mos"] - 1) * (5 - printed_quality["mos"])
    plus_minus = printed_quality["mos_plus_minus"]
    about_the_root, about_itself = (np.log(plus_minus / spread**power).std() for power in (0.5, 1.0))
    assert (about_the_root, about_itself) == pytest.approx((0.12, 0.31), abs=0.005)
    # WaveGlow S: its variance would be at least 63 % of the largest that ratings of its mean can have.
    row = printed_quality.set_index("system").loc["waveglow-S"]
    needed = (row["mos_plus_minus"] - HALF_DIGIT_PLUS_MINUS) * 3 * LISTENERS
    assert needed / variances(row["mos"])[1] == pytest.approx(0.63, abs=0.005)


def half_widths(quality, reading, ratings=None):
    """Half-widths of 95 % intervals that follow from a reading: Student's for 41 listeners times a standard error."""
    plus_minus = quality["mos_plus_minus"]
    errors = {
        VARIANCE_OF_MEAN: plus_minus**0.5, DEVIATION_OVER_N: plus_minus * (ratings or 1) ** 0.5,
        FIFTH_OF_ERROR: 5 * plus_minus,
    }  # fmt: skip
    return stats.t.ppf(0.975, LISTENERS - 1) * errors[reading]


def test_the_interval_that_is_used_is_that_of_the_variance_of_the_mean(printed_quality):
    assert pytest.approx(stats.t.ppf(0.975, 40), abs=0.002) == published.STUDENT_QUANTILE_95
    used = half_widths(printed_quality, VARIANCE_OF_MEAN)
    assert printed_quality["mos_ci95"].to_numpy() == pytest.approx(used.to_numpy(), rel=1e-3)
    assert (used.min(), used.median(), used.max()) == pytest.approx((0.090, 0.169, 0.202), abs=0.001)


def test_the_other_readings_give_about_the_same_and_less_than_half(printed_quality):
    used = half_widths(printed_quality, VARIANCE_OF_MEAN)
    for ratings, low, high, wider in ((123, 0.50, 1.11, 1), (164, 0.57, 1.28, 11)):
        ratio = half_widths(printed_quality, DEVIATION_OVER_N, ratings) / used
        assert (ratio.min(), ratio.max()) == pytest.approx((low, high), abs=0.006)
        assert (ratio > 1).sum() == wider
    ratio = half_widths(printed_quality, FIFTH_OF_ERROR) / used
    assert (ratio.min(), ratio.max()) == pytest.approx((0.22, 0.50), abs=0.006)


def test_all_three_give_the_same_front_of_counts(printed, printed_quality):
    objectives = Objectives("gflops", {"gflops_published_convention": "min", "mos": "max"})
    found = []
    for half_width in (
        half_widths(printed_quality, VARIANCE_OF_MEAN), half_widths(printed_quality, DEVIATION_OVER_N, 123),
        half_widths(printed_quality, DEVIATION_OVER_N, 164), half_widths(printed_quality, FIFTH_OF_ERROR),
    ):  # fmt: skip
        front = find_front(printed.assign(mos_ci95=half_width.to_numpy()), objectives, draws=4000)
        assert front.summary["front"] == ["melgan-S", "hifigan-S", "hifigan-L"]
        found.append(front.table.set_index("system").loc["hifigan-L", "front_probability"])
    assert 0.935 < min(found) < max(found) <= 1.0


def test_ratings_of_the_same_listeners_and_sentences_make_every_reading_too_narrow():
    """A simulated panel whose truth is known: 41 listeners rate 3 of 10 sentences each, with tastes of their own."""
    generator = np.random.default_rng(seed_of(0))
    listeners, sentences, each = LISTENERS, 10, 3
    of_listener, of_sentence, of_rating = 0.3, 0.3, 0.8
    ratings = listeners * each
    heard = (np.arange(ratings) * 7) % sentences  # every sentence about as often
    studies = 4000
    means = (
        3.0
        + of_listener * np.repeat(generator.standard_normal((studies, listeners)), each, axis=1)
        + of_sentence * generator.standard_normal((studies, sentences))[:, heard]
        + of_rating * generator.standard_normal((studies, ratings))
    ).mean(axis=1)
    as_if_independent = np.sqrt((of_listener**2 + of_sentence**2 + of_rating**2) / ratings)
    formula = np.sqrt(of_listener**2 / listeners + of_sentence**2 / sentences + of_rating**2 / ratings)
    assert means.std() == pytest.approx(formula, rel=4 / np.sqrt(2 * studies))
    assert formula / as_if_independent == pytest.approx(1.57, abs=0.01)
