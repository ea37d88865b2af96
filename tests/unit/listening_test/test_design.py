from collections import Counter
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.design import latin_square, session_order, shuffled_apart
from vocoder_pareto.listening_test.key import Stimulus
from vocoder_pareto.study.sections.listening_test import DesignSettings
from vocoder_pareto.study.settings import settings_from


def names(prefix, count):
    return [f"{prefix}{index}" for index in range(count)]


@given(st.integers(1, 24), st.integers(1, 6), st.integers(1, 6), st.integers(0, 99))
def test_lists_hold_every_pair_once_and_are_balanced(systems, per_list, lists, seed):
    utterances = names("u", per_list * lists)
    dealt = latin_square(names("s", systems), utterances, lists, np.random.default_rng(seed))
    assert len(dealt) == lists
    everything = [pair for pairs in dealt for pair in pairs]
    assert len(everything) == len(set(everything)) == systems * len(utterances)
    for pairs in dealt:
        assert set(Counter(system for system, _ in pairs).values()) == {per_list}
        heard = Counter(utterance for _, utterance in pairs)
        counts = [heard[utterance] for utterance in utterances]
        assert max(counts) - min(counts) <= 1


def test_another_seed_deals_other_lists():
    arguments = names("s", 5), names("u", 10), 5
    first, again, other = (latin_square(*arguments, np.random.default_rng(seed)) for seed in (0, 0, 1))
    assert first == again != other


def stimuli(utterances, kind="rating"):
    return [Stimulus(f"{kind}{index}", kind, "s", utterance) for index, utterance in enumerate(utterances)]


@given(st.lists(st.sampled_from("abcd"), max_size=40), st.integers(0, 99))
def test_utterances_are_kept_apart_wherever_that_is_possible(utterances, seed):
    ordered = shuffled_apart(stimuli(utterances), np.random.default_rng(seed))
    assert sorted(stimulus.name for stimulus in ordered) == sorted(stimulus.name for stimulus in stimuli(utterances))
    neighbours = sum(a.utterance == b.utterance for a, b in pairwise(ordered))
    most = max(Counter(utterances).values(), default=0)
    unavoidable = max(0, most - (len(utterances) - most) - 1)
    assert neighbours == unavoidable


@given(st.integers(3, 60), st.integers(0, 4), st.integers(0, 4), st.integers(0, 6), st.integers(0, 99))
def test_a_session_holds_all_trials_and_its_checks(ratings, gold, traps, repeats, seed):
    rated = stimuli([f"u{index % 7}" for index in range(ratings)])
    order = session_order(
        rated, stimuli(names("u", gold), "gold"), stimuli(names("t", traps), "trap"), repeats,
        np.random.default_rng(seed),
    )  # fmt: skip
    counts = Counter(stimulus.name for stimulus in order)
    assert {stimulus.name for stimulus in rated} <= set(counts)
    assert sum(stimulus.kind == "gold" for stimulus in order) == gold
    assert sum(stimulus.kind == "trap" for stimulus in order) == traps
    twice = [name for name, count in counts.items() if count == 2]
    assert max(counts.values()) <= 2
    assert all(name.startswith("rating") for name in twice)
    assert len(twice) <= repeats


def test_repeats_come_far_from_the_first_time():
    order = [stimulus.name for stimulus in session_order(stimuli(names("u", 60)), [], [], 5, np.random.default_rng(0))]
    twice = [name for name, count in Counter(order).items() if count == 2]
    assert len(twice) == 5
    for name in twice:
        first = order.index(name)
        assert order.index(name, first + 1) - first >= 20


def test_traps_are_spread_over_the_session():
    places = []
    for seed in range(50):
        traps = stimuli(names("t", 3), "trap")
        order = session_order(stimuli(names("u", 60)), [], traps, 0, np.random.default_rng(seed))
        places.append([index for index, stimulus in enumerate(order) if stimulus.kind == "trap"])
    places = np.array(places)
    assert (places[:, 0] <= 21).all()
    assert ((places[:, 1] > 20) & (places[:, 1] <= 42)).all()
    assert (places[:, 2] > 40).all()
    assert len(set(places[:, 0])) > 5


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"items": 20, "lists": 3}, "items must be a multiple of lists"),
        ({"items": 0}, "items: 0 is not allowed; must be at least 1"),
        ({"traps": -1}, "traps: -1 is not allowed; must be at least 0"),
    ],
)
def test_impossible_designs_are_refused(values, message):
    with pytest.raises(UserError, match=message):
        settings_from(DesignSettings, values, "listening_test.design")
