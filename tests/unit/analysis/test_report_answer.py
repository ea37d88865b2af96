"""The sentence on the report's first screen, beside what is read off the table by hand."""

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto.analysis.report_answer import answer, state
from vocoder_pareto.analysis.systems_table import FRONTS, with_fronts
from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS
from vocoder_pareto.tables.csv_tables import typed

ENERGY = "energy_joules_per_audio_second"


def table_of(**columns):
    """Four systems of which x-L costs 5 times y-S for 0.25 MOS more, and z-S is dominated; one reference."""
    rows = pd.DataFrame({
        "system": ["world", "x-S", "y-S", "z-S", "x-L"], "model": ["world", "x", "y", "z", "x"],
        "size": ["", "S", "S", "S", "L"], "family": ["reference", "", "", "", ""],
        "mos": [np.nan, 1.5, 3.75, 3.0, 4.0], "mos_ci95": [np.nan, 0.3, 0.3, 0.3, 0.4],
        "mos_source": ["", *["published"] * 4], ENERGY: [0.1, 0.5, 1.0, 2.0, 5.0], "energy_source": "estimated",
        "device": "CPU X", "weights": ["", *["untrained"] * 4],
    })  # fmt: skip
    return with_fronts(typed(rows.assign(**columns), SYSTEMS_COLUMNS, "the test"), FRONTS)


def names_of(table):
    return {system: system.upper() for system in table["system"]}


def told(table):
    return answer(table, names_of(table)).replace("\u00a0", " ")


def test_the_answer_names_the_front_and_what_its_last_step_costs():
    assert told(table_of()) == (
        "On CPU X, of 4 systems, 3 are Pareto optimal: X-S, Y-S and X-L. X-L costs 5 times Y-S, for +0.25 ± 0.50 MOS."
    )


def test_a_system_that_nobody_rated_is_named():
    text = told(table_of(mos=[np.nan, np.nan, 3.75, 3.0, 4.0]))
    assert text.startswith("On CPU X, of 3 systems, 2 are Pareto optimal: Y-S and X-L.")
    assert text.endswith("Without energy or MOS, so not compared: X-S.")


def test_many_without_a_mos_are_counted():
    one = table_of()
    more = pd.concat([one, *(one[3:4].assign(system=f"n{index}-S", mos=np.nan) for index in range(9))])
    assert told(with_fronts(more, FRONTS)).endswith("Without energy or MOS, so not compared: 9 systems.")


def test_one_system_is_told_without_a_price():
    text = told(table_of(mos=[np.nan, np.nan, 3.75, np.nan, np.nan]))
    assert text.startswith("On CPU X, of 1 system, 1 is Pareto optimal: Y-S. Without energy or MOS")


@pytest.mark.parametrize(
    ("columns", "words"),
    [
        ({"mos": np.nan}, "no system has a MOS"),
        ({ENERGY: np.nan}, "no system has an energy"),
        ({"mos": [np.nan, 1, np.nan, 2, np.nan], ENERGY: [1, np.nan, 1, np.nan, 1]}, "no system has both"),
        ({"device": ["CPU X", "CPU X", "GPU", "GPU", "GPU"]}, "the energies are measured on several devices"),
    ],
)
def test_without_a_front_the_page_says_why(columns, words):
    text = told(table_of(**columns))
    assert text.startswith("There is no front of energy and MOS")
    assert words in text


def test_many_optimal_systems_are_counted():
    number = np.arange(1, 21)
    rows = pd.DataFrame({
        "system": [f"m{index}-S" for index in number], "model": "m", "size": "S", "mos": 1 + number / 10,
        ENERGY: number / 1.0, "energy_source": "nvml", "device": "GPU", "mos_source": "listening_test",
    })  # fmt: skip
    text = told(with_fronts(typed(rows, SYSTEMS_COLUMNS, "the test"), FRONTS))
    assert "20 are Pareto optimal: M1-S, M2-S, M3-S, M4-S, M5-S, M6-S and 14 more." in text


def test_the_state_tells_what_was_estimated_short_and_not_trained():
    table = table_of()
    assert state(table, {"x-S": ["short_protocol"]}) == [
        "All 4 energies are estimated, not measured.",
        "1 of 4 energies is of a short protocol: not to publish.",
        "All 4 systems are not trained: there is no audio to judge.",
        "MOS are those that the paper prints, of systems that its authors trained.",
    ]
    sound = table.assign(energy_source="nvml", weights="trained", mos_source="listening_test")
    assert state(sound, {}) == []
    assert "no evidential value" in state(sound.assign(mos_source="simulated"), {})[0]
