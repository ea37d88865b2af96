"""Dominance and optimality, against the definition spelled out and against moocore."""

import re

import moocore
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import seed_of

from vocoder_pareto.analysis.pareto import dominates, dominators, is_dominated, optimal, optimal_within

WAYS = ("min", "max")


def dominates_by_definition(one, other, directions):
    """Section 4.1 of the paper, word by word."""
    signs = [1 if way == "min" else -1 for way in directions]
    first, second = ([sign * value for sign, value in zip(signs, point, strict=True)] for point in (one, other))
    pairs = list(zip(first, second, strict=True))
    return all(a <= b for a, b in pairs) and any(a < b for a, b in pairs)


def optimal_by_definition(values, directions):
    return [not any(dominates_by_definition(other, point, directions) for other in values) for point in values]


@st.composite
def tables(draw):
    objectives = draw(st.integers(1, 5))
    number = st.one_of(st.integers(-3, 3).map(float), st.floats(allow_nan=False), st.just(-0.0))
    rows = draw(st.lists(st.lists(number, min_size=objectives, max_size=objectives), max_size=25))
    directions = draw(st.lists(st.sampled_from(WAYS), min_size=objectives, max_size=objectives))
    return np.array(rows, dtype=float).reshape(len(rows), objectives), directions


@given(tables())
@settings(max_examples=400)
def test_optimal_points_are_those_that_the_definition_names(table):
    values, directions = table
    assert optimal(values, directions).tolist() == optimal_by_definition(values.tolist(), directions)


@given(tables())
@settings(max_examples=100)
def test_dominating_points_are_those_that_the_definition_names(table):
    values, directions = table
    for index, found in enumerate(dominators(values, directions)):
        expected = [k for k, other in enumerate(values) if dominates_by_definition(other, values[index], directions)]
        assert found.tolist() == expected


@given(tables(), st.integers(0, 12), st.integers(1, 5))
@settings(max_examples=200)
def test_dominated_points_are_those_that_the_definition_names(table, others, most):
    values, _ = table
    directions = ["min"] * values.shape[1]
    among = values[: min(others, len(values))]
    expected = [any(dominates_by_definition(other, point, directions) for other in among) for point in values]
    assert is_dominated(values, among).tolist() == expected
    whole = dominators(values, directions)
    assert [found.tolist() for found in dominators(values, directions, most=most)] == [
        found[:most].tolist() for found in whole
    ]


@given(tables())
@settings(max_examples=50)
def test_every_dominated_point_is_dominated_by_an_optimal_one(table):
    values, directions = table
    front = optimal(values, directions)
    for index, found in enumerate(dominators(values, directions, among=front)):
        assert (len(found) == 0) == front[index]


@pytest.mark.parametrize("objectives", [2, 3, 4, 5])
@pytest.mark.parametrize("kind", ["spread", "ties", "all optimal"])
@pytest.mark.parametrize("count", [1, 2, 300, 100_000])
def test_optimal_points_are_those_of_moocore(objectives, kind, count):
    generator = np.random.default_rng(seed_of(objectives))
    directions = [WAYS[index % 2] for index in range(objectives)]
    if kind == "spread":
        values = generator.random((count, objectives))
    elif kind == "ties":
        values = generator.integers(0, 30, (count, objectives)).astype(float)
    else:
        count = min(count, 20_000 if objectives == 3 else 3_000)
        values = np.abs(generator.standard_normal((count, objectives)))
        values /= values.sum(axis=1, keepdims=True)  # none is better in all
        values *= [1 if way == "min" else -1 for way in directions]
    maximise = [way == "max" for way in directions]
    expected = moocore.is_nondominated(values, maximise=maximise, keep_weakly=True)
    assert np.array_equal(optimal(values, directions), expected)


def test_front_of_100_000_optimal_points_is_found():
    costs = np.sort(np.random.default_rng(seed_of(0)).random(100_000))
    assert optimal(np.column_stack([costs, costs]), ["min", "max"]).all()


def test_duplicates_of_an_optimal_point_are_all_optimal():
    assert optimal(np.array([[1, 2], [1, 2], [2, 2], [0, 1]]), ["min", "max"]).tolist() == [True, True, False, True]


def test_equal_quality_at_less_cost_dominates_and_equal_points_do_not():
    assert dominates([1, 3.0], [2, 3.0], ["min", "max"])
    assert not dominates([2, 3.0], [1, 3.0], ["min", "max"])
    assert not dominates([1, 3.0], [1, 3.0], ["min", "max"])


def test_minus_zero_equals_zero():
    assert optimal(np.array([[0.0, 1.0], [-0.0, 1.0]]), ["max", "max"]).all()


def test_an_infinite_cost_is_dominated_by_any_finite_one():
    assert optimal(np.array([[np.inf, 1.0], [5.0, 1.0]]), ["min", "max"]).tolist() == [False, True]


def test_sub_fronts_are_the_fronts_of_each_group_alone():
    values = np.array([[1, 1], [2, 5], [3, 4], [9, 2], [8, 3]])
    found = optimal_within(values, ["min", "max"], ["a", "a", "a", "b", "b"])
    assert found.tolist() == [True, True, False, False, True]


def test_thousands_of_groups_have_their_own_fronts():
    generator = np.random.default_rng(seed_of(0))
    values, groups = generator.integers(0, 9, (5000, 2)), generator.integers(0, 2000, 5000)
    found = optimal_within(values, ["min", "max"], groups)
    expected = [optimal_by_definition(values[groups == group].tolist(), ["min", "max"]) for group in range(2000)]
    assert [found[groups == group].tolist() for group in range(2000)] == expected


def test_no_points_have_no_front():
    assert optimal(np.empty((0, 2)), ["min", "max"]).tolist() == []


@pytest.mark.parametrize(
    ("values", "directions", "words"),
    [
        ([[1.0, np.nan]], ["min", "max"], "point 0 in objective 1 is NaN"),
        ([[1.0, 2.0]], ["min", "up"], "direction 'up' is unknown; allowed: min, max"),
        ([[1.0, 2.0]], ["min"], "1 directions for 2 objectives"),
        ([1.0, 2.0], ["min"], "expected (points, objectives)"),
    ],
)
def test_nonsense_is_refused_with_what_is_wrong(values, directions, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        optimal(np.array(values), directions)
