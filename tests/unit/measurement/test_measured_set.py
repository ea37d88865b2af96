import shutil
import statistics
from dataclasses import replace
from pathlib import Path

import pytest
from small_vocoder import SMALL

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.digests import system_digest
from vocoder_pareto.measurement.measured_set import adopted, folder_of, measure_run
from vocoder_pareto.study.configuration import checked, read_configuration
from vocoder_pareto.study.studied_systems import systems_of

SYSTEMS = [replace(SMALL, size=size) for size in "SML"]


ENERGY = "energy_joules_per_audio_second"
PROTOCOL = {
    "precision": "float32", "batch_size": 1, "windows": 5, "max_relative_interval": 0.05, "seed": 0,
    "warmup_passes_done": 10, "warmup_stable": True, "warmup_power_stable": None, "batch_frames": 625,
    "audio_seconds_per_clip": 625 * SMALL.hop_length / SMALL.sample_rate,
}  # fmt: skip


def record(system, energy, gpu=0, protocol=(), **changes):
    return {
        "system": system.name, "device": "NVIDIA Imaginary", "energy_source": "nvml", "publishable": True,
        "flags": [], "reasons": {}, "windows": ["raw"], "mean_power_watts": 200.0, "real_time_factor": 0.01,
        "peak_memory_bytes": 1000, "protocol": PROTOCOL | dict(protocol),
        "meter": {"domains": {f"nvidia_gpu_{gpu}": {"joules_per_unit": 0.001}}},
        ENERGY: energy, f"{ENERGY}_ci95": 0.02, f"{ENERGY}_degrees_of_freedom": 4,
        "settings": {"digest": system_digest(system), "architecture": {}, "sampling": {}},
        **changes,
    }  # fmt: skip


@pytest.fixture
def two_runs(tmp_path):
    for energy in (10.0, 11.0):
        measure_run(tmp_path, SYSTEMS, lambda system, energy=energy: record(system, energy), seed=0)
    return tmp_path


def test_every_call_is_another_run_of_all_systems(two_runs):
    assert sorted(path.relative_to(two_runs).as_posix() for path in two_runs.rglob("small-*.json")) == [
        f"run{run}/small-{size}.json" for run in (1, 2) for size in "LMS"
    ]


def test_a_run_that_was_broken_off_goes_on(tmp_path):
    measured = []

    def measure(system):
        measured.append(system.name)
        if len(measured) == 2:
            raise KeyboardInterrupt
        return record(system, 10.0)

    with pytest.raises(KeyboardInterrupt):
        measure_run(tmp_path, SYSTEMS, measure, seed=0)
    measure_run(tmp_path, SYSTEMS, measure, seed=0)
    assert len(measured) == 4
    assert set(measured) == {system.name for system in SYSTEMS}
    assert not (tmp_path / "run2").exists()


def test_a_run_that_was_deleted_is_measured_anew(two_runs):
    shutil.rmtree(two_runs / "run1")
    measured = []
    run = measure_run(two_runs, SYSTEMS, lambda system: measured.append(system) or record(system, 12.0), seed=0)
    assert (run.name, len(measured)) == ("run1", len(SYSTEMS))
    assert read_json(two_runs / "set.json")["systems"]["small-S"][ENERGY] == [12.0, 11.0]


def test_the_order_of_systems_is_random_and_differs_between_runs(tmp_path):
    orders = []
    for _ in range(3):
        order = []
        measure_run(tmp_path, SYSTEMS, lambda system, order=order: order.append(system.size) or record(system, 1.0), 0)
        orders.append("".join(order))
    assert len(set(orders)) > 1


def test_the_summary_puts_runs_side_by_side(two_runs):
    summary = read_json(two_runs / "set.json")
    assert (summary["device"], summary["runs"]) == ("NVIDIA Imaginary", 2)
    found = summary["systems"]["small-S"]
    assert found["energy_joules_per_audio_second"] == [10.0, 11.0]
    assert found["relative_spread"] == pytest.approx(1.0 / 10.5)


def take(folder, system, precision="float32", batch_size=1):
    return adopted(folder, system, precision, batch_size)


