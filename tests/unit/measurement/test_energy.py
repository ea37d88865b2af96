"""Numbers and flags of what was observed; then a real, short measurement on this machine's CPU."""

import json
import sys
from dataclasses import replace
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
import torch
from full_protocol import FULL
from seeds import seed_of
from simulated_counters import FakeSensor
from simulated_device import Nature, SimulatedDevice
from small_vocoder import SMALL, SmallVocoder

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.cross_check import window_checked_by_zeus
from vocoder_pareto.measurement.energy import Subject, measure_energy
from vocoder_pareto.measurement.meter import Energy, Meter, Reading
from vocoder_pareto.measurement.protocol import Measured, Window, measure_window
from vocoder_pareto.measurement.waiting_threads import waiting_policy
from vocoder_pareto.study.sections.measurement import EnergySettings

QUICK = EnergySettings(
    clips=2, clip_seconds=0.1, warmup_passes=1, cooldown_seconds=0, idle_seconds=0, processes=1, process_spread=0,
    windows=2, min_window_seconds=0, min_repeats=1, max_pause_seconds=0, max_retries=0,
)  # fmt: skip


def window(joules, seconds=10.0, audio_seconds=20.0, attempt=0, before=None, after=None, reasons=()):
    reading = Reading("2024-01-01T00:00:00+00:00", 1.0, {"gpu": 1.0}, {"gpu": 1.0}, {"gpu": ()})
    energy = Energy(joules, seconds, {"gpu": joules}, "nvml", joules is not None, tuple(reasons))
    return Window(attempt, reading, reading, energy, audio_seconds, (0.5,) * 20, before or {}, after or {})


def idle(watts, seconds=30.0):
    return Energy(watts * seconds, seconds, {}, "nvml", True)


WINDOWS = replace(FULL, process_spread=0.0)  # what they alone say


def result(windows, meter=None, settings=WINDOWS, flops=None, peak=None, idles=(50.0, 54.0), stable=True):
    measured = Measured(tuple(windows), tuple(idle(watts) for watts in idles), 10, stable)
    return assessed(measured, meter or Meter(FakeSensor(limit=230.0)), settings, flops, peak)


GOOD = [window(joules) for joules in (2000, 2010, 1990, 2005, 1995)]


def test_gross_net_power_and_real_time_factor_by_hand():
    found = result(GOOD)
    assert found["energy_joules_per_audio_second"] == pytest.approx(100.0)
    assert found["mean_power_watts"] == pytest.approx(200.0)
    assert found["idle_power_watts"] == pytest.approx(52.0)
    assert found["net_energy_joules_per_audio_second"] == pytest.approx((2000 - 52 * 10) / 20)
    assert found["real_time_factor"] == pytest.approx(0.5)
    # Deviations of 0, 0.5, -0.5, 0.25, -0.25 J: s² = 0.625 / 4, and t(4) = 2.776.
    assert found["energy_joules_per_audio_second_degrees_of_freedom"] == 4
    assert found["energy_joules_per_audio_second_ci95"] == pytest.approx(2.776 * (0.625 / 4 / 5) ** 0.5, rel=1e-3)
    assert found["latency_seconds"]["passes"] == 100


def test_a_full_and_plausible_measurement_is_publishable():
    found = result(GOOD, flops=1e12, peak=27.8e12)
    assert found["publishable"]
    assert found["flags"] == []


def test_every_result_that_is_not_publishable_says_why():
    for found, flag in [
        (result(GOOD, settings=QUICK), "short_protocol"),
        (result(GOOD, Meter(CpuTimeSensor(10.0))), "energy_estimated"),
        (result(GOOD, Meter(FakeSensor(), notes={"rapl_unreadable": "RAPL may not be read"})), "rapl_unreadable"),
        (result([*GOOD[:4], window(3000)]), "wide_interval"),
        (result([*GOOD[:4], window(None, reasons=["gpu stood still for 10 s"])]), "invalid_window"),
        (result(GOOD, stable=False), "unstable_warm_up"),
        (result(GOOD, idles=()), "no_idle_power"),
        (result(GOOD, idles=(50.0, 64.0, 51.0, 50.0)), "unsteady_idle"),
        (result([window(2000, before={"processes": [76, 77]})] * 5), "other_processes"),
        (result([window(2000, after={"throttle_reasons": ["hardware_thermal"]})] * 5), "throttled"),
        (result([window(2000, after={"machine_cpu_seconds": 29.0, "own_cpu_seconds": 9.0})] * 5), "busy_machine"),
    ]:
        assert flag in found["flags"]
        assert found["flags"][-1] == "not_publishable"
        assert found["reasons"][flag] in found["reasons"]["not_publishable"]
        assert not found["publishable"]


def test_the_measuring_process_itself_is_no_other_process():
    assert result([window(2000, before={"processes": [77]})] * 5)["flags"] == []


def test_a_gpu_at_its_power_limit_is_not_throttled():
    assert result([window(2000, after={"throttle_reasons": ["power_cap"]})] * 5)["flags"] == []


