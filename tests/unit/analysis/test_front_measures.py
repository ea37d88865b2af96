"""Hypervolume against moocore, knees against values worked out by hand."""

import moocore
import numpy as np
import pytest
from seeds import seed_of

from vocoder_pareto.analysis.front_measures import (
    hypervolume,
    hypervolume_contributions,
    knee,
)


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
def test_hypervolume_is_that_of_moocore(objectives):
    generator = np.random.default_rng(seed_of(objectives))
    values = generator.random((60, objectives))
    values[:5] = values[5:10]  # duplicates add nothing
    reference = np.full(objectives, 0.9)  # some points lie beyond it
    expected = moocore.hypervolume(values, ref=reference) if objectives > 1 else 0.9 - values.min()
    assert hypervolume(values, ["min"] * objectives, reference) == pytest.approx(expected, rel=1e-12)


def test_hypervolume_of_two_boxes_by_hand_with_one_objective_maximised():
    # Boxes to the reference (10, 0): 9 × 1 and 5 × 3, which share 5 × 1.
    assert hypervolume(np.array([[1, 1], [5, 3]]), ["min", "max"], [10, 0]) == 9 + 15 - 5


def test_contributions_are_what_is_lost_without_a_point():
    values = np.array([[1, 1], [5, 3], [6, 2], [5, 3]])
    lost = hypervolume_contributions(values, ["min", "max"], [10, 0])
    assert lost.tolist() == [4, 0, 0, 0]  # (6, 2) is dominated; of the duplicates either can go
    assert hypervolume_contributions(values[:3], ["min", "max"], [10, 0]).tolist() == [4, 6, 0]


def test_no_point_has_no_volume():
    assert hypervolume(np.empty((0, 3)), ["min"] * 3, [1, 1, 1]) == 0


def test_knee_is_the_point_farthest_below_the_line_between_the_ends():
    values = np.array([[0, 0], [1, 8], [5, 9], [10, 10], [9, 1]])
    assert knee(values, ["min", "max"]) == 1


def test_a_straight_or_bulging_front_and_two_points_have_no_knee():
    assert knee(np.array([[0.0, 0], [1, 1], [2, 2]]), ["min", "max"]) is None
    assert knee(np.array([[0.0, 0], [5, 1], [10, 10]]), ["min", "max"]) is None
    assert knee(np.array([[0.0, 0], [1, 1]]), ["min", "max"]) is None
    assert knee(np.empty((0, 2)), ["min", "max"]) is None
