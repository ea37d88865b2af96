"""AMD GPUs, Apple Silicon and Jetson by Zeus: a stand-in with the names and units of Zeus 0.16."""

import sys
import time
from dataclasses import dataclass
from types import ModuleType

import pytest
import torch

from vocoder_pareto.measurement import gpu_makers, zeus_meter
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.sensor import MeterUnavailable
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.tables.sources import SOURCES

CPU, GPU = torch.device("cpu"), torch.device("cuda:1")
ZEUS, AUTO = MeterSettings(backend="zeus"), MeterSettings(backend="auto")


class ZeusBaseError(Exception):
    """As zeus.exception.ZeusBaseError."""


class Gpus:
    """As zeus.device.gpu.GPUs: indices as PyTorch has them, millijoules, milliwatts."""

    def __init__(self, counts=True):
        self.millijoules = [1_000, 50_000]
        self.milliwatts = [90_000, 300_000]
        self.counts = counts
        self.broken = False

    def get_power_management_limit(self, index):
        return 500_000

    def supports_get_total_energy_consumption(self, index):
        return self.counts

    def get_total_energy_consumption(self, index):
        if self.broken:
            raise ZeusBaseError("the driver was unloaded")
        return self.millijoules[index]

    def get_instant_power_usage(self, index):
        return self.milliwatts[index]


@dataclass
class AppleSiliconMeasurement:
    cpu_total_mj: int | None = 100
    efficiency_cores_mj: list[int] | None = None
    dram_mj: int | None = 10
    gpu_mj: int | None = 5
    ane_mj: int | None = None


@dataclass
class JetsonMeasurement:
    cpu_energy_mj: float | None = 1.0
    gpu_energy_mj: float | None = 2.0
    total_energy_mj: float | None = 7.0


class Chip:
    """As zeus.device.soc.SoC."""

    def __init__(self, measurement):
        self.measurement = measurement

    def get_total_energy_consumption(self):
        return self.measurement


@pytest.fixture
def zeus(monkeypatch):
    """Put a stand-in in the place of Zeus, with GPUs or a chip."""

    def install(gpus=None, chip=None):
        def found(part):
            if part is None:
                raise ZeusBaseError("nothing to observe on this machine")
            return part

        device, exception = ModuleType("zeus.device"), ModuleType("zeus.exception")
        device.get_gpus, device.get_soc = lambda: found(gpus), lambda: found(chip)
        exception.ZeusBaseError = ZeusBaseError
        for module in (ModuleType("zeus"), device, exception):
            monkeypatch.setitem(sys.modules, module.__name__, module)

    return install


@pytest.fixture
def without_zeus(monkeypatch):
    for name in ("zeus", "zeus.device", "zeus.exception"):
        monkeypatch.setitem(sys.modules, name, None)  # so that its import fails


@pytest.fixture
def amd(monkeypatch):
    monkeypatch.setattr(torch.version, "hip", "6.2")


@pytest.fixture
def apple(monkeypatch, without_rapl):
    monkeypatch.setattr(zeus_meter, "is_apple_silicon", lambda: True)


@pytest.fixture
def jetson(monkeypatch, tmp_path, without_rapl):
    (tmp_path / "nv_tegra_release").write_text("# R36\n")
    monkeypatch.setattr(gpu_makers, "_JETSON_FILES", (tmp_path / "nv_tegra_release",))


def energy_of(meter, change):
    start = meter.read()
    time.sleep(0.05)
    change()
    return meter.energy_between(start, meter.read())


@pytest.mark.parametrize("settings", [ZEUS, AUTO], ids=lambda settings: settings.backend)
def test_an_amd_gpu_is_counted_by_its_index_in_pytorch(zeus, amd, without_rapl, settings):
    gpus = Gpus()
    zeus(gpus)
    meter = open_meter(GPU, settings)
    energy = energy_of(meter, lambda: gpus.millijoules.__setitem__(1, 62_500))
    assert meter.source == energy.source == "zeus_amd"
    assert energy.by_domain == {"amd_gpu_1": pytest.approx(12.5)}
    assert meter.power_limit_watts == 500
    assert meter.flags == {}
    assert "zeus" in meter.description()["readers"]


def test_an_amd_gpu_that_does_not_tell_its_limit_is_measured_all_the_same(zeus, amd, without_rapl, monkeypatch):
    def refuse(self, index):
        raise ZeusBaseError("not supported")

    monkeypatch.setattr(Gpus, "get_power_management_limit", refuse)
    gpus = Gpus()
    zeus(gpus)
    meter = open_meter(GPU, ZEUS)
    assert meter.power_limit_watts is None
    assert energy_of(meter, lambda: gpus.millijoules.__setitem__(1, 62_500)).joules == pytest.approx(12.5)