def test_energy_that_was_not_measured_is_none():
    found = result([window(None, reasons=["gpu stood still for 10 s"])] * 5)
    assert found["energy_joules_per_audio_second"] is None
    assert found["net_energy_joules_per_audio_second"] is None
    assert found["mean_power_watts"] is None
    assert found["real_time_factor"] == pytest.approx(0.5)


BUSY = {"machine_cpu_seconds": 29.0, "own_cpu_seconds": 9.0}  # after a window of 10 s


def test_disturbed_windows_do_not_count_and_all_are_stored():
    disturbed = [window(9000, after=BUSY) for _ in range(5)]
    found = result([*disturbed, *(replace(each, attempt=1) for each in GOOD)])
    assert found["energy_joules_per_audio_second"] == pytest.approx(100.0)
    assert "busy_machine" not in found["flags"]
    assert [each["counted"] for each in found["windows"]] == [False] * 5 + [True] * 5
    assert found["windows"][0]["disturbances"] == ["busy_machine"]
    assert len(found["windows"]) == 10
    assert found["windows"][0]["start"]["counters"] == {"gpu": 1.0}


def test_power_below_idle_and_above_the_limit_is_flagged():
    assert "implausible_power" in result([window(400)] * 5)["flags"]  # 40 W, idle 52 W
    assert "implausible_power" in result([window(2600)] * 5)["flags"]  # 260 W, limit 230 W
    assert result([window(2500)] * 5)["flags"] == []  # 250 W is within a tenth


def test_the_printed_energy_is_impossible_as_millijoules_and_possible_as_joules():
    """WaveGrad L of Table 2: 8,522 GFLOPs per 1.024 s, 7,833.62 for 100 s, on an RTX A5000 (27.8 TFLOP/s, 230 W)."""
    flops, printed = 8522.08e9 / 1.024, 7833.62 / 100
    seconds = 1000.0  # long windows, since only operations per joule are asked here
    as_joules = result([window(printed * 20, seconds)] * 5, flops=flops, peak=27.8e12, idles=(0.1,))
    as_millijoules = result([window(printed * 20e-3, seconds)] * 5, flops=flops, peak=27.8e12, idles=(0.0001,))
    assert "implausible_flops_per_joule" not in as_joules["flags"]
    assert "implausible_flops_per_joule" in as_millijoules["flags"]


def test_an_estimate_has_no_idle_power():
    found = result(GOOD, Meter(CpuTimeSensor(10.0)))
    assert found["idle_power_watts"] is None
    assert found["net_energy_joules_per_audio_second"] is None


def test_windows_that_differ_give_their_median_and_never_the_mean_of_40_and_6():
    """The windows of HiFi-GAN L beside other work, which mean 24; 4.4 when nothing else ran."""
    found = result([window(20 * value) for value in (40, 33, 28, 13, 6, 4.5, 4.4, 4.4, 4.3, 4.4)])
    assert found["energy_joules_per_audio_second"] == pytest.approx(5.25)
    assert found["energy_combined_by"] == "median"
    assert found["energy_joules_per_audio_second_ci95"] == pytest.approx(33 - 5.25)  # ranks 2 to 9 of 10
    assert "wide_interval" in found["flags"]


def test_energy_that_changes_with_the_windows_is_flagged():
    """A device that gets warm: 1 % more with every window."""
    warming = [window(2000 * (1 + 0.01 * index)) for index in range(5)]
    moved = [
        replace(each, start=replace(each.start, monotonic_seconds=30.0 * index)) for index, each in enumerate(warming)
    ]
    assert "+3.9% from the first window to the last" in result(moved)["reasons"]["drift"]
    mixed = [replace(moved[index], energy=warming[other].energy) for index, other in enumerate((0, 3, 1, 4, 2))]
    assert "drift" not in result(mixed)["flags"]


def test_threads_that_spin_are_flagged_where_their_time_counts_as_energy(monkeypatch):
    monkeypatch.setattr(torch, "get_num_threads", lambda: 2)
    meters = {"estimated": Meter(CpuTimeSensor(10.0)), "nvml": Meter(FakeSensor(limit=230.0))}
    for policy, source, flagged in (
        ("ACTIVE", "estimated", True), (None, "estimated", True), ("passive", "estimated", False),
        (None, "nvml", False),
    ):  # fmt: skip
        monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
        monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
        if policy:
            monkeypatch.setenv("OMP_WAIT_POLICY", policy)
        assert ("threads_spin" in result(GOOD, meters[source])["flags"]) is flagged
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    assert "threads_spin" not in result(GOOD, meters["estimated"])["flags"]


@pytest.mark.parametrize(("spins", "policy"), [("0", "passive"), ("1000", "GOMP_SPINCOUNT=1000"), (None, "passive")])
def test_a_number_of_spins_comes_before_the_policy(monkeypatch, spins, policy):
    """As in libgomp (env.c): OMP_WAIT_POLICY is only asked where GOMP_SPINCOUNT says nothing."""
    monkeypatch.setenv("OMP_WAIT_POLICY", "PASSIVE")
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    if spins:
        monkeypatch.setenv("GOMP_SPINCOUNT", spins)
    assert waiting_policy() == policy


