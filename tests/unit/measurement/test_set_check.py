"""What is refused in a measured set before it is sent to others; the stored sets stand for sound ones."""

import itertools
import json
import shutil
from dataclasses import replace
from pathlib import Path

import jsonschema
import numpy as np
import pytest
import torch
from simulated_counters import RANGE
from small_vocoder import SMALL, SmallVocoder

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement import set_check
from vocoder_pareto.measurement.energy import Subject, measure_energy
from vocoder_pareto.measurement.measured_set import summary
from vocoder_pareto.measurement.meter import Meter, open_meter
from vocoder_pareto.measurement.set_check import faults_of_record, faults_of_set, require_sound_set
from vocoder_pareto.measurement.set_schema import FOLDER, RECORD_SCHEMA, SET_SCHEMA, schemas
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings

PROJECT = Path(__file__).resolve().parents[3]
STORED = sorted(path.parent for path in (PROJECT / FOLDER).glob("*/set.json"))
ENERGY = "energy_joules_per_audio_second"


@pytest.fixture
def folder(tmp_path):
    """A set of two systems in two runs, of the H100's."""
    origin = PROJECT / FOLDER / "nvidia-h100-80gb-hbm3"
    copy = tmp_path / origin.name
    for run in ("run1", "run2"):
        (copy / run).mkdir(parents=True)
        for system in ("hifigan-L", "melgan-S"):
            source = origin / run / f"{system}.json"
            shutil.copy(source if source.exists() else origin / "run1" / source.name, copy / run)
    write_json(copy / "set.json", summary(copy))
    return copy


def edit(file, **values):
    """Set values of a record; `a__b` stands for the key b of a, numbers for places in lists."""
    record = read_json(file)
    for name, value in values.items():
        part = record
        *parents, last = (int(key) if key.isdigit() else key for key in name.split("__"))
        for key in parents:
            part = part[key]
        if value is ...:
            del part[last]
        else:
            part[last] = value
    write_json(file, record)


@pytest.mark.parametrize("stored", STORED, ids=lambda stored: stored.name)
def test_the_stored_sets_are_sound(stored, monkeypatch):
    monkeypatch.setattr(set_check, "faults_of_flops", lambda record: [])  # of two systems below, of all when slow
    assert faults_of_set(stored) == []


@pytest.mark.slow
def test_the_stored_sets_are_sound_with_their_operations_counted_anew():
    assert [fault for stored in STORED for fault in faults_of_set(stored)] == []


def test_the_schemas_are_those_of_the_models_and_another_validator_accepts_the_stored_sets_by_them():
    """jsonschema, which has no line in common with pydantic."""
    texts = schemas()
    for name, text in texts.items():
        assert (PROJECT / FOLDER / name).read_text() == text, "run `make config`"
    record, whole = (jsonschema.Draft202012Validator(json.loads(texts[name])) for name in (RECORD_SCHEMA, SET_SCHEMA))
    for stored in STORED:
        assert whole.is_valid(read_json(stored / "set.json"))
        for file in stored.glob("run*/*.json"):
            assert record.is_valid(read_json(file)), file
    assert not record.is_valid({**read_json(file), ENERGY: "0.5 J"})
    assert not record.is_valid({**read_json(file), "windows": []})


def test_a_sound_set_of_two_runs_passes(folder):
    assert faults_of_set(folder) == []
    require_sound_set(folder)


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({ENERGY: 0.5}, f"{ENERGY} is 0.5, but 0.8"),
        ({ENERGY: None}, f"{ENERGY} is null, but 0.8"),
        ({ENERGY: -1.0}, "greater than 0"),
        ({ENERGY: "0.84"}, "valid number"),
        ({"windows__0__joules": 2000.0}, "windows.0.joules 2000 does not follow"),
        ({"windows__0__end__counters__nvidia_gpu_0": 9}, "joules_by_domain.nvidia_gpu_0"),
        ({"windows__1__joules_per_audio_second": 0.84}, "windows.1.joules_per_audio_second 0.84 does not follow"),
        ({"windows__1__mean_power_watts": 1.0}, "windows.1.mean_power_watts 1 does not follow"),
        ({"windows__0__start__utc": "2026-11-26T07:34:54+00:00"}, "s after start.utc"),
        ({"windows__0__start__utc": "yesterday"}, "windows.0.start.utc"),
        ({"windows__0__start__utc": "2026-13-45T06:34:54Z"}, "is no time"),
        ({"hardware__gpu": "H100"}, "hardware.gpu"),
        ({"meter__domains": {"nvidia_gpu_0": {}}}, "meter.domains.nvidia_gpu_0"),
        ({"model": "vocos"}, "model and size are vocos and L, system is hifigan-L"),
        ({"settings__architecture__channels": 64}, "settings.digest is "),
        ({"real_time_factor": 0.1}, "real_time_factor is 0.1, but 0.00"),
        ({f"{ENERGY}_ci95": 1e-4}, f"{ENERGY}_ci95 is 0.0001, but"),
        ({"bounds__flops_per_joule": 1e10}, "bounds.flops_per_joule is 1e+10, × energy"),
        ({"windows__0__counted": False}, "windows.0.counted is false, but true follows"),
        ({"windows__0__joules": None}, "windows.0.joules is null, and should be"),
        ({"meter__domains__nvidia_gpu_0__wraps_at": 1e12}, "wraps_at is 1e+12, and NVML's counter wraps nowhere"),
        ({"reasons__short_protocol": "short"}, "reasons.not_publishable is not what the other reasons say"),
        ({"windows": []}, "windows: list should have at least 1 item"),
        ({"publishable": True}, "publishable is true with flags"),
        ({"flags": ["wide_interval"]}, "flags lack short_protocol"),
        ({"energy_source": "estimated"}, "meter.source nvml is not energy_source estimated"),
        ({"hardware__gpu__driver": ...}, "hardware.gpu.driver"),
        ({"software__git": ...}, "software.git"),
        ({"protocol__batch_size": ...}, "protocol.batch_size"),
        ({"protocol__windows": 4}, "runs of a set repeat one measurement"),
        ({"hardware__gpu__driver": "999.1"}, "a set is of one device"),
        ({"device": "NVIDIA Imaginary"}, "a set is of one device"),
        ({"system": "melgan-S"}, "not a record of the energy of hifigan-L but of melgan-S"),
    ],
)
def test_a_record_that_contradicts_itself_is_refused_by_its_name_and_key(folder, values, told):
    file = folder / "run2" / "hifigan-L.json"
    edit(file, **values)
    assert any(told in fault and str(file) in fault for fault in faults_of_set(folder)), faults_of_set(folder)
    with pytest.raises(UserError):
        require_sound_set(folder)


