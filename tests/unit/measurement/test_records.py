"""What is measured again, told by a meter that counts how often it is read: a record that is taken costs no reading."""

import json
import logging
import shutil
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from seeds import seed_of
from simulated_counters import FakeSensor
from small_vocoder import SMALL, SmallVocoder

from vocoder_pareto.analysis.estimates import restated
from vocoder_pareto.measurement import energy, records
from vocoder_pareto.measurement.energy import Bench as OpenBench
from vocoder_pareto.measurement.energy import Subject, measure_energy
from vocoder_pareto.measurement.hardware import device_identity
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.records import determinants, kept_or_measured, kept_or_measured_in_processes, look_up
from vocoder_pareto.measurement.sweep import sweep_energy
from vocoder_pareto.study.code_version import imported_files
from vocoder_pareto.study.sections.measurement import EnergySettings, SweepSettings
from vocoder_pareto.study.source_facts import facts_of

CPU = torch.device("cpu")
JOULES_PER_WINDOW = 0.001
PROTOCOL = EnergySettings(
    clips=2, clip_seconds=0.1, warmup_passes=1, max_warmup_seconds=0, cooldown_seconds=0, idle_seconds=0, windows=2,
    min_window_seconds=0, min_repeats=1, max_pause_seconds=0, max_retries=0, lead_in_seconds=0, processes=1,
)  # fmt: skip


class CountedSensor(FakeSensor):
    """A counter that goes on by a millijoule at every reading, so that all windows have the same energy."""

    def __init__(self):
        super().__init__()
        self.readings = 0

    def read(self, domain):
        self.readings += 1
        return float(self.readings)


class Estimate(CountedSensor):
    source, estimated_from = "estimated", "CPU time"

    def __init__(self, watts):
        super().__init__()
        self.domains = (replace(self.domains[0], joules_per_unit=watts, where=f"CPU seconds × {watts} W"),)


class Bench:
    """Measures one system; what a test changes is given to `measure`."""

    def __init__(self, folder, vocoder_file):
        self.folder = folder
        self.mels = np.random.default_rng(seed_of(0)).random((80, 40), dtype=np.float32)
        self.system = replace(SMALL, vocoder=f"{vocoder_file}:SmallVocoder")

    def measure(self, checkpoint="first", training=None, protocol=PROTOCOL, seed=0, sensor=None, **system):
        """The record, and whether it was measured."""
        sensor = sensor or CountedSensor()
        subject = Subject(
            SmallVocoder(), replace(self.system, **system), training or {"steps": 3, "seconds": 1.5}, 1e6, self.mels,
            checkpoint,
        )  # fmt: skip
        meter = Meter(sensor)
        place = look_up(self.folder, OpenBench(subject, meter, CPU), protocol, seed)
        record = kept_or_measured(place, lambda: measure_energy(subject, protocol, meter, CPU, seed))
        return record, sensor.readings > 0

    @property
    def files(self):
        return sorted(self.folder.rglob("*.json"))


@pytest.fixture
def quiet(monkeypatch):
    """A machine on which nothing else runs, whatever this one does."""
    monkeypatch.setattr(energy, "device_state", lambda device: {})


@pytest.fixture
def bench(tmp_path, quiet):
    file = shutil.copy(Path(__file__).with_name("small_vocoder.py"), tmp_path / "vocoder.py")
    return Bench(tmp_path / "records", file)


def test_weights_that_are_only_trained_anew_are_not_measured(bench, caplog):
    first, was_measured = bench.measure("first")
    assert was_measured
    assert not first["reused"]
    caplog.set_level(logging.INFO)
    second, was_measured = bench.measure("second", {"steps": 9, "seconds": 4.5})
    assert not was_measured
    assert second == first | {
        "checkpoint_digest": "second", "training": {"steps": 9, "seconds": 4.5}, "reused": True,
    }  # fmt: skip
    assert second["measured_with"] == {"checkpoint_digest": "first", "training": {"steps": 3, "seconds": 1.5}}
    (line,) = [message for message in caplog.messages if "not measured again" in message]
    for told in (first["measured_at"], "checkpoint first", str(bench.files[0]), "energy.reuse: false"):
        assert told in line


def bench_opened_and_counted(log, system):
    with log.open("a") as file:
        file.write("opened\n")
    subject = Subject(SmallVocoder(), system, {"steps": 3}, 1e6, np.ones((80, 40), dtype=np.float32), "first")
    return OpenBench(subject, Meter(CountedSensor()), CPU)