def store(folder, *records):
    for number, content in enumerate(records, start=1):
        write_json(folder / f"run{number}" / "small-S.json", content)
    return folder


def test_runs_are_adopted_as_one_result_whose_interval_holds_their_spread(two_runs):
    found = take(two_runs, SYSTEMS[1])
    assert found[ENERGY] == 10.5
    # Student's interval of two values, by hand: 12.706 · 0.7071 / √2.
    assert found[f"{ENERGY}_ci95"] == pytest.approx(12.706 / 2, rel=1e-4)
    assert found[f"{ENERGY}_degrees_of_freedom"] == 1
    assert found["energy_source"] == "nvml"
    assert found["runs"]["relative_spread"] == pytest.approx(1.0 / 10.5)
    assert found["stored_in"] == two_runs.as_posix()
    assert "windows" not in found  # those of one run are not those of both


def test_powers_and_times_are_means_of_the_runs_and_memory_is_the_most(tmp_path):
    other = record(SYSTEMS[0], 10.0, mean_power_watts=220.0, peak_memory_bytes=1500, real_time_factor=0.03)
    found = take(store(tmp_path, record(SYSTEMS[0], 10.0), other), SYSTEMS[0])
    assert (found["mean_power_watts"], found["peak_memory_bytes"]) == (210.0, 1500)
    assert found["real_time_factor"] == pytest.approx(0.02)


def test_runs_that_differ_by_as_much_as_they_measure_are_flagged_and_not_publishable(tmp_path):
    """Run 2 twice as high as run 1, each with an interval of 0.2 %."""
    found = take(store(tmp_path, record(SYSTEMS[0], 10.0), record(SYSTEMS[0], 20.0)), SYSTEMS[0])
    assert found[ENERGY] - found[f"{ENERGY}_ci95"] < 10 < 20 < found[ENERGY] + found[f"{ENERGY}_ci95"]
    assert found["flags"] == ["wide_interval", "not_publishable"]
    assert found["publishable"] is False
    assert "of 2 runs" in found["reasons"]["wide_interval"]


def test_three_runs_that_agree_are_publishable(tmp_path):
    found = take(store(tmp_path, *(record(SYSTEMS[0], energy) for energy in (10.0, 10.1, 9.95))), SYSTEMS[0])
    assert (found["publishable"], found["flags"]) == (True, [])
    assert found[f"{ENERGY}_ci95"] < 0.05 * found[ENERGY]


def test_a_flag_of_one_run_is_one_of_the_result(tmp_path):
    busy = {"flags": ["busy_machine"], "reasons": {"busy_machine": "too busy"}, "publishable": False}
    found = take(store(tmp_path, record(SYSTEMS[0], 10.0), record(SYSTEMS[0], 10.001, **busy)), SYSTEMS[0])
    assert found["flags"] == ["busy_machine", "not_publishable"]
    assert found["reasons"]["not_publishable"] == "too busy"


def test_one_run_is_adopted_as_it_is(tmp_path):
    found = take(store(tmp_path, record(SYSTEMS[0], 10.0)), SYSTEMS[0])
    assert found[f"{ENERGY}_ci95"] == 0.02
    assert found["windows"] == ["raw"]


def test_a_run_without_valid_energy_leaves_the_others_and_its_flag(tmp_path):
    lost = {"flags": ["invalid_window"], "reasons": {"invalid_window": "it wrapped"}, "publishable": False}
    second = record(SYSTEMS[0], None, mean_power_watts=None, **lost)
    found = take(store(tmp_path, record(SYSTEMS[0], 10.0), second), SYSTEMS[0])
    assert (found[ENERGY], found["mean_power_watts"]) == (10.0, None)
    assert "invalid_window" in found["flags"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"protocol": {"precision": "bf16"}}, "precision is bf16, in .*run1.* it is float32"),
        ({"protocol": {"batch_size": 8}}, "batch_size is 8, in .* it is 1"),
        ({"protocol": {"windows": 3}}, "windows is 3, in .* it is 5"),
        ({"device": "NVIDIA Other"}, "device is NVIDIA Other, in .* it is NVIDIA Imaginary"),
        ({"energy_source": "rapl"}, "energy_source is rapl"),
        ({"meter": {"domains": {"package_0": {"joules_per_unit": 1e-6}}}}, "domains of the meter"),
        ({"hardware": {"gpu": {"enforced_power_limit_watts": 400.0}}}, r"enforced_power_limit_watts is 400\.0, in "),
        ({"hardware": {"gpu": None, "cpu": {"torch_threads": 1}}}, "torch_threads is 1, in "),
        ({"software": {"packages": {"torch": "2.0"}}}, r"version of torch is 2\.0, in "),
    ],
)
def test_runs_that_are_no_repetitions_are_refused_in_words(tmp_path, changes, words):
    store(tmp_path, record(SYSTEMS[0], 10.0), record(SYSTEMS[0], 10.0, **changes))
    with pytest.raises(UserError, match=rf"run2/small-S\.json: {words}.*set of its own"):
        take(tmp_path, SYSTEMS[0])


