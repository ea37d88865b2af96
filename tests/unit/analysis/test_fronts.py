"""Fronts of tables: who is left out, what may share an axis, and what the files hold."""

import numpy as np
import pandas as pd
import pytest

from vocoder_pareto.analysis.fronts import Objectives, find_front, is_logarithmic, read_front, scaled_costs
from vocoder_pareto.errors import UserError

ENERGY = "energy_joules_per_audio_second"
ENERGY_AND_MOS = Objectives("energy", {ENERGY: "min", "mos": "max"})


@pytest.mark.parametrize("cost", [ENERGY, "gflops_published_convention"])
def test_published_fronts_are_those_of_the_paper(printed, cost):
    front = find_front(printed, Objectives("cost", {cost: "min", "mos": "max"}), draws=200)
    assert front.summary["front"] == ["melgan-S", "hifigan-S", "hifigan-L"]
    assert front.summary["knee"] == "hifigan-S"
    assert front.summary["systems"] == 18


GFLOPS_AND_MOS = Objectives("gflops", {"gflops_published_convention": "min", "mos": "max"})


def test_the_published_front_of_counts_is_sure_but_for_its_last_member(printed):
    table = find_front(printed, GFLOPS_AND_MOS, draws=5000).table.set_index("system")
    assert table.loc["melgan-S", "front_probability"] == 1.0  # the cheapest one, whatever its quality
    # HiFi-GAN L is optimal unless the cheaper HiFi-GAN S or M sound better.
    assert 0.93 < table.loc["hifigan-L", "front_probability"] < 0.99
    assert table.loc["wavegrad-S", "front_probability"] == 0.0


def test_of_the_printed_energies_no_uncertainty_is_known_and_so_no_probability(printed):
    front = find_front(printed, ENERGY_AND_MOS, draws=10)
    assert front.table["front_probability"].isna().all()
    assert list(front.summary["uncertainty_unknown"]) == [ENERGY]
    assert front.summary["front"] == ["melgan-S", "hifigan-S", "hifigan-L"]


def test_errors_of_the_printed_energies_would_make_the_cheapest_one_unsure(printed):
    """Against own draws: each energy times a log-normal factor (deviation 10 or 30 %), each MOS plus a normal."""
    systems = printed[printed["family"] != "reference"].reset_index(drop=True)
    generator = np.random.default_rng(7)
    for relative, most_likely in ((0.1, 0.95), (0.3, 0.65)):
        given = systems.assign(**{f"{ENERGY}_ci95": 0.0, f"{ENERGY}_systematic": (1 + relative) ** 1.959964 - 1})
        table = find_front(given, ENERGY_AND_MOS, draws=4000, common_share=0.0).table.set_index("system")
        energy = systems[ENERGY].to_numpy() * (1 + relative) ** generator.standard_normal((4000, 18))
        deviations = systems["mos_ci95"].to_numpy() / 1.96
        mos = systems["mos"].to_numpy() + deviations * generator.standard_normal((4000, 18))
        beaten = ((energy < energy[:, :1]) & (mos > mos[:, :1])).any(axis=1)
        assert systems["system"][0] == "melgan-S"
        found = table.loc["melgan-S", "front_probability"]
        assert found == pytest.approx(1 - beaten.mean(), abs=0.04)  # over 3.5 standard errors of the difference
        assert found < most_likely
        shared = find_front(given, ENERGY_AND_MOS, draws=4000, common_share=0.8).table.set_index("system")
        assert shared.loc["melgan-S", "front_probability"] > found + 0.04


def test_a_meter_whose_systematic_error_is_unknown_is_named(printed):
    systems = printed.assign(**{f"{ENERGY}_ci95": 0.01, f"{ENERGY}_degrees_of_freedom": 4.0})
    front = find_front(systems, ENERGY_AND_MOS, draws=50)
    assert front.table["front_probability"].notna().all()
    assert list(front.summary["systematic_unknown"]) == [ENERGY]
    known = find_front(systems.assign(**{f"{ENERGY}_systematic": 0.05}), ENERGY_AND_MOS, draws=50)
    assert known.summary["systematic_unknown"] == {}
    assert f"{ENERGY}_systematic" in known.table


