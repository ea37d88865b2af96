"""Hypervolume against moocore, knees against values worked out by hand."""

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import seed_of

from vocoder_pareto.analysis.front_measures import hypervolume, hypervolume_contributions, knee


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


@st.composite
def clouds(draw):
    objectives = draw(st.integers(1, 4))
    number = st.integers(0, 5).map(float)
    rows = draw(st.lists(st.lists(number, min_size=objectives, max_size=objectives), max_size=14))
    return np.array(rows, dtype=float).reshape(len(rows), objectives)


@given(clouds())
@settings(max_examples=200)
def test_contributions_are_the_differences_of_volumes_counted_in_cells(values):
    """Whole numbers: the volume is the number of unit cells that a point covers, up to the reference at 5."""
    objectives = values.shape[1]
    cells = np.stack(np.meshgrid(*[np.arange(5)] * objectives, indexing="ij"), axis=-1).reshape(-1, objectives)
    covered = (values[None] <= cells[:, None]).all(axis=2)  # [cell, point]
    ways, reference = ["min"] * objectives, [5.0] * objectives
    assert hypervolume(values, ways, reference) == pytest.approx(covered.any(axis=1).sum())
    alone = covered & (covered.sum(axis=1, keepdims=True) == 1)
    assert hypervolume_contributions(values, ways, reference) == pytest.approx(alone.sum(axis=0))


def test_a_front_of_thousands_of_points_in_three_objectives_has_the_volume_of_moocore():
    values = np.abs(np.random.default_rng(seed_of(0)).standard_normal((5000, 3)))
    values /= np.linalg.norm(values, axis=1, keepdims=True)  # all optimal
    expected = moocore.hypervolume(values, ref=[1.1] * 3)
    assert hypervolume(values, ["min"] * 3, [1.1] * 3) == pytest.approx(expected, rel=1e-9)


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
