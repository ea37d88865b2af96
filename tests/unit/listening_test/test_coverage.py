"""Do intervals cover the truth, do tests keep their level? Panels answer whose truth is known, and are analysed.

Coverage is the share of panels and systems whose 95 % interval holds the true MOS, over other listeners *and* other
sentences: both are drawn anew for each panel.
"""

from typing import NamedTuple

import numpy as np
import pytest
from panels import DEVIATIONS, crossed, ratings_of, true_mos
from scipy import stats
from seeds import seed_of

from vocoder_pareto.listening_test.fitted_ratings import fit_of_estimates
from vocoder_pareto.listening_test.mean_opinion import half_widths

DESIGNS = {
    "12 × 2": (12, 2, 1),
    "12 × 10": (12, 10, 1),
    "41 × 4": (41, 4, 1),
    "41 × 20": (41, 20, 1),
    "60 × 20 in 5 lists": (60, 20, 5),
}


class Found(NamedTuple):
    coverage: float  # of the intervals of MOS
    false_alarms: float  # of tests that the difference of two systems is the true one, at 5 %
    of_equal_systems: float  # the same of the two systems that are equally good
    half_width: float  # the median


def found_in(panels, qualities, sizes, whole, replicates=200, other_sentences=True, deviations=DEVIATIONS):
    design = crossed(len(qualities), *sizes)
    truth = true_mos(qualities, whole=whole)
    generator = np.random.default_rng(seed_of(0))
    pairs = np.triu_indices(len(qualities), 1)
    covered, alarms, widths = [], [], []
    for panel in range(panels):
        estimates = design.estimate(ratings_of(design, qualities, generator, deviations, whole)[:, None])
        fitted = fit_of_estimates(design, estimates, other_sentences, replicates, panel)
        errors = fitted.mos - truth
        half = half_widths(fitted.means)
        covered.append(np.abs(errors) <= half)
        statistic = (errors[:, None] - errors)[pairs] / np.sqrt(fitted.differences.values[pairs])
        alarms.append(2 * stats.t.sf(np.abs(statistic), fitted.differences.degrees_of_freedom[pairs]) < 0.05)
        widths.append(half)
    equal = np.argmin(np.abs(truth[pairs[0]] - truth[pairs[1]]))
    return Found(
        float(np.mean(covered)), float(np.mean(alarms)), float(np.mean(alarms, axis=0)[equal]), float(np.median(widths))
    )


@pytest.mark.slow
@pytest.mark.parametrize("whole", [False, True], ids=["continuous", "whole points"])
@pytest.mark.parametrize("sizes", DESIGNS.values(), ids=DESIGNS)
def test_intervals_cover_and_tests_keep_their_level(sizes, whole):
    """The outside is the truth of 1,000 panels of six systems: standard error of the coverage at most 0.7 %."""
    found = found_in(1000, [1.9, 2.4, 3.0, 3.0, 3.8, 4.4], sizes, whole)
    assert 0.93 <= found.coverage <= 0.975, found
    assert found.false_alarms <= 0.065, found
    assert found.of_equal_systems <= 0.08, found


@pytest.mark.parametrize("sizes", [(12, 2, 1), (15, 10, 5)], ids=["12 × 2", "15 × 10 in 5 lists"])
def test_intervals_cover_and_tests_keep_their_level_in_few_panels(sizes):
    """The same of 300 small panels; what systematic errors would do, as listeners alone, is far outside."""
    found = found_in(300, [2.5, 3.0, 3.0], sizes, whole=True, replicates=100)
    assert 0.91 <= found.coverage <= 0.995, found
    assert found.false_alarms <= 0.10, found


def test_what_holds_for_these_sentences_only_does_not_hold_for_others():
    """So the simulation tells a test that generalises from one that does not: a paired test of listeners' means."""
    found = found_in(200, [2.5, 3.0, 3.0], (20, 4, 1), whole=False, replicates=100, other_sentences=False)
    assert found.false_alarms > 0.15, found
    assert found.coverage < 0.9, found


def test_tests_keep_their_level_where_one_system_suits_some_sentences_only():
    """Of the pairs with this system, whose deviation is twice that of the others, as of the others."""
    deviations = DEVIATIONS | {"system_sentence": np.array([0.6, 0.3, 0.3, 0.3])}
    found = found_in(150, [3.0, 2.5, 3.5, 4.0], (15, 12, 1), False, replicates=60, deviations=deviations)
    assert found.false_alarms <= 0.11, found