def test_the_power_of_an_amd_gpu_without_a_counter_is_integrated(zeus, amd, without_rapl):
    zeus(Gpus(counts=False))
    meter = open_meter(GPU, ZEUS)
    energy = energy_of(meter, lambda: None)
    assert energy.mean_power_watts == pytest.approx(300, rel=0.01)
    assert "integrated" in meter.description()["domains"]["amd_gpu_1"]["where"]


def test_packages_are_told_beside_an_amd_gpu(zeus, amd, powercap):
    zeus(Gpus())
    powercap.add("0", "package-0", energy=7)
    assert open_meter(GPU, ZEUS).read().counters == {"amd_gpu_1": 50_000, "package_0": 7}


def test_a_counter_that_zeus_cannot_read_is_not_valid(zeus, amd, without_rapl):
    gpus = Gpus()
    zeus(gpus)
    meter = open_meter(GPU, ZEUS)
    energy = energy_of(meter, lambda: setattr(gpus, "broken", True))
    assert energy.joules is None
    assert "the driver was unloaded" in energy.reasons[0]


def test_a_counter_of_an_amd_gpu_that_jumps_is_not_valid(zeus, amd, without_rapl):
    """5 kJ in 50 ms; no GPU of 500 W draws more than 750 W for so long."""
    gpus = Gpus()
    zeus(gpus)
    energy = energy_of(open_meter(GPU, ZEUS), lambda: gpus.millijoules.__setitem__(1, 5_050_000))
    assert energy.joules is None
    assert "no more than 750 W are possible" in energy.reasons[0]


def test_the_parts_of_apple_silicon_are_added_and_nothing_twice(zeus, apple):
    chip = Chip(AppleSiliconMeasurement(efficiency_cores_mj=[40, 60]))
    zeus(chip=chip)
    meter = open_meter(CPU, AUTO)
    after = AppleSiliconMeasurement(cpu_total_mj=4_100, efficiency_cores_mj=[2_000, 2_000], dram_mj=510, gpu_mj=25)
    energy = energy_of(meter, lambda: setattr(chip, "measurement", after))
    assert meter.source == "zeus_apple"
    assert energy.by_domain == pytest.approx({"soc_cpu_total": 4.0, "soc_gpu": 0.02, "soc_dram": 0.5})
    assert energy.joules == pytest.approx(4.52)


@pytest.mark.parametrize(
    ("measurement", "counters"),
    [
        (JetsonMeasurement(), {"soc_total_energy": 7.0}),
        (JetsonMeasurement(total_energy_mj=None), {"soc_cpu_energy": 1.0, "soc_gpu_energy": 2.0}),
        (JetsonMeasurement(total_energy_mj=None, gpu_energy_mj=None), {"soc_cpu_energy": 1.0}),
    ],
)
@pytest.mark.parametrize("device", [CPU, torch.device("cuda:0")], ids=str)
def test_a_jetson_is_counted_as_a_whole_where_it_tells_that(zeus, jetson, device, measurement, counters):
    zeus(chip=Chip(measurement))
    meter = open_meter(device, ZEUS)
    assert meter.source == "zeus_jetson"
    assert meter.read().counters == counters


def test_a_chip_that_tells_nothing_is_refused_if_asked_for_and_else_estimated(zeus, apple):
    zeus(chip=Chip(AppleSiliconMeasurement(cpu_total_mj=None, dram_mj=None, gpu_mj=None)))
    with pytest.raises(MeterUnavailable, match="tells none of its energies"):
        open_meter(CPU, ZEUS)
    assert open_meter(CPU, AUTO).source == "estimated"


def test_without_zeus_an_amd_gpu_is_refused_with_the_mend(amd, without_zeus):
    for settings in (ZEUS, AUTO):
        with pytest.raises(MeterUnavailable, match=r"cuda:1: Zeus cannot read .*run `pip install zeus`") as refusal:
            open_meter(GPU, settings)
        assert "NVIDIA" not in str(refusal.value)


def test_without_zeus_a_mac_is_estimated_unless_zeus_was_asked_for(apple, without_zeus, caplog):
    assert open_meter(CPU, AUTO).source == "estimated"
    assert "pip install zeus" in caplog.text
    with pytest.raises(MeterUnavailable, match="pip install zeus"):
        open_meter(CPU, ZEUS)
    assert open_meter(CPU, MeterSettings()).source == "estimated"


def test_zeus_is_not_asked_for_what_pyjoules_reads(zeus, powercap):
    zeus()
    powercap.add("0", "package-0")
    assert open_meter(CPU, AUTO).source == "rapl"
    with pytest.raises(MeterUnavailable, match=r"cpu: meter\.backend: zeus does not count .*set meter\.backend: auto"):
        open_meter(CPU, ZEUS)


def test_every_source_of_zeus_has_words_for_readers():
    assert {"zeus_amd", "zeus_apple", "zeus_jetson"} <= set(SOURCES)