@pytest.mark.parametrize("processes", [1, 3])
def test_the_process_that_looks_up_measures_too_so_that_all_is_loaded_once_in_each(
    tmp_path, bench, monkeypatch, processes
):
    for module in (energy, records):
        monkeypatch.setattr(module, "in_own_process", lambda function, *arguments: function(*arguments))
    log = tmp_path / "log"
    opened, protocol = partial(bench_opened_and_counted, log, bench.system), replace(PROTOCOL, processes=processes)
    record = kept_or_measured_in_processes(bench.folder, opened, protocol, seed=0)
    assert not record["reused"]
    assert sorted({window["process"] for window in record["windows"]}) == list(range(processes))
    assert len(log.read_text().splitlines()) == processes
    assert kept_or_measured_in_processes(bench.folder, opened, protocol, seed=0) == record | {"reused": True}
    assert len(log.read_text().splitlines()) == processes + 1
    assert not kept_or_measured_in_processes(None, opened, protocol, seed=0)["reused"]


def test_a_third_training_is_told_which_weights_were_measured(bench):
    bench.measure("first")
    bench.measure("second")
    third, was_measured = bench.measure("third")
    assert not was_measured
    assert third["measured_with"]["checkpoint_digest"] == "first"


CHANGES = {
    "architecture": {"architecture": {"channels": 8}},
    "sampling": {"sampling": {"steps": 6}},
    "sample rate": {"sample_rate": 22050},
    "another size of the same architecture": {"size": "M"},
    "protocol": {"protocol": replace(PROTOCOL, windows=3)},
    "precision": {"protocol": replace(PROTOCOL, precision="bf16")},
    "seed": {"seed": 1},
    "no training": {"training": {"steps": 0, "seconds": 0.0}},
}


@pytest.mark.parametrize("what", CHANGES)
def test_what_energy_depends_on_is_measured(bench, what):
    bench.measure()
    changed, was_measured = bench.measure(**CHANGES[what])
    assert was_measured
    assert not changed["reused"]
    assert not bench.measure("another", **CHANGES[what])[1]
    assert not bench.measure("another")[1]  # back again: the first record is still there


@pytest.mark.parametrize("unknown", [{"steps": None, "seconds": None}, {"loss": 1.0}])
def test_given_weights_count_as_trained(bench, unknown):
    bench.measure()
    record, was_measured = bench.measure("given", unknown)
    assert not was_measured
    assert record["training"] == {"steps": None, "seconds": None}


def test_other_input_is_measured(bench):
    bench.measure()
    bench.mels = bench.mels * np.float32(0.5)
    assert bench.measure()[1]


@pytest.mark.parametrize("part", ["gpu", "cpu", "host", "kernel", "cpu_limit_mhz"])
def test_another_device_is_measured(bench, monkeypatch, part):
    bench.measure()
    monkeypatch.setattr(records, "device_identity", lambda device: device_identity(device) | {part: {"uuid": "GPU-2"}})
    assert bench.measure()[1]


def test_what_was_counted_when_the_meter_was_opened_is_no_reason(bench):
    """Two dies are compared by what both count in some seconds, which is never the same twice."""
    for counts in (100.0, 101.0):
        sensor = CountedSensor()
        sensor.findings = {"dies": [{"counter": "0", "other": "1", "counts": counts, "mirrored": True}]}
        _, was_measured = bench.measure(sensor=sensor)
    assert not was_measured


def test_another_release_of_pytorch_is_measured(bench, monkeypatch):
    bench.measure()
    monkeypatch.setattr(torch, "__version__", "1.0")
    assert bench.measure()[1]


def test_another_commit_is_no_reason(bench, monkeypatch):
    bench.measure()
    described = records.software_description
    monkeypatch.setattr(records, "software_description", lambda project: described(project) | {"git": "another"})
    assert not bench.measure()[1]


def forget_code():
    """As in the process of another job."""
    imported_files.cache_clear()
    facts_of.cache_clear()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [("LeakyReLU(0.2)", "LeakyReLU(0.1)", True), ("LeakyReLU(0.2)", "LeakyReLU(0.2)  # a remark", False)],
)
def test_edited_code_is_measured_and_an_edited_comment_is_not(bench, old, new, expected):
    forget_code()  # a folder of a test that passed is deleted, and its name used again
    bench.measure()
    file = Path(bench.system.vocoder.removesuffix(":SmallVocoder"))
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    forget_code()
    assert bench.measure()[1] == expected


def test_another_meter_is_measured(bench):
    bench.measure()
    assert bench.measure(sensor=Estimate(10.0))[1]


def test_an_estimate_is_taken_at_other_watts_too_and_tables_restate_it(bench):
    bench.measure(sensor=Estimate(10.0))
    record, was_measured = bench.measure("second", sensor=Estimate(20.0))
    assert not was_measured
    assert "energy_estimated" in record["flags"]
    name = "energy_joules_per_audio_second"
    afresh, _ = bench.measure(sensor=Estimate(20.0), protocol=replace(PROTOCOL, reuse=False))
    assert restated(record, 20.0)[name] == pytest.approx(afresh[name])
    assert afresh[name] == pytest.approx(2 * record[name])