def test_a_negative_uncertainty_is_refused_with_the_columns_that_can_hold_it(printed):
    with pytest.raises(UserError, match=r"_ci95.*must not be negative"):
        find_front(printed.assign(**{f"{ENERGY}_ci95": -0.1}), ENERGY_AND_MOS, draws=1)


def test_each_dominated_system_names_those_that_dominate_it(printed):
    table = find_front(printed, ENERGY_AND_MOS, draws=1).table.set_index("system")
    assert table.loc["wavegrad-M", "dominated_by"] == "hifigan-S;hifigan-L"
    assert table.loc["hifigan-L", "dominated_by"] == ""


def test_sub_fronts_are_those_of_each_model(printed):
    table = find_front(printed, ENERGY_AND_MOS, draws=1).table
    dominated_at_home = set(table.loc[~table["on_family_front"], "system"])
    assert dominated_at_home == {"hifigan-M", "wavegrad-L", "waveglow-M"}


def test_systems_without_a_value_are_left_out_and_listed(printed):
    systems = printed.assign(mos=printed["mos"].where(printed["system"] != "hifigan-S"))
    front = find_front(systems, ENERGY_AND_MOS, draws=1)
    assert front.summary["left_out"] == {"hifigan-S": ["mos"]}
    assert front.summary["front"] == ["melgan-S", "hifigan-M", "hifigan-L"]


def test_natural_speech_never_competes_but_is_reported(printed):
    systems = printed.assign(parameters=printed["parameters"].fillna(0), d_stft=printed["d_stft"])
    front = find_front(systems, Objectives("free", {"parameters": "min", "d_stft": "min"}), draws=1)
    assert "ground_truth" not in set(front.table["system"])
    assert front.summary["references"]["ground_truth"] == {"parameters": 0.0, "d_stft": 0.0}


def test_mos_of_two_tests_never_share_an_axis(printed):
    systems = printed.assign(mos_source=["published"] * 10 + ["listening_test"] * 9)
    with pytest.raises(UserError, match=r"listening_test, published: MOS of several tests.*stimuli of one test"):
        find_front(systems, ENERGY_AND_MOS, draws=1)
    find_front(systems, Objectives("other", {ENERGY: "min", "d_stft": "min"}), draws=1)  # without MOS it is fine


def test_three_objectives_find_the_larger_front(printed):
    two = find_front(printed, ENERGY_AND_MOS, draws=1)
    three = find_front(printed, Objectives("three", {"parameters": "min", ENERGY: "min", "mos": "max"}), draws=1)
    assert set(two.summary["front"]) <= set(three.summary["front"])


def test_a_front_survives_being_written_and_read(printed, tmp_path):
    front = find_front(printed, GFLOPS_AND_MOS, draws=50)
    front.write(tmp_path / "front.csv", tmp_path / "front.json")
    again = read_front(tmp_path / "front.csv", tmp_path / "front.json")
    assert again.summary == front.summary
    assert again.objectives == front.objectives
    assert again.table["on_front"].tolist() == front.table["on_front"].tolist()
    assert np.allclose(again.table["front_probability"], front.table["front_probability"])


def test_no_rated_system_gives_an_empty_front(printed):
    front = find_front(printed.assign(mos=np.nan), ENERGY_AND_MOS, draws=5)
    assert front.table.empty
    assert front.summary["front"] == []
    assert len(front.summary["left_out"]) == 18


def test_the_hypervolume_shares_belong_to_the_front_alone(printed):
    table = find_front(printed, ENERGY_AND_MOS, draws=1).table
    assert (table.loc[table["on_front"], "hypervolume_share"] > 0).all()
    assert (table.loc[~table["on_front"], "hypervolume_share"] == 0).all()


def test_scaled_costs_run_from_best_to_worst_with_costs_by_logarithm():
    values = np.array([[1.0, 2.0], [10.0, 4.0], [100.0, 3.0]])
    scaled = scaled_costs(values, ENERGY_AND_MOS)
    assert scaled == pytest.approx(np.array([[0, 1], [0.5, 0], [1, 0.5]]))


