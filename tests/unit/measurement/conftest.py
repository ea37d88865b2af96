"""The simulated counters of `simulated_counters.py` in place of the real ones."""

from types import SimpleNamespace

import pytest
import torch
from pyJoules.device import nvidia_device
from simulated_counters import FakeClock, FakeGpu, FakeNvml, FakePowercap

from vocoder_pareto.measurement import nvml
from vocoder_pareto.measurement import powercap as powercap_module
from vocoder_pareto.measurement.power_integral import PowerIntegral


@pytest.fixture
def powercap(tmp_path, monkeypatch) -> FakePowercap:
    monkeypatch.setattr(powercap_module, "POWERCAP", tmp_path / "intel-rapl")
    return FakePowercap(tmp_path / "intel-rapl")


@pytest.fixture
def without_rapl(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(powercap_module, "POWERCAP", tmp_path / "no such folder")


@pytest.fixture
def gpus(monkeypatch):
    """Install GPUs in NVML's order; PyTorch sees the UUIDs in `visible`, in that order."""

    def install(*gpus: FakeGpu, visible: list[str], works: bool = True) -> FakeNvml:
        fake = FakeNvml(*gpus, works=works)
        monkeypatch.setattr(nvml, "pynvml", fake)
        monkeypatch.setattr(nvidia_device, "pynvml", fake)

        def properties(device):
            return SimpleNamespace(
                uuid=visible[torch.device(device).index], major=8, minor=6, multi_processor_count=64, total_memory=24e9
            )

        monkeypatch.setattr(torch.cuda, "get_device_properties", properties)
        return fake

    return install


@pytest.fixture(autouse=True)
def readings_end_with_the_test(monkeypatch):
    """No thread reads power from counters that are gone."""
    started = []
    start = PowerIntegral.start
    monkeypatch.setattr(PowerIntegral, "start", lambda integral: (started.append(integral), start(integral)))
    yield
    for integral in started:
        integral.stop()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
