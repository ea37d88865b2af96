"""The paper's statement on emissions from its inputs, and ours beside it."""

import numpy as np
import pytest

from vocoder_pareto.analysis.carbon import carbon_table
from vocoder_pareto.study.sections.training import CarbonSettings


@pytest.fixture
def table(statement, printed):
    ours = printed.assign(
        energy_source="nvml", training_seconds=3600.0 * 10,
        training_energy_joules=3.6e6 * np.where(printed.index == 1, 2, 1), energy_joules_per_audio_second=1.0,
    )[1:4]  # fmt: skip
    training = {system: {"energy_source": "nvml"} for system in ours["system"]}
    rows = carbon_table(
        statement, printed, CarbonSettings(intensity_kg_per_kwh=0.1, power_usage_effectiveness=1.2), ours, training
    )
    return rows.set_index(["study", "system"])


def test_the_statement_follows_from_its_inputs(table, statement):
    total = table.loc[("published", "all")]
    assert total["training_hours"] == statement.printed_hours == 2160
    assert total["training_kwh"] == 18 * 36
    assert total["training_kg_co2eq"] == pytest.approx(total["printed_kg_co2eq"]) == 453.6
    each = table.loc["published"].drop("all")
    assert len(each) == 18
    assert (each["training_kwh"] == each["printed_kwh"]).all()
    assert set(each["training_energy_source"]) == {"estimated"}


def test_ours_stands_beside_it_with_our_intensity_and_site(table):
    row = table.loc[("here", "melgan-S")]
    assert row["training_kwh"] == pytest.approx(2)
    assert row["training_kg_co2eq"] == pytest.approx(2 * 0.1 * 1.2)
    assert row["training_mean_power_watts"] == pytest.approx(200)
    assert row["training_energy_source"] == "nvml"
    assert table.loc[("here", "all"), "training_kwh"] == pytest.approx(4)


def test_training_and_generation_cost_the_same_at_the_break_even(table, statement):
    for study, system in [("published", "wavegrad-L"), ("here", "melgan-S")]:
        row = table.loc[(study, system)]
        joules = row["break_even_audio_hours"] * 3600 * row["generation_joules_per_audio_second"]
        assert joules == pytest.approx(row["training_kwh"] * 3.6e6)
    # By hand: 36 kWh are 129.6 MJ; at 0.4908 J per second that is 264.1 million seconds.
    assert table.loc[("published", "melgan-S"), "break_even_audio_hours"] == pytest.approx(129.6e6 / 0.4908 / 3600)


def test_unknown_training_energy_is_empty_and_adds_nothing(statement, printed):
    ours = printed.assign(training_energy_joules=np.where(printed.index == 1, np.nan, 3.6e6))[1:3]
    rows = carbon_table(statement, printed, CarbonSettings(intensity_kg_per_kwh=0.1), ours, {}).set_index(
        ["study", "system"]
    )
    assert np.isnan(rows.loc[("here", "melgan-S"), "training_kg_co2eq"])
    assert np.isnan(rows.loc[("here", "melgan-S"), "break_even_audio_hours"])
    assert rows.loc[("here", "all"), "training_kwh"] == pytest.approx(1)


def test_the_paper_alone_has_no_rows_of_ours(statement, printed):
    assert set(carbon_table(statement, printed, CarbonSettings(intensity_kg_per_kwh=0.7))["study"]) == {"published"}


@pytest.mark.parametrize(("lost_seconds", "watts"), [(3600.0 * 10, 50.0), (None, np.nan)])
def test_hours_of_steps_that_a_kill_lost_stand_beside_their_energy(statement, printed, lost_seconds, watts):
    """1 kWh in 10 hours that count and 10 that are lost is 50 W."""
    ours = printed.assign(training_seconds=3600.0 * 10, training_energy_joules=3.6e6)[1:2]
    training = {"melgan-S": {"energy_source": "nvml", "lost_seconds": lost_seconds}}
    rows = carbon_table(statement, printed, CarbonSettings(), ours, training).set_index(["study", "system"])
    assert rows.loc[("here", "melgan-S"), "training_mean_power_watts"] == pytest.approx(watts, nan_ok=True)