OTHER_WARM_UP = {"seed": 1, "warmup_passes_done": 12, "warmup_stable": False, "warmup_power_stable": False}


def test_another_place_of_the_same_board_and_another_warm_up_are_repetitions(tmp_path):
    other = record(SYSTEMS[0], 10.0, gpu=3, protocol=OTHER_WARM_UP)
    assert take(store(tmp_path, record(SYSTEMS[0], 10.0), other), SYSTEMS[0])[ENERGY] == 10.0


@pytest.mark.parametrize(("precision", "batch_size", "key"), [("bf16", 1, "precision"), ("float32", 4, "batch_size")])
def test_a_set_of_another_precision_or_batch_size_than_the_studys_is_refused(two_runs, precision, batch_size, key):
    with pytest.raises(UserError, match=rf"config key energy\.{key} is .*; set energy\.{key}: "):
        take(two_runs, SYSTEMS[0], precision, batch_size)


def test_a_system_that_is_not_in_the_set_is_named(two_runs):
    with pytest.raises(UserError, match=r"run1/small-X\.json.*measurements\.from: null"):
        take(two_runs, replace(SMALL, size="X"))


def test_a_record_of_other_settings_is_refused(two_runs):
    with pytest.raises(UserError, match=r"small-S\.json: measured with architecture"):
        take(two_runs, replace(SMALL, sampling={"steps": 6}))


@pytest.mark.parametrize(
    ("front_end", "words"),
    [
        ({"sample_rate": 22050}, r"frames of 0\.016 s, .* hop_length 256 at sample_rate 22050, 0\.01161 s"),
        ({"hop_length": 128}, r"frames of 0\.016 s, .* hop_length 128 "),
        ({"n_mels": 100}, "with n_mels 80, .* 100;"),
    ],
)
def test_a_record_of_another_front_end_is_refused(tmp_path, front_end, words):
    """The same network at 22,050 Hz makes a second of audio from 86 frames instead of 62.5, with 38 % more joules."""
    content = record(SYSTEMS[0], 10.0)
    store(tmp_path, content | {"settings": content["settings"] | {"n_mels": 80}})
    with pytest.raises(UserError, match=words):
        take(tmp_path, replace(SYSTEMS[0], **front_end))


def test_a_record_of_another_system_is_refused(two_runs):
    write_json(two_runs / "run1" / "small-S.json", record(SYSTEMS[1], 10.0))
    with pytest.raises(UserError, match="not a record of the energy of small-S"):
        take(two_runs, SYSTEMS[0])


@pytest.mark.parametrize("source", [None, "", 3])
def test_a_record_that_does_not_say_where_its_joules_come_from_is_refused(two_runs, source):
    write_json(two_runs / "run1" / "small-S.json", record(SYSTEMS[0], 10.0) | {"energy_source": source})
    with pytest.raises(UserError, match="not a record of the energy of small-S"):
        take(two_runs, SYSTEMS[0])