def test_without_reuse_each_call_measures_and_the_last_record_counts(bench):
    bench.measure("first")
    assert bench.measure("second", protocol=replace(PROTOCOL, reuse=False))[1]
    third, was_measured = bench.measure("third")
    assert not was_measured
    assert third["measured_with"]["checkpoint_digest"] == "second"
    assert len(bench.files) == 1


DAMAGES = {
    "empty": lambda text: "",
    "cut off": lambda text: text[: len(text) // 2],
    "another number": lambda text: text.replace('"size": "S"', '"size": "L"').replace('"seconds": 1.5', '"seconds": 2'),
    "a list": lambda text: "[]",
    "no measurement": lambda text: json.dumps({"digest": json.loads(text)["digest"]}),
    "no text": lambda text: "\ud800",
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_record_is_told_and_measured_again(bench, caplog, damage):
    bench.measure()
    (file,) = bench.files
    file.write_text(DAMAGES[damage](file.read_text()), encoding="utf-8", errors="surrogatepass")
    assert bench.measure()[1]
    assert any(str(file) in message and "damaged" in message for message in caplog.messages)
    assert not bench.measure()[1]  # the file is whole again


def test_a_record_in_the_place_of_another_is_not_taken(bench):
    bench.measure()
    (file,) = bench.files
    bench.measure(seed=1)
    (other,) = set(bench.files) - {file}
    shutil.copy(file, other)
    assert bench.measure(seed=1)[1]


@pytest.mark.parametrize(
    "state", [{"throttle_reasons": ["hardware_thermal"]}, {"processes": [1, 2]}], ids=["throttled", "other processes"]
)
def test_a_disturbed_measurement_is_not_taken(bench, monkeypatch, state):
    monkeypatch.setattr(energy, "device_state", lambda device: state)
    bench.measure()
    monkeypatch.setattr(energy, "device_state", lambda device: {})
    assert bench.measure()[1]
    assert not bench.measure()[1]


def test_a_measurement_without_energy_is_not_taken(bench):
    broken = CountedSensor()
    broken.read = FakeSensor(counter=OSError("gone")).read
    assert bench.measure(sensor=broken)[0]["energy_joules_per_audio_second"] is None
    assert bench.measure()[1]


def test_a_folder_that_cannot_be_written_costs_no_measurement(bench, caplog):
    bench.folder.write_text("a file")
    record, was_measured = bench.measure()
    assert was_measured
    assert record["energy_joules_per_audio_second"] > 0
    assert any("not kept" in message for message in caplog.messages)


def test_without_a_folder_everything_is_measured_and_nothing_kept(bench, tmp_path):
    bench.folder, folder = None, bench.folder
    assert [bench.measure()[1] for _ in range(2)] == [True, True]
    assert not folder.exists()


def test_a_sweep_measures_the_pairs_that_it_has_not(bench):
    subject = Subject(SmallVocoder(), bench.system, {"steps": 3}, None, bench.mels, "first")
    readings = []
    for batch_sizes in ((1, 2), (1, 2), (1, 2, 3)):
        sensor, sweep = CountedSensor(), SweepSettings(batch_sizes, ("float32",))
        rows = sweep_energy(OpenBench(subject, Meter(sensor), CPU), PROTOCOL, sweep, 0, bench.folder)
        assert len(rows) == len(batch_sizes)
        readings.append(sensor.readings)
    assert readings == [readings[0], 0, readings[0] / 2]


def test_what_identifies_a_device_holds_still_and_names_this_machine():
    first, second = (device_identity(CPU) for _ in range(2))
    assert first == second
    assert first["host"]
    assert first["cpu"]["torch_threads"] == torch.get_num_threads()
    assert "max_mhz" not in first["cpu"]


def test_the_record_of_the_measurement_itself_is_unchanged(bench):
    subject = Subject(SmallVocoder(), bench.system, {"steps": 3, "seconds": 1.5}, 1e6, bench.mels, "first")
    plain = measure_energy(subject, PROTOCOL, Meter(CountedSensor()), CPU, 0)
    kept, _ = bench.measure("first")
    assert set(kept) - set(plain) == {"measured_at", "measured_with", "reused"}
    assert "reuse" not in plain["protocol"]
    stored = json.loads(bench.files[0].read_text())
    again = determinants(subject, PROTOCOL, Meter(CountedSensor()), CPU, 0)
    assert stored["determined_by"] == json.loads(json.dumps(again))
