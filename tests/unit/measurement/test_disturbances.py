"""What goes on beside a measurement, told by the counters of /proc/stat."""

from types import SimpleNamespace

import psutil
import pytest
import torch

from vocoder_pareto.measurement import hardware
from vocoder_pareto.measurement.disturbances import disturbances

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


def test_what_is_not_known_disturbs_nothing():
    assert disturbances({}, {}, 10.0) == {}
