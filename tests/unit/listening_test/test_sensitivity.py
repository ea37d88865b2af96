import logging
import re
from dataclasses import replace

import numpy as np
import pytest
from panels import DEVIATIONS, crossed, ratings_of, table_of
from seeds import seed_of

from vocoder_pareto.listening_test.comparisons import pairwise_tests
from vocoder_pareto.listening_test.fitted_ratings import fit_ratings
from vocoder_pareto.listening_test.key import Key, Session, Stimulus
from vocoder_pareto.listening_test.sensitivity import (
    ASSUMED_DEVIATIONS,
    difference_found,
    planned_table,
    tell_sensitivity,
)
from vocoder_pareto.study.sections.listening_test import DesignSettings, StatisticsSettings

SETTINGS = StatisticsSettings()
STUDY = 20  # systems of the whole study, two references among them


def of_design(systems, people, sentences, lists=1, settings=SETTINGS):
    design = crossed(systems, people, sentences, lists)
    return difference_found(table_of(design, np.zeros(len(design.system))), settings, seed_of(0))


def key_of(systems, people, sentences):
    stimuli = [Stimulus(f"s{k}u{u}", "rating", f"s{k}", f"u{u}") for k in range(systems) for u in range(sentences)]
    trap = Stimulus("trap", "trap", "", "trap1", 4)
    trials = (*(stimulus.name for stimulus in stimuli), "trap", "s0u0")  # one is repeated
    sessions = [Session(number + 1, 1, ("s0u0",), trials) for number in range(people)]
    return Key("id", (), tuple(f"s{k}" for k in range(systems)), (*stimuli, trap), tuple(sessions))


def test_assumptions_are_those_that_the_coverage_is_simulated_with():
    assert dict(ASSUMED_DEVIATIONS) == DEVIATIONS


def test_the_plan_is_who_rates_what_once():
    table = planned_table(key_of(3, 4, 2))
    assert len(table) == 24
    assert not table.duplicated().any()
    assert set(table["system"]) == {"s0", "s1", "s2"}


def test_the_default_design_can_reach_significance_between_all_pairs_of_the_study():
    """Its difference is within the scale, whose ends are four points apart."""
    default = DesignSettings()
    assert of_design(STUDY, default.participants, default.items, default.lists) < 4


def test_the_default_design_separates_systems_of_the_study_after_the_correction_for_all_pairs():
    """The outside is a panel whose best systems are three points above its worst: of 190 pairs, some differ."""
    default = DesignSettings()
    design = crossed(STUDY, default.participants, default.items, default.lists)
    qualities = np.linspace(1.3, 4.3, STUDY)
    table = table_of(design, ratings_of(design, qualities, np.random.default_rng(seed_of(1)), whole=True))
    tests = pairwise_tests(fit_ratings(table, True, 500, seed_of(0)), table, SETTINGS.alpha)
    assert len(tests) == 190
    assert tests["significant"].sum() >= 5
    assert (tests.loc[tests["significant"], "mean_difference"] > 1).all()


def test_the_design_of_the_paper_preset_finds_two_thirds_of_a_point():
    assert of_design(STUDY, 60, 20, 5) == pytest.approx(0.6, abs=0.1)


def test_larger_designs_find_smaller_differences():
    found = [of_design(6, *size) for size in ((12, 2), (12, 10), (40, 10), (40, 20))]
    assert found == sorted(found, reverse=True)


def told(caplog, key, settings=SETTINGS):
    caplog.clear()
    with caplog.at_level(logging.INFO):
        tell_sensitivity(key, settings, seed_of(0))
    (record,) = caplog.records
    return record.levelname, record.getMessage()


def test_a_sufficient_design_is_told_and_a_small_one_warned_about(caplog):
    level, message = told(caplog, key_of(4, 40, 20))
    assert level == "INFO"
    assert "40 participants × 20 sentences find a difference of 0." in message
    level, message = told(caplog, key_of(4, 12, 2))
    assert level == "WARNING"
    assert "power of 0.8 at the level of 0.05 for all 6 pairs together" in message
    assert re.search(r"; 1 point needs ([4-9]|1\d) sentences \(design.items\)$", message)


def test_a_design_that_cannot_reach_significance_is_warned_about(caplog):
    strict = replace(SETTINGS, alpha=1e-9)
    level, message = told(caplog, key_of(3, 3, 2), strict)
    assert level == "WARNING"
    assert "can separate no two systems" in message


@pytest.mark.parametrize(("people", "sentences"), [(1, 4), (4, 1)])
def test_a_design_without_a_test_is_warned_about(caplog, people, sentences):
    level, message = told(caplog, key_of(3, people, sentences))
    assert level == "WARNING"
    assert "give no interval and no test" in message
    assert "listening_test.design.participants or .items" in message


def test_one_sentence_is_enough_for_itself(caplog):
    of_itself = replace(SETTINGS, other_sentences=False)
    assert "find a difference of" in told(caplog, key_of(3, 30, 1), of_itself)[1]
