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
    assert set(each["training_energy_source"]) == {"published"}


def test_ours_stands_beside_it_with_our_intensity_and_site(table):
    row = table.loc[("here", "melgan-S")]
    assert row["training_kwh"] == pytest.approx(2)
    assert row["training_kg_co2eq"] == pytest.approx(2 * 0.1 * 1.2)
    assert row["training_mean_power_watts"] == pytest.approx(200)
    assert row["training_energy_source"] == "nvml"
    assert table.loc[("here", "all"), "training_kwh"] == pytest.approx(4)


def test_training_and_generation_cost_the_same_at_the_break_even(table):
    row = table.loc[("here", "melgan-S")]
    joules = row["break_even_audio_hours"] * 3600 * row["generation_joules_per_audio_second"]
    assert joules == pytest.approx(row["training_kwh"] * 3.6e6)
    # By hand: 2 kWh are 7.2 MJ; at 1 J per second that is 7.2 million seconds, 2,000 hours.
    assert row["break_even_audio_hours"] == pytest.approx(2000)


def rows_of(statement, printed, training, **columns):
    """Three systems of ours whose trainings took 1 kWh each."""
    ours = printed.assign(**{"training_energy_joules": 3.6e6, "energy_source": "nvml"} | columns)[1:4]
    sources = dict(zip(ours["system"], training, strict=True))
    training = {system: {"energy_source": source} for system, source in sources.items()}
    rows = carbon_table(statement, printed, CarbonSettings(intensity_kg_per_kwh=0.1), ours, training)
    return rows.set_index(["study", "system"])


def test_a_measured_training_and_an_estimated_generation_have_no_break_even(statement, printed):
    rows = rows_of(statement, printed, ["nvml"] * 3, energy_source=["", "estimated", "nvml", "rapl", *[""] * 15])
    assert rows.loc["here", "break_even_audio_hours"].notna().tolist() == [False, True, False, False]


def test_the_papers_break_even_follows_from_what_it_prints(table, printed):
    """By hand for its cheapest system: 36 kWh = 129.6 MJ, at 49.08 J for 100 s, are 264 million seconds, 73,350 h."""
    rows = table.loc["published"].drop("all")
    cheapest = rows.loc[rows["generation_joules_per_audio_second"].idxmin()]
    assert cheapest["generation_joules_per_audio_second"] == pytest.approx(0.4908)
    assert cheapest["break_even_audio_hours"] == pytest.approx(73_350, rel=1e-4)
    assert rows["break_even_audio_hours"].notna().all()
    assert np.isnan(table.loc[("published", "all"), "break_even_audio_hours"])


def test_measured_and_estimated_trainings_have_no_sum(statement, printed):
    total = rows_of(statement, printed, ["nvml", "estimated", "nvml"]).loc[("here", "all")]
    assert np.isnan(total["training_kwh"])
    assert np.isnan(total["training_kg_co2eq"])
    assert total["training_energy_source"] == "estimated; nvml"
    assert rows_of(statement, printed, ["nvml"] * 3).loc[("here", "all"), "training_kwh"] == pytest.approx(3)


def test_a_training_of_unknown_energy_leaves_itself_and_the_sum_empty(statement, printed):
    joules = np.where(printed.index == 1, np.nan, 3.6e6)
    rows = rows_of(statement, printed, ["nvml"] * 3, training_energy_joules=joules)
    assert np.isnan(rows.loc[("here", "melgan-S"), "training_kg_co2eq"])
    assert np.isnan(rows.loc[("here", "melgan-S"), "break_even_audio_hours"])
    assert np.isnan(rows.loc[("here", "all"), "training_kwh"])
    assert rows.loc[("here", "melgan-M"), "training_kwh"] == pytest.approx(1)


def test_trainings_of_unknown_source_are_not_added_up(statement, printed):
    assert np.isnan(rows_of(statement, printed, [""] * 3).loc[("here", "all"), "training_kwh"])


def test_the_paper_alone_has_no_rows_of_ours(statement, printed):
    assert set(carbon_table(statement, printed, CarbonSettings(intensity_kg_per_kwh=0.7))["study"]) == {"published"}


@pytest.mark.parametrize(("lost_seconds", "watts"), [(3600.0 * 10, 50.0), (None, np.nan)])
def test_hours_of_steps_that_a_kill_lost_stand_beside_their_energy(statement, printed, lost_seconds, watts):
    """1 kWh in 10 hours that count and 10 that are lost is 50 W."""
    ours = printed.assign(training_seconds=3600.0 * 10, training_energy_joules=3.6e6)[1:2]
    training = {"melgan-S": {"energy_source": "nvml", "lost_seconds": lost_seconds}}
    rows = carbon_table(statement, printed, CarbonSettings(), ours, training).set_index(["study", "system"])
    assert rows.loc[("here", "melgan-S"), "training_mean_power_watts"] == pytest.approx(watts, nan_ok=True)
