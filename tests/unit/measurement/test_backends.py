"""What every backend of the meter tells of itself; and a made-up one that is registered, and measured with."""

import json

import numpy as np
import plug_sensor
import pytest
import torch
from plug_sensor import PlugSensor
from simulated_counters import FakeGpu
from small_vocoder import SMALL, SmallVocoder

from vocoder_pareto.measurement import backends
from vocoder_pareto.measurement.energy import Subject, measure_energy
from vocoder_pareto.measurement.measured_set import adopted, measure_run
from vocoder_pareto.measurement.meter import Meter, open_meter
from vocoder_pareto.measurement.sensor import MeterUnavailable
from vocoder_pareto.study.provenance import installed_version
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings

CPU = torch.device("cpu")
SETTINGS = EnergySettings(
    clips=2, clip_seconds=0.1, warmup_passes=1, max_warmup_seconds=0, cooldown_seconds=0, idle_seconds=0, windows=2,
    lead_in_seconds=0, min_window_seconds=0, min_repeats=1, max_pause_seconds=0, max_retries=0,
)  # fmt: skip


@pytest.fixture
def plug(tmp_path, monkeypatch):
    """The registry with one entry more, and a plug in the socket; the result is the file of its counter."""
    monkeypatch.setattr(backends, "BACKENDS", (PlugSensor, *backends.BACKENDS))
    monkeypatch.setattr(plug_sensor, "COUNTER", tmp_path / "energy_wh")
    (tmp_path / "energy_wh").write_text("12.5")
    return tmp_path / "energy_wh"


class ThirstyVocoder(SmallVocoder):
    """Draws a hundredth of a watt-hour, 36 J, whenever it generates."""

    def generate(self, mel, generator=None):
        file = plug_sensor.COUNTER
        file.write_text(str(float(file.read_text()) + 0.01))
        return super().generate(mel, generator)


@pytest.fixture
def record(plug):
    mels = np.zeros((80, 40), dtype=np.float32)
    subject = Subject(ThirstyVocoder(), SMALL, {}, None, mels)
    return measure_energy(subject, SETTINGS, open_meter(CPU, MeterSettings()), CPU, seed=0)


@pytest.mark.parametrize("backend", [*backends.BACKENDS, PlugSensor])
def test_every_backend_tells_where_its_joules_come_from(backend):
    assert backend.source.isidentifier()
    assert backend.source != "none"
    assert backend.boundary
    assert backend.reader in (None, "zeus") or installed_version(backend.reader)  # Zeus is optional
    assert backend.estimated_from is None or backend.source == "estimated"
    assert not backend.serves(torch.device("meta"))


def test_what_measures_is_preferred_to_an_estimate(powercap):
    powercap.add("0", "package-0")
    sources = [backend.source for backend in backends.backends_for(CPU)]
    assert sources == ["rapl", "estimated"]


def test_the_joules_of_a_new_backend_are_those_that_were_drawn(record):
    """By hand: 36 J for a clip of 6 frames of 256 samples at 16 kHz."""
    assert record["energy_joules_per_audio_second"] == pytest.approx(36.0 / (6 * 256 / 16000))
    assert record["windows"][0]["joules_by_domain"] == {"plug": pytest.approx(72.0)}


def test_the_record_says_what_a_new_backend_says_of_itself_and_of_its_device(record):
    assert record["energy_source"] == "plug"
    assert record["meter"]["boundary"] == "the whole machine at the wall socket"
    assert record["meter"]["readers"] == {"psutil": installed_version("psutil")}
    assert record["meter"]["domains"]["plug"]["unit"] == "Wh"
    assert record["meter"]["power_limit_watts"] == 2300
    assert record["hardware"]["gpu"] == {"name": "a plug"}
    assert record["windows"][0]["state_after"]["processes"] == [1, 2]
    assert json.loads(json.dumps(record)) == record


def test_flags_follow_from_what_a_new_backend_tells(record):
    assert "other_processes" in record["flags"]
    assert {"energy_estimated", "rapl_unreadable", "throttled"}.isdisjoint(record["flags"])


def test_a_stored_set_takes_the_records_of_a_new_backend(record, tmp_path):
    measure_run(tmp_path / "set", [SMALL], lambda system: record, seed=0)
    assert adopted(tmp_path / "set", SMALL, "float32", 1)["energy_source"] == "plug"


def test_a_new_backend_is_told_beside_a_gpu(plug, gpus):
    gpus(FakeGpu("GPU-aaaa"), visible=["aaaa"])
    meter = open_meter(torch.device("cuda:0"), MeterSettings())
    assert meter.source == "nvml"
    assert meter.read().counters == {"nvidia_gpu_0": 0, "plug": 12.5}
    assert set(meter.description()["readers"]) == {"pyJoules", "psutil"}


def test_a_new_backend_that_cannot_be_read_is_an_error_and_never_replaced_silently(plug):
    plug.write_text("no number")
    with pytest.raises(MeterUnavailable, match="plug the meter in"):
        open_meter(CPU, MeterSettings(unreadable_rapl="estimate"))


def test_a_backend_that_is_not_there_is_not_asked(plug, without_rapl):
    plug.unlink()
    assert open_meter(CPU, MeterSettings()).source == "estimated"


def test_a_sensor_made_by_hand_measures_without_being_registered(plug):
    assert Meter(PlugSensor()).source == "plug"
    plug.write_text("13")
    assert Meter(PlugSensor()).read().counters == {"plug": 13.0}