# On this machine


@pytest.fixture
def subject():
    mels = np.random.default_rng(seed_of(0)).random((80, 40), dtype=np.float32)
    return Subject(SmallVocoder(), SMALL, {"steps": 3, "seconds": 1.5}, 1e6, mels)


def test_a_short_measurement_gives_the_whole_record(subject):
    meter = Meter(CpuTimeSensor(10.0))
    record = measure_energy(subject, QUICK, meter, torch.device("cpu"), seed=0)
    assert record["system"] == "small-S"
    assert record["energy_source"] == "estimated"
    assert record["energy_joules_per_audio_second"] > 0
    assert record["peak_memory_bytes"] > 50e6
    assert record["training"] == {"steps": 3, "seconds": 1.5}
    assert record["protocol"]["batch_frames"] == 6
    assert {"short_protocol", "energy_estimated", "not_publishable"} <= set(record["flags"])
    assert json.loads(json.dumps(record)) == record


def test_the_cross_check_asks_for_zeus_where_it_is_missing(subject):
    settings = replace(QUICK, cross_check="zeus")
    with pytest.raises(UserError, match="pip install zeus"):
        measure_energy(subject, settings, Meter(CpuTimeSensor(10.0)), torch.device("cpu"), seed=0)


def test_the_cross_check_puts_both_numbers_side_by_side(subject, monkeypatch):
    zeus_joules = {"gpu_energy": {}, "cpu_energy": {0: 30.0, 1: 4.0}, "dram_energy": {0: 6.0}}

    class Monitor:
        def __init__(self, gpu_indices):
            assert gpu_indices == []

        def begin_window(self, name):
            self.open = name

        def end_window(self, name):
            assert name == self.open
            return type("Measurement", (), zeus_joules)

    monkeypatch.setitem(__import__("sys").modules, "zeus", type("zeus", (), {}))
    monkeypatch.setitem(__import__("sys").modules, "zeus.monitor", type("monitor", (), {"ZeusMonitor": Monitor}))
    settings = replace(QUICK, cross_check="zeus")
    check = measure_energy(subject, settings, Meter(CpuTimeSensor(10.0)), torch.device("cpu"), seed=0)["cross_check"]
    assert check["zeus_joules"] == 40.0
    assert check["ratio"] == pytest.approx(40.0 / check["joules"])


def test_the_cross_check_leaves_out_what_leads_in(monkeypatch):
    """A second meter that knows the true energy agrees, as it would not if half a second of work came on top."""
    device = SimulatedDevice(Nature(step_seconds=0.0), "cross")

    class Monitor:
        def __init__(self, gpu_indices):
            pass

        def begin_window(self, name):
            self.begin = device.true_joules(device.clock.now)

        def end_window(self, name):
            return SimpleNamespace(gpu_energy={0: device.true_joules(device.clock.now) - self.begin})

    monkeypatch.setitem(sys.modules, "zeus", ModuleType("zeus"))
    monkeypatch.setitem(sys.modules, "zeus.monitor", SimpleNamespace(ZeusMonitor=Monitor))

    def measure(beside):
        return measure_window(device.work, device.meter, EnergySettings(), device.clock, beside=beside)

    found = window_checked_by_zeus(measure, torch.device("cuda:0"))
    assert found["ratio"] == pytest.approx(1.0, abs=1e-4)


@pytest.mark.parametrize(
    "error",
    [torch.OutOfMemoryError("CUDA out of memory"), RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED")],
)
def test_running_out_of_memory_says_what_to_lower(subject, monkeypatch, error):
    def too_big(*arguments):
        raise error

    monkeypatch.setattr(subject.vocoder, "generate", too_big)
    settings = replace(QUICK, batch_size=2)
    with pytest.raises(UserError, match=r"batches of 2 clips of 0\.1 s.*energy\.batch_size"):
        measure_energy(subject, settings, Meter(CpuTimeSensor(10.0)), torch.device("cpu"), seed=0)


def test_tf32_is_refused_where_it_does_not_exist(subject):
    settings = replace(QUICK, precision="tf32")
    with pytest.raises(UserError, match=r"energy\.precision: tf32"):
        measure_energy(subject, settings, Meter(CpuTimeSensor(10.0)), torch.device("cpu"), seed=0)


def test_bf16_is_autocast(subject, monkeypatch):
    seen = []
    monkeypatch.setattr(subject.vocoder.output, "forward", _record_type(seen, subject.vocoder.output.forward))
    measure_energy(subject, replace(QUICK, precision="bf16"), Meter(CpuTimeSensor(10.0)), torch.device("cpu"), seed=0)
    assert set(seen) == {torch.bfloat16}


def _record_type(seen, forward):
    def recorded(signal):
        output = forward(signal)
        seen.append(output.dtype)
        return output

    return recorded
