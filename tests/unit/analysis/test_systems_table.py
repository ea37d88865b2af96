"""The join of all measurements: nothing is mixed up, filled in or lost."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from vocoder_pareto.analysis.printed_mos import Study
from vocoder_pareto.analysis.systems_table import (
    Measurements,
    measurement_flags,
    mos_of_listening_test,
    mos_of_paper,
    read_measurements,
    systems_measured,
)
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.quality.metrics import METRICS
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.tables.columns import ENERGY, FRONT_END_ENERGY, METRIC_COLUMNS, SYSTEMS_COLUMNS
from vocoder_pareto.tables.csv_tables import read_systems, write_table

COLUMNS = [
    "system", "model", "size", "family", "front_end", "sample_rate", "parameters",
    "gflops_per_audio_second", "gflops_fft", "gflops_elementwise", "gflops_published_convention",
    "energy_joules_per_audio_second", "energy_joules_per_audio_second_ci95",
    "energy_joules_per_audio_second_degrees_of_freedom", "energy_joules_per_audio_second_systematic",
    "energy_source", "device", "mean_power_watts",
    "idle_power_watts", "real_time_factor", "peak_memory_bytes",
    "front_end_energy_joules_per_audio_second", "front_end_real_time_factor",
    *(
        f"{metric}{beside}"
        for metric in (
            "d_stft", "mr_stft", "log_mel_distance", "estoi", "mcd", "f0_rmse", "vuv_error", "si_sdr", "pesq_wb",
        )
        for beside in ("", "_ci95", "_degrees_of_freedom")
    ),
    "clips_left_out",
    "predicted_mos", "predicted_mos_ci95", "predicted_mos_degrees_of_freedom", "predicted_mos_source",
    "mos", "mos_ci95", "mos_degrees_of_freedom", "mos_comparison_ci95", "mos_comparison_degrees_of_freedom",
    "mos_source", "weights", "weights_source", "replicate_of", "training_steps", "training_seconds",
    "training_energy_joules", "co2eq_kg_training", "on_front_energy", "on_front_gflops",
]  # fmt: skip


CARBON = CarbonSettings(intensity_kg_per_kwh=0.7)


def measurements_of(files):
    return read_measurements(files.complexity, files.energy, files.training, files.quality)


@pytest.fixture
def joined(files, printed_quality, families):
    files.add("hifigan-S", 0.6, gflops=3).add("melgan-S", 0.5, gflops=2).add("melgan-M", 0.7, gflops=1)
    files.add("newcomer-S", 0.01, gflops=0.5).add_quality("ground_truth", [0.0, 0.0]).add_quality("griffin_lim", [0.3])
    table = systems_measured(
        measurements_of(files),
        mos_of_paper(printed_quality),
        families,
        CarbonSettings(intensity_kg_per_kwh=0.7, power_usage_effectiveness=1.5),
    )
    return table.set_index("system", drop=False)


def test_columns_are_those_of_the_design_in_their_order(joined):
    assert list(joined.columns) == COLUMNS == [column.name for column in SYSTEMS_COLUMNS]


def test_references_stand_first_and_systems_keep_the_order_of_the_study(joined):
    assert list(joined.index) == ["ground_truth", "griffin_lim", "hifigan-S", "melgan-S", "melgan-M", "newcomer-S"]


def test_it_is_told_how_a_system_came_to_its_weights_and_from_whom(files, printed_quality, families):
    given = {"path": None, "url": "https://example.org/g.pt", "source": "example.org, LJSpeech", "licence": "MIT"}
    of_nobody = {"path": "g.pt", "url": None, "source": None, "licence": None}
    told = {
        "melgan-S": ({}, ("trained", "")),
        "melgan-M": ({"steps": 0}, ("untrained", "")),
        "hifigan-S": ({"steps": None, "weights": given}, ("given", "example.org, LJSpeech, MIT")),
        "hifigan-M": ({"steps": 7, "weights": of_nobody}, ("given", "g.pt")),
    }
    for system, (summary, _) in told.items():
        files.add(system, 0.5)
        write_json(files.training[-1], read_json(files.training[-1]) | summary)
    table = systems_measured(measurements_of(files), mos_of_paper(printed_quality), families, CARBON)
    rows = table.set_index("system")[["weights", "weights_source"]]
    assert {system: tuple(rows.loc[system]) for system in told} == {
        system: cells for system, (_, cells) in told.items()
    }


def test_references_have_quality_and_no_cost(joined):
    row = joined.loc["ground_truth"]
    assert (row["mos"], row["d_stft"], row["family"]) == (4.34, 0.0, "reference")
    assert np.isnan(row["energy_joules_per_audio_second"])
    assert row["energy_source"] == ""
    assert joined.loc["griffin_lim", "mos_source"] == ""


def test_numbers_reach_their_columns(joined):
    row = joined.loc["melgan-S"]
    assert (row["parameters"], row["gflops_per_audio_second"], row["energy_source"]) == (1_030_000, 2, "nvml")
    assert (row["mos"], row["mos_source"], row["family"]) == (1.37, "published", "GAN")
    assert row["energy_joules_per_audio_second_ci95"] == pytest.approx(0.005)
    assert row["energy_joules_per_audio_second_systematic"] == 0.05, "what the configuration says of nvml"
    assert (row["training_steps"], row["training_seconds"]) == (2, 7200)
    assert row["co2eq_kg_training"] == pytest.approx(1.0 * 0.7 * 1.5)  # 1 kWh


def test_a_column_with_a_record_is_copied_from_it_by_its_line_in_the_table_of_columns(printed_quality, families):
    """So a new column needs its line there and its key in the record, and nothing else."""
    records = {"complexity": {}, "energy": {}, "training": {}}
    for number, column in enumerate(SYSTEMS_COLUMNS, start=1):
        if column.record:
            records[column.record][column.key or column.name] = str(number) if column.kind == "text" else number
    records["complexity"] |= {"system": "a-S"}
    measured = Measurements([records["complexity"]], {"a-S": records["energy"]}, {"a-S": records["training"]}, {})
    row = systems_measured(measured, mos_of_paper(printed_quality), families, CARBON).iloc[-1]
    for number, column in enumerate(SYSTEMS_COLUMNS, start=1):
        if column.record:
            assert row[column.name] == (str(number) if column.kind == "text" else number)


def test_every_configured_metric_has_its_mean_over_clips_and_the_interval_of_scipy(files, printed_quality, families):
    files.add("melgan-S", 0.5)
    values = [0.5, 0.75, 0.625]
    rows = ["clip_id,d_stft,estoi,mcd,si_sdr,own", "a,0.1,0.5,,inf,7", "b,0.2,0.75,,3,8", "c,0.3,0.625,,4,9"]
    files.quality[-1].write_text("\n".join(rows) + "\n")
    table = systems_measured(measurements_of(files), mos_of_paper(printed_quality), families, CARBON).set_index(
        "system"
    )
    row = table.loc["melgan-S"]
    low, high = stats.t.interval(0.95, 2, np.mean(values), stats.sem(values))
    assert (row["estoi"], row["estoi_ci95"]) == pytest.approx((np.mean(values), (high - low) / 2))
    assert (row["estoi_degrees_of_freedom"], row["d_stft"]) == (2, pytest.approx(0.2))
    assert row[["mcd", "mcd_ci95", "mcd_degrees_of_freedom"]].isna().all(), "no clip has a value"
    assert (row["si_sdr"], row["si_sdr_degrees_of_freedom"]) == (3.5, 1), "a value without bound has no mean"
    assert "own" not in table


def test_metrics_are_called_and_drawn_alike_in_tables_and_in_correlations():
    """The table of metrics and that of columns are two; `d_stft` has the longer name in tables of systems."""
    columns = {column.name: column for column in SYSTEMS_COLUMNS}
    assert {metric.name for metric in METRICS} == set(METRIC_COLUMNS)
    for metric in METRICS:
        column = columns[metric.name]
        assert column.unit == metric.unit
        assert column.direction == ({"lower": "min", "higher": "max"}[metric.better] if metric.ranks else None)
        assert metric.name == "d_stft" or column.label == metric.label


def test_references_that_compute_have_their_cost_and_are_on_no_front(files, printed_quality, families):
    files.add("melgan-S", 0.5).add_quality("ground_truth", [0.0]).add_quality("griffin_lim", [0.3])
    files.add_quality("world", [0.1])
    for name, joules in (("griffin_lim", 2.0), ("world", 0.001)):
        record = {
            "system": name, "model": name, "size": "", "energy_joules_per_audio_second": joules, "device": "CPU X",
            "energy_source": "rapl", "real_time_factor": joules / 10, "publishable": True, "flags": ["computed_on_cpu"],
        }  # fmt: skip
        write_json(files.folder / f"{name}.json", record)
        files.energy.append(files.folder / f"{name}.json")
    measurements = measurements_of(files)
    mos = mos_of_listening_test(files.mos({"melgan-S": 3.0, "world": 4.9, "griffin_lim": 1.5, "ground_truth": 5.0}))
    table = systems_measured(measurements, mos, families, CARBON).set_index("system")
    assert list(table.index) == ["ground_truth", "griffin_lim", "world", "melgan-S"]
    assert table[ENERGY].tolist() == pytest.approx([np.nan, 2.0, 0.001, 0.5], nan_ok=True)
    assert table["device"].tolist() == ["", "CPU X", "CPU X", "GPU X"]
    assert table["real_time_factor"].tolist() == pytest.approx([np.nan, 0.2, 0.0001, 0.01], nan_ok=True)
    assert set(table.loc[["griffin_lim", "world"], "family"]) == {"reference"}
    assert table["on_front_energy"].isna().tolist() == [True, True, True, False]
    assert measurement_flags(measurements)["flags"]["world"] == ["computed_on_cpu"]


def test_a_system_of_another_front_end_has_its_cost_apart_and_not_the_printed_mos(files, printed_quality, families):
    files.add("melgan-S", 0.5).add("hifigan-S", 0.6)
    cost = {"front_end": "melgan_22k", ENERGY: 0.002, "real_time_factor": 0.001, "energy_source": "nvml"}
    write_json(files.folder / "front_end.json", cost)
    measured = read_measurements(
        files.complexity, files.energy, files.training, files.quality, front_ends=[files.folder / "front_end.json"]
    )
    front_ends = {"melgan-S": "melgan_22k", "hifigan-S": "paper"}
    table = systems_measured(measured, mos_of_paper(printed_quality), families, CARBON, Study(front_ends))
    table = table.set_index("system")
    assert table.loc[["melgan-S", "hifigan-S"], "front_end"].tolist() == ["melgan_22k", "paper"]
    assert table.loc["melgan-S", FRONT_END_ENERGY] == 0.002
    assert table.loc["melgan-S", "front_end_real_time_factor"] == 0.001
    assert table.loc["melgan-S", ENERGY] == 0.5, "that of the vocoder alone"
    assert np.isnan(table.loc["melgan-S", "mos"])
    assert table.loc["hifigan-S", "mos_source"] == "published"
    assert np.isnan(table.loc["hifigan-S", FRONT_END_ENERGY]), "its front end was not measured"


def test_a_system_that_the_paper_lacks_has_no_mos_and_is_on_no_front(joined):
    row = joined.loc["newcomer-S"]
    assert np.isnan(row["mos"])
    assert row["mos_source"] == ""
    assert joined["on_front_energy"].isna().to_dict()["newcomer-S"]
    assert joined["on_front_energy"]["hifigan-S"]


def test_fronts_are_of_the_rated_systems(joined):
    assert set(joined.index[joined["on_front_energy"].fillna(False)]) == {"melgan-S", "hifigan-S"}
    assert set(joined.index[joined["on_front_gflops"].fillna(False)]) == {"melgan-M", "hifigan-S"}


def test_a_listening_test_replaces_all_published_mos(files, families):
    files.add("hifigan-S", 0.6).add("melgan-S", 0.5).add("melgan-M", 0.7)
    mos = mos_of_listening_test(files.mos({"hifigan-S": 3.0, "melgan-M": 3.5, "ground_truth": 4.5}))
    table = systems_measured(measurements_of(files), mos, families, CARBON).set_index("system")
    assert np.isnan(table.loc["melgan-S", "mos"])  # not rated: never filled in from the paper
    assert set(table["mos_source"]) == {"listening_test", ""}
    assert table.loc["ground_truth", "mos"] == 4.5


def test_what_a_listening_test_knows_for_comparisons_is_kept(files, families):
    files.add("melgan-S", 0.5)
    path = files.mos({"melgan-S": 3.0})
    beside = pd.DataFrame({"mos_degrees_of_freedom": [7.5], "mos_comparison_ci95": [0.1]})
    pd.concat([pd.read_csv(path), beside], axis=1).to_csv(path, index=False)
    (row,) = systems_measured(measurements_of(files), mos_of_listening_test(path), families, CARBON).to_dict("records")
    assert (row["mos_ci95"], row["mos_degrees_of_freedom"], row["mos_comparison_ci95"]) == (0.2, 7.5, 0.1)
    assert np.isnan(row["mos_comparison_degrees_of_freedom"])


def test_a_simulated_panel_stays_marked(files, families):
    files.add("melgan-S", 0.5)
    mos = mos_of_listening_test(files.mos({"melgan-S": 3.0}, source="simulated"))
    table = systems_measured(measurements_of(files), mos, families, CARBON)
    assert list(table["mos_source"]) == ["simulated"]


@pytest.mark.parametrize("source", ["published", "guess"])
def test_mos_of_another_source_is_refused(files, source):
    with pytest.raises(UserError, match="allowed is one of listening_test, simulated"):
        mos_of_listening_test(files.mos({"melgan-S": 3.0}, source=source))


def test_what_was_not_measured_is_empty_not_zero(files, printed_quality, families):
    files.add("melgan-S", 0.5, source="estimated", idle_power_watts=None, peak_memory_bytes=None)
    row = systems_measured(measurements_of(files), mos_of_paper(printed_quality), families, CARBON).iloc[-1]
    assert np.isnan(row["idle_power_watts"])
    assert row[["peak_memory_bytes"]].isna().all()


def test_a_table_survives_being_written_and_read(joined, tmp_path):
    write_table(joined, tmp_path / "systems.csv")
    again = read_systems(tmp_path / "systems.csv")
    write_table(again, tmp_path / "again.csv")
    assert (tmp_path / "systems.csv").read_bytes() == (tmp_path / "again.csv").read_bytes()
    assert again.dtypes.to_dict() == joined.dtypes.to_dict()


def test_a_cell_that_is_no_number_is_named(joined, tmp_path):
    text = joined.astype("object").assign(mos="good").to_csv(index=False)
    (tmp_path / "systems.csv").write_text(text)
    with pytest.raises(UserError, match=r"systems.csv, line 2, column 'mos': 'good' is no number"):
        read_systems(tmp_path / "systems.csv")


def test_distances_are_averaged_with_students_interval(files, printed_quality, families):
    values = np.array([0.1, 0.2, 0.6])
    files.add("melgan-S", 0.5, distances=values).add("melgan-M", 0.5, distances=values[:1])
    files.add("melgan-L", 0.5, distances=values[:0])
    table = systems_measured(measurements_of(files), mos_of_paper(printed_quality), families, CARBON)
    mean, half_width = table.set_index("system").loc["melgan-S", ["d_stft", "d_stft_ci95"]]
    interval = stats.t.interval(0.95, 2, values.mean(), stats.sem(values))
    assert (mean - half_width, mean + half_width) == pytest.approx(interval)
    unsure, empty = (table.set_index("system").loc[name] for name in ("melgan-M", "melgan-L"))
    assert unsure["d_stft"] == 0.1
    assert np.isnan(unsure["d_stft_ci95"])
    assert empty[["d_stft", "d_stft_ci95"]].isna().all()


def test_utterances_without_a_value_are_counted_and_left_out_of_the_mean(files, printed_quality, families):
    """As of a silent recording: the mean is that of the others."""
    files.add("melgan-S", 0.5).add("melgan-M", 0.5)
    files.quality[0].write_text(
        "clip_id,d_stft,estoi,failures\na,0.1,0.9,\nb,,,d_stft: reference is constant\nc,0.3,,\n"
    )
    table = systems_measured(measurements_of(files), mos_of_paper(printed_quality), families, CARBON)
    row, other = (table.set_index("system").loc[name] for name in ("melgan-S", "melgan-M"))
    assert (row["d_stft"], row["estoi"]) == pytest.approx((0.2, 0.9))
    assert row["clips_left_out"] == "d_stft: 1 of 3; estoi: 2 of 3"
    assert other["clips_left_out"] == ""


def test_the_spread_of_seeds_is_in_the_intervals_of_all_that_was_trained_and_in_no_others(
    files, printed_quality, families
):
    """By equation 2 of `replicates`, written out, with the spread of NumPy over three seeds."""
    distances = {"XXS": [0.1, 0.2, 0.3], "XXS_1": [0.2, 0.3, 0.4], "XXS_2": [0.15, 0.25, 0.35], "S": [0.5, 0.6, 0.9]}
    for seed, (size, values) in enumerate(distances.items()):
        files.add(f"hifigan-{size}", 0.5, distances=values)
        of_system = {"model": "hifigan", "size": size, "architecture": {"channels": 8 if size == "S" else 4}}
        settings = {"system": of_system, "run": {"hours": 1.0}, "seed": seed}
        write_json(files.training[-1], read_json(files.training[-1]) | {"settings": settings})
    files.add("melgan-S", 0.5, distances=[0.1, 0.2, 0.3])
    write_json(files.training[-1], read_json(files.training[-1]) | {"steps": None, "weights": {"path": "g.pt"}})
    measurements = measurements_of(files)
    table = systems_measured(measurements, mos_of_paper(printed_quality), families, CARBON).set_index("system")
    of_clips, of_training = np.var([0.5, 0.6, 0.9], ddof=1) / 3, np.var([0.2, 0.3, 0.25], ddof=1)
    freedom = (of_clips + of_training) ** 2 / (of_clips**2 / 2 + of_training**2 / 2)
    row = table.loc["hifigan-S"]
    assert row["d_stft_degrees_of_freedom"] == pytest.approx(freedom)
    expected = stats.t.ppf(0.975, freedom) * np.sqrt(of_clips + of_training)
    assert row["d_stft_ci95"] == pytest.approx(expected)
    seeds = table["replicate_of"]
    assert seeds[seeds != ""].to_dict() == dict.fromkeys(["hifigan-XXS_1", "hifigan-XXS_2"], "hifigan-XXS")
    given = table.loc["melgan-S"]
    assert given["d_stft_ci95"] == pytest.approx(stats.t.ppf(0.975, 2) * 0.1 / np.sqrt(3))
    assert measurement_flags(measurements)["training_spread"] == {
        "d_stft": {"standard_deviation": pytest.approx(of_training**0.5), "degrees_of_freedom": 2}
    }


def test_flags_name_what_must_not_be_published(files):
    files.add("melgan-S", 0.5, publishable=False, flags=["short_protocol"]).add("melgan-M", 0.7)
    flags = measurement_flags(measurements_of(files))
    assert flags["not_publishable"] == ["melgan-S"]
    assert flags["flags"] == {"melgan-S": ["short_protocol"]}
    assert flags["d_stft_clips"] == {"melgan-S": 2, "melgan-M": 2}


@pytest.mark.parametrize("changes", [{"source": "estimated"}, {"device": "GPU Y"}])
def test_energies_that_do_not_compare_have_no_front(files, printed_quality, families, changes):
    files.add("hifigan-S", 0.6).add("melgan-S", 0.5, **changes)
    table = systems_measured(measurements_of(files), mos_of_paper(printed_quality), families, CARBON)
    assert table["on_front_energy"].isna().all()
    assert table["on_front_gflops"].notna().sum() == 2