def test_the_folder_and_its_summary_must_agree_with_the_records(folder):
    renamed = folder.rename(folder.with_name("my-gpu"))
    assert "is called nvidia-h100-80gb-hbm3; rename it" in faults_of_set(renamed)[0]
    folder = renamed.rename(folder)
    edit(folder / "set.json", **{f"systems__melgan-S__{ENERGY}": [0.01, 0.01]})
    assert "does not agree with the runs (melgan-S)" in faults_of_set(folder)[0]
    (folder / "set.json").write_text("{")
    assert "set.json" in faults_of_set(folder)[0]
    (folder / "set.json").unlink()
    assert "set.json" in faults_of_set(folder)[0]


def test_what_does_not_belong_to_a_set_is_named(folder):
    (folder / "run1" / "notes.txt").write_text("hot day")
    (folder / "weights.ckpt").write_text("x")
    (folder / "protocol.yaml").write_text("energy: {}")
    faults = faults_of_set(folder)
    assert len(faults) == 2
    assert "weights.ckpt: does not belong to a set" in faults[0]
    assert "notes.txt: does not belong to a run" in faults[1]


def test_a_folder_that_is_missing_or_empty_says_what_to_do(tmp_path):
    assert "no such folder" in faults_of_set(tmp_path / "none")[0]
    assert "holds no run1" in faults_of_set(tmp_path)[0]


def test_every_fault_is_one_line(folder):
    edit(folder / "run1" / "hifigan-L.json", **{ENERGY: 0.5, "publishable": True})
    faults = faults_of_set(folder)
    assert len(faults) >= 2
    assert all("\n" not in fault for fault in faults)


SHORT = EnergySettings(
    clips=3, clip_seconds=0.1, batch_size=2, max_warmup_seconds=0, idle_seconds=0.02, windows=2,
    min_window_seconds=0.02, max_pause_seconds=0, lead_in_seconds=0, processes=1, max_retries=1,
)  # fmt: skip


def record_of(meter, settings=SHORT):
    subject = Subject(
        SmallVocoder(), SMALL, {"steps": 3, "seconds": 1.5}, 1e6, np.ones((80, 40), np.float32), "ab" * 32
    )
    return json.loads(json.dumps(measure_energy(subject, settings, meter, torch.device("cpu"), seed=0)))


def test_what_is_measured_on_this_machine_is_sound(without_rapl):
    """Whatever goes on beside it, which may disturb windows and repeat them."""
    record = record_of(open_meter(torch.device("cpu"), MeterSettings()))
    assert record[ENERGY] is not None
    assert faults_of_record(record, "small-S") == []


def test_windows_whose_counter_stands_still_or_wraps_are_sound_as_they_are(powercap):
    """The counter of a package that goes on by a joule at every reading, from just below its range, and then stops."""
    powercap.add("0", "package-0", RANGE - 1_500_000, limit_watts=1000)
    meter = open_meter(torch.device("cpu"), MeterSettings(unreadable_rapl="error"))
    stands = record_of(meter)
    assert stands[ENERGY] is None
    assert not any(window["valid"] for window in stands["windows"])
    assert faults_of_record(stands, "small-S") == []
    sensor, microjoules = meter.sensor, itertools.count(RANGE - 3_500_000, 1_000_000)
    sensor.read = lambda domain: float(next(microjoules) % RANGE)
    wraps = record_of(Meter(sensor), replace(SHORT, min_window_seconds=0.05))
    counters = [[window[end]["counters"]["package_0"] for end in ("start", "end")] for window in wraps["windows"]]
    assert any(start > end for start, end in counters)
    assert wraps[ENERGY] is not None
    assert faults_of_record(wraps, "small-S") == []
