"""What goes on beside a measurement, told by the counters of /proc/stat."""

from types import SimpleNamespace

import psutil
import pytest
import torch
from simulated_counters import FakeGpu

from vocoder_pareto.measurement import hardware
from vocoder_pareto.measurement.disturbances import disturbances
from vocoder_pareto.measurement.nvml import gpu_state

QUIET = {
    "user": 100.0, "nice": 10.0, "system": 20.0, "idle": 900.0, "iowait": 5.0, "irq": 1.0, "softirq": 1.0,
    "steal": 2.0, "guest": 30.0, "guest_nice": 3.0,
}  # fmt: skip


def state(monkeypatch, seconds, own, **more):
    """The state of a machine whose counters stand `more` seconds above `QUIET`."""
    times = {name: value + more.get(name, 0.0) for name, value in QUIET.items()}
    monkeypatch.setattr(psutil, "cpu_times", lambda: SimpleNamespace(_asdict=lambda: times))
    monkeypatch.setattr(hardware.time, "monotonic", lambda: seconds)
    monkeypatch.setattr(hardware.time, "process_time", lambda: own)
    return hardware.device_state(torch.device("cpu"))


@pytest.mark.parametrize("kind", ["user", "nice", "system", "irq", "softirq", "steal"])
def test_whatever_takes_cores_away_makes_the_machine_busy(monkeypatch, kind):
    """In 10 s this process computes 20 s, and others, of any priority or on any guest of the host, 10 s."""
    before = state(monkeypatch, 0.0, 0.0)
    after = state(monkeypatch, 10.0, 20.0, **{"user": 20.0, kind: 30.0 if kind == "user" else 10.0})
    assert disturbances(before, after, 5.0) == {"busy_machine": "other programs kept 1 CPU cores busy during a window"}


@pytest.mark.parametrize("kind", ["idle", "iowait", "guest", "guest_nice"])
def test_rest_is_no_work_and_guests_are_counted_once(monkeypatch, kind):
    """proc(5): guests are part of user and nice."""
    before = state(monkeypatch, 0.0, 0.0)
    assert disturbances(before, state(monkeypatch, 10.0, 20.0, **{"user": 20.0, kind: 30.0}), 5.0) == {}


@pytest.mark.parametrize(
    ("source", "others", "is_busy"),
    [
        ("rapl", 0.15, True),
        ("rapl", 0.05, False),
        ("estimated", 0.45, False),
        ("nvml", 0.45, False),
        ("nvml", 0.6, True),
    ],
)
def test_a_counter_of_all_cores_holds_what_others_draw_so_they_may_draw_less(monkeypatch, source, others, is_busy):
    """One thread of our own for 10 s, beside a part of a core of others: of equal cores, 0.15 / 1 are 15 % too much."""
    before = state(monkeypatch, 0.0, 0.0)
    after = state(monkeypatch, 10.0, 10.0, user=10.0 * (1 + others))
    assert ("busy_machine" in disturbances(before, after, 5.0, source)) is is_busy


def test_a_gpu_that_was_throttled_between_the_ends_of_a_window_is_told(gpus):
    """The counters of NVML are in nanoseconds; the window lasts 10 s. At both its ends, the clocks are free."""
    gpu = FakeGpu("GPU-aaaa", held_down={0: 10**9, 1: 5 * 10**9})
    gpus(gpu, visible=["aaaa"])
    before = gpu_state(torch.device("cuda:0"))
    gpu.held_down = {0: 9 * 10**9, 1: 7 * 10**9}
    found = disturbances(before, gpu_state(torch.device("cuda:0")), 10.0)
    assert found == {"throttled": "the GPU lowered its clocks: heat, for 2 of 10 s"}


@pytest.mark.parametrize("after", [{1: 5_050_000_000}, {1: 0}, {}, {1: 5 * 10**9, 3: 10**9}])
def test_a_moment_of_heat_a_new_driver_and_counters_that_are_not_there_disturb_nothing(gpus, after):
    gpu = FakeGpu("GPU-aaaa", held_down={1: 5 * 10**9})
    gpus(gpu, visible=["aaaa"])
    before = gpu_state(torch.device("cuda:0"))
    gpu.held_down = after
    assert disturbances(before, gpu_state(torch.device("cuda:0")), 10.0) == {}


def test_what_is_not_known_disturbs_nothing():
    assert disturbances({}, {}, 10.0) == {}
