"""The simulated counters of `simulated_counters.py` in place of the real ones."""

from types import SimpleNamespace

import pytest
import torch
from pyJoules.device import nvidia_device
from simulated_counters import FakeClock, FakeGpu, FakeNvml, FakePowercap

from vocoder_pareto.measurement import nvml


@pytest.fixture
def powercap(tmp_path) -> FakePowercap:
    return FakePowercap(tmp_path / "intel-rapl")


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


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()