@pytest.mark.parametrize(
    ("name", "direction", "values", "expected"),
    [
        ("parameters", "min", [1.0, 2.0], True),
        ("mos", "max", [1.0, 4.0], False),
        ("dollars", "min", [1.0, 1000.0], True),
        ("dollars", "min", [1.0, 1.1], True),
        ("dollars", "min", [-1.0, 10.0], False),
        ("accuracy", "max", [0.001, 1.0], False),
        ("parameters", "min", [0.0, 2.0], False),
    ],
)
def test_positive_costs_get_logarithmic_axes(name, direction, values, expected):
    assert is_logarithmic(name, direction, np.array(values)) is expected


def test_objectives_are_put_in_the_order_of_systems_csv():
    objectives = Objectives("x", {"mos": "max", "energy_joules_per_audio_second": "min", "parameters": "min"})
    assert list(objectives.in_order_of_systems().columns) == ["parameters", ENERGY, "mos"]


def test_mistakes_in_objectives_are_named():
    with pytest.raises(ValueError, match="4 columns; allowed are 2 or 3"):
        Objectives("x", dict.fromkeys("abcd", "min"))
    with pytest.raises(ValueError, match="direction 'less'; allowed: min, max"):
        Objectives("x", {"a": "min", "b": "less"})
    with pytest.raises(UserError, match=r"pareto.objectives: 'enery' is no objective; allowed: parameters, "):
        Objectives("x", {"mos": "max", "enery": "min"}).in_order_of_systems()
    table = pd.DataFrame({"system": ["a", "b"], "cost": ["low", "high"], "mos": [1.0, 2.0]})
    with pytest.raises(UserError, match="'cost' is not numeric; it holds 'low'"):
        find_front(table, Objectives("x", {"cost": "min", "mos": "max"}))
    with pytest.raises(UserError, match="'price' is missing; the table has system, cost, mos"):
        find_front(table, Objectives("x", {"price": "min", "mos": "max"}))


def test_shortened_protocols_count_where_a_measured_cost_is_an_objective(printed):
    short = ["melgan-S"]
    assert find_front(printed, ENERGY_AND_MOS, 1, not_publishable=short).summary["not_publishable"] == short
    counts = Objectives("gflops", {"gflops_published_convention": "min", "mos": "max"})
    assert find_front(printed, counts, 1, not_publishable=short).summary["not_publishable"] == []


def test_the_table_of_a_front_carries_the_marks_of_its_figure(printed):
    """Each row says what the caption says: two devices, one short protocol, one doubtful energy."""
    systems = printed.assign(training_steps=[0, *[2] * (len(printed) - 1)])
    elsewhere = systems.assign(device=["A" if system == "melgan-S" else "B" for system in systems["system"]])
    doubts = {"melgan-S": ["drifting", "throttled"]}
    table = find_front(elsewhere, ENERGY_AND_MOS, draws=1, not_publishable=["hifigan-S"], doubts=doubts).table
    rows = table.set_index("system")
    assert rows.loc["melgan-S", "energy_doubts"] == "drifting; throttled"
    assert rows["not_publishable"][rows["not_publishable"]].index.tolist() == ["hifigan-S"]
    assert set(rows["not_comparable"]) == {"measured on several devices: A, B"}
    same = find_front(systems, ENERGY_AND_MOS, draws=1).table
    assert set(same["not_comparable"]) == {""}
    assert not same["untrained"].any()
    assert find_front(systems.assign(training_steps=0), ENERGY_AND_MOS, draws=1).table["untrained"].all()


def test_a_table_without_sources_carries_no_marks(tmp_path):
    systems = pd.DataFrame({"system": ["a", "b"], "energy": [1.0, 2.0], "mos": [1.0, 2.0]})
    front = find_front(systems, Objectives("x", {"energy": "min", "mos": "max"}), draws=1)
    assert not {"energy_doubts", "not_publishable", "not_comparable", "untrained"} & set(front.table.columns)