@pytest.mark.parametrize(
    ("changes", "where"),
    [
        ({ENERGY: "ten"}, f"{ENERGY}: "),
        ({ENERGY: -3.0}, f"{ENERGY}: .* greater than 0"),
        ({ENERGY: True}, f"{ENERGY}: "),
        ({f"{ENERGY}_ci95": -0.1}, f"{ENERGY}_ci95: "),
        ({f"{ENERGY}_degrees_of_freedom": 0}, f"{ENERGY}_degrees_of_freedom: "),
        ({"protocol": PROTOCOL | {"batch_frames": 0}}, "protocol.batch_frames: "),
        ({"protocol": PROTOCOL | {"audio_seconds_per_clip": None}}, "protocol.audio_seconds_per_clip: "),
        ({"flags": "busy_machine"}, "flags: "),
        ({"publishable": None}, "publishable: "),
        ({"settings": "none"}, "settings: "),
        ({"meter": None}, "meter: "),
        ({"hardware": []}, "hardware: "),
    ],
)
def test_what_cannot_be_measured_is_no_record(tmp_path, changes, where):
    words = rf"run2/small-S\.json: not a record of the energy of small-S \({where}"
    with pytest.raises(UserError, match=words):
        take(store(tmp_path, record(SYSTEMS[0], 10.0), record(SYSTEMS[0], 10.0, **changes)), SYSTEMS[0])


@pytest.mark.parametrize("content", [[1], None, {"system": "small-S"}])
def test_a_file_of_something_else_is_no_record(tmp_path, content):
    with pytest.raises(UserError, match=r"run1/small-S\.json: not a record of the energy of small-S \("):
        take(store(tmp_path, content), SYSTEMS[0])


def test_folders_are_named_after_the_device():
    assert folder_of("NVIDIA RTX A5000") == "nvidia-rtx-a5000"
    assert folder_of("Intel(R) Xeon(R) CPU @ 2.20GHz") == "intel-r-xeon-r-cpu-2-20ghz"


LIKELIHOOD = "vocoder_pareto.training.objectives.likelihood.LikelihoodObjective"


def test_systems_come_from_the_configuration():
    config = {
        "systems": ["small-S"],
        "models": {
            "small": {
                "vocoder": SMALL.vocoder,
                "objective": LIKELIHOOD,
                "sizes": {"S": {"training": {"steps": 5}}, "M": {}},
            }
        },
    }
    (system,) = systems_of(checked(config))
    assert system == replace(SMALL, objective=LIKELIHOOD)


PROJECT = Path(__file__).parents[3]
STORED = sorted(path.parent for path in (PROJECT / "resources" / "measured").glob("*/set.json"))


def test_two_runs_of_the_h100_that_agree_by_chance_are_as_uncertain_as_their_windows():
    """WaveGlow L: 5.2306 and 5.2342 J/s, but ±1.9 % and (a median) ±4.6 % in the windows of each."""
    systems = {system.name: system for system in systems_of(read_configuration([PROJECT / "config.yaml"]))}
    found = adopted(PROJECT / "resources/measured/nvidia-h100-80gb-hbm3", systems["waveglow-L"], "float32", 1)
    assert found[f"{ENERGY}_ci95"] > 0.02 * found[ENERGY]
    assert "wide_interval" in found["flags"]


@pytest.mark.parametrize("folder", STORED, ids=lambda folder: folder.name)
def test_a_set_of_this_project_holds_all_systems_of_the_configuration(folder):
    """Their architecture, sampling and protocol; and the joules of every window follow from the counters in it."""
    for system in systems_of(read_configuration([PROJECT / "config.yaml"])):
        record = adopted(folder, system, "float32", 1)
        assert record["energy_source"] in ("nvml", "estimated")
        assert 0 < record[f"{ENERGY}_ci95"] < 0.15 * record[ENERGY]
    for file in folder.glob("run*/*.json"):
        record = read_json(file)
        (joules_per_unit,) = (domain["joules_per_unit"] for domain in record["meter"]["domains"].values())
        for window in record["windows"]:
            (first,), (last,) = window["start"]["counters"].values(), window["end"]["counters"].values()
            assert (last - first) * joules_per_unit == pytest.approx(window["joules"], rel=1e-12)
        joules = [window["joules_per_audio_second"] for window in record["windows"] if window["counted"]]
        combined = {"mean": statistics.fmean, "median": statistics.median}[record["energy_combined_by"]]
        assert combined(joules) == pytest.approx(record[ENERGY], rel=1e-12)
        assert record["publishable"] is not bool(record["flags"])


def test_there_is_a_stored_set():
    assert STORED
