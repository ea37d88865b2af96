"""Probabilities of many points: against the definition on every draw, and against draws without any short cut."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from seeds import seed_of

from vocoder_pareto.analysis import front_probability as module
from vocoder_pareto.analysis.front_probability import candidates, front_probability, may_be_optimal, order_of_neighbours
from vocoder_pareto.analysis.uncertainty import Uncertainty

WAYS = ["min", "max", "min"]


def optimal_by_definition(costs):
    """Section 4.1 of the paper for points (N, K) to be minimised, by comparing all pairs."""
    nowhere_worse = (costs[:, None] <= costs[None]).all(axis=2)
    better = (costs[:, None] < costs[None]).any(axis=2)
    return ~(nowhere_worse & better).any(axis=0)


def measured(points, objectives, degrees=np.inf, systematic=0.0, spread=1.0):
    """Values between 1 and 2 and their uncertainty; those of the first objective are exact for every third point."""
    generator = np.random.default_rng(seed_of(points + objectives))
    values = generator.uniform(1, 2, (points, objectives))
    errors = generator.uniform(0.01, 0.05, (points, objectives)) * spread
    errors[::3, 0] = 0.0
    shape = (points, objectives)
    instruments = np.arange(points) % 2
    return values, Uncertainty(errors, np.full(shape, degrees), np.full(shape, systematic), instruments, 0.5)


@st.composite
def clouds(draw):
    objectives = draw(st.integers(1, 4))
    number = st.integers(0, 6).map(float) | st.floats(-1, 1)
    rows = draw(st.lists(st.lists(number, min_size=objectives, max_size=objectives), min_size=1, max_size=60))
    return np.array(rows, dtype=float).reshape(len(rows), objectives)


@given(clouds(), st.booleans())
@settings(max_examples=300)
def test_thinning_out_keeps_every_optimal_point_whatever_the_order(costs, in_order):
    costs = costs[order_of_neighbours(costs, 4)] if in_order else costs
    kept = candidates(costs, 4)
    assert set(np.flatnonzero(optimal_by_definition(costs))) <= set(kept)
    assert len(set(kept)) == len(kept)


@pytest.mark.parametrize(("objectives", "share"), [(2, 0.6), (3, 0.99)])
def test_fewer_points_remain_of_an_order_of_neighbours_than_of_that_of_a_file(objectives, share):
    """Of points where less of one cost is more of another."""
    costs = np.random.default_rng(seed_of(0)).random((4096, objectives))
    costs[:, -1] = 0.2 * costs[:, -1] - 1.2 * costs[:, :-1].sum(axis=1)
    order = order_of_neighbours(costs, 64)
    assert sorted(order) == list(range(4096))
    assert len(candidates(costs[order], 64)) < share * len(candidates(costs, 64))


@pytest.mark.parametrize(("points", "objectives"), [(150, 2), (500, 2), (500, 3)])
def test_the_points_that_are_counted_are_those_that_the_definition_names_in_every_draw(points, objectives):
    """On the same draws, by comparing all pairs, of all points that may be optimal."""
    values, uncertainty = measured(points, objectives)
    ways = WAYS[:objectives]
    seeds = np.random.SeedSequence(seed_of(1)).spawn(1)
    found = module._times_optimal_of_task(values, uncertainty, ways, 20, seeds[0])
    generator = np.random.default_rng(np.random.SeedSequence(seed_of(1)).spawn(1)[0])
    signs = np.array([1 if way == "min" else -1 for way in ways])
    expected = sum(
        optimal_by_definition(signs * uncertainty.draws(values, 1, generator)[0]).astype(int) for _ in range(20)
    )
    assert found.tolist() == expected.tolist()


@pytest.mark.parametrize("objectives", [2, 3])
@pytest.mark.parametrize("degrees", [np.inf, 4.0])
def test_many_points_have_the_probabilities_of_draws_without_short_cuts(objectives, degrees):
    """Outside: own draws from the distributions, in whose fronts all points compete."""
    values, uncertainty = measured(130, objectives, degrees, systematic=0.03)
    ways, draws = WAYS[:objectives], 600
    found = front_probability(values, uncertainty, ways, draws, seed_of(2))
    generator = np.random.default_rng(seed_of(3))
    signs = np.array([1 if way == "min" else -1 for way in ways])
    counts = np.zeros(130)
    for _ in range(draws):
        noise = generator.standard_normal(values.shape) if degrees == np.inf else generator.standard_t(4, values.shape)
        common = generator.standard_normal((2, objectives))[np.arange(130) % 2]
        gain = np.sqrt(0.5) * (common + generator.standard_normal(values.shape))
        drawn = (values + uncertainty.standard_errors * noise) * 1.03 ** (gain / 1.959964)
        counts += optimal_by_definition(signs * drawn)
    assert (counts > 0).sum() > 10
    # 130 differences of two shares: 4.5 standard errors, and one draw for those that are next to never optimal.
    error = np.sqrt(2 * found * (1 - found) / draws)
    assert (np.abs(found - counts / draws) < 4.5 * error + 12 / draws).all()


@pytest.mark.parametrize("degrees", [np.inf, 9.0])
def test_points_that_are_not_drawn_are_optimal_in_no_draw_of_all(degrees):
    values, uncertainty = measured(400, 2, degrees, systematic=0.01, spread=0.1)
    kept = may_be_optimal(values, uncertainty, ["min", "max"])
    assert 0 < kept.sum() < 400
    generator = np.random.default_rng(seed_of(0))
    for _ in range(150):
        drawn = uncertainty.draws(values, 1, generator)[0]
        assert not (optimal_by_definition(drawn * [1, -1]) & ~kept).any()


@pytest.mark.parametrize("degrees", [np.inf, 3.0])
def test_a_draw_is_outside_of_its_bounds_with_the_chance_that_was_asked_for(degrees):
    """Bonferroni's bound: at most that often, and for few independent numbers not much less."""
    values, uncertainty = measured(4, 2, degrees)
    low, high = uncertainty.bounds(values, 0.2)
    drawn = uncertainty.draws(values, 5000, np.random.default_rng(seed_of(0)))
    outside = ((drawn < low) | (drawn > high)).any(axis=(1, 2)).mean()
    assert 0.02 < outside < 0.2
    with_gain = measured(4, 2, degrees, systematic=0.2)[1]
    low, high = with_gain.bounds(values, 0.2)
    drawn = with_gain.draws(values, 5000, np.random.default_rng(seed_of(1)))
    assert ((drawn < low) | (drawn > high)).any(axis=(1, 2)).mean() < 0.2


def test_the_number_of_threads_changes_nothing(monkeypatch):
    values, uncertainty = measured(300, 2)
    monkeypatch.setattr(module, "MIN_FOR_THREADS", 0)
    found = []
    for count in (1, 4):
        monkeypatch.setattr(module.os, "cpu_count", lambda count=count: count)
        found.append(front_probability(values, uncertainty, ["min", "max"], 230, 5))
    assert np.array_equal(*found)


def test_a_progress_bar_is_shown_where_it_takes_a_while(monkeypatch, capsys):
    values, uncertainty = measured(150, 2)
    front_probability(values, uncertainty, ["min", "max"], 100, 0)
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(module, "PATIENCE_SECONDS", 0.0)
    front_probability(values, uncertainty, ["min", "max"], 100, 0)
    assert "Drawing fronts" in capsys.readouterr().err
