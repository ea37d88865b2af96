import resource
import subprocess
import sys
import time

import pytest
import torch
from pyJoules.device import rapl_device
from simulated_counters import RANGE, FakeSensor

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement import powercap as powercap_module
from vocoder_pareto.measurement import pyjoules_units
from vocoder_pareto.measurement.meter import Meter, open_meter
from vocoder_pareto.measurement.powercap import RaplSensor
from vocoder_pareto.measurement.pyjoules_units import joules_per_count
from vocoder_pareto.measurement.sensor import MeterUnavailable
from vocoder_pareto.study.sections.measurement import MeterSettings

CPU = torch.device("cpu")


def energy_of(meter, change):
    """Energy between two readings, with `change` called in between."""
    start = meter.read()
    time.sleep(0.001)
    change()
    return meter.energy_between(start, meter.read())


# Units


def test_nvml_counts_millijoules_and_rapl_microjoules_in_pyjoules_0_5_1():
    assert joules_per_count("nvml", "0.5.1") == 1e-3
    assert joules_per_count("rapl", "0.5.1") == 1e-6


def test_a_release_of_pyjoules_whose_units_nobody_checked_is_refused(powercap, monkeypatch):
    powercap.add("0", "package-0")
    monkeypatch.setattr(pyjoules_units.metadata, "version", lambda name: "0.6.0")
    with pytest.raises(UserError, match=r"pyJoules 0\.6\.0.*pyJoules==0\.5\.1"):
        open_meter(CPU, MeterSettings())


# RAPL


def test_packages_and_memory_of_all_sockets_are_added_and_nothing_is_counted_twice(powercap):
    for socket in ("0", "1"):
        powercap.add(socket, f"package-{socket}")
        powercap.add(f"{socket}:0", "core")
        powercap.add(f"{socket}:1", "uncore")
        powercap.add(f"{socket}:2", "dram")
    powercap.add("2", "psys")
    meter = open_meter(CPU, MeterSettings())

    def use():
        for zone, joules in {"0": 30, "1": 20, "0:2": 4, "1:2": 3, "0:0": 25, "1:1": 9, "2": 90}.items():
            powercap.set(zone, joules * 1_000_000)

    energy = energy_of(meter, use)
    assert meter.source == energy.source == "rapl"
    assert energy.by_domain == pytest.approx({"package_0": 30, "dram_0": 4, "package_1": 20, "dram_1": 3})
    assert energy.joules == pytest.approx(57)
    assert energy.valid


def test_packages_that_pyjoules_does_not_find_by_name_are_measured_too(powercap, monkeypatch):
    monkeypatch.setattr(powercap_module.time, "sleep", lambda seconds: None)
    powercap.add("0", "psys")
    powercap.add("1", "package-0-die-0")
    powercap.add("2", "package-0-die-1")
    meter = open_meter(CPU, MeterSettings())
    energy = energy_of(meter, lambda: (powercap.set("1", 5_000_000), powercap.set("2", 6_000_000)))
    assert energy.joules == pytest.approx(11)


def test_a_counter_that_wraps_is_corrected_by_its_range(powercap):
    powercap.add("0", "package-0", energy=RANGE - 2_000_000)
    meter = open_meter(CPU, MeterSettings())
    energy = energy_of(meter, lambda: powercap.set("0", 3_000_000))
    assert energy.valid
    assert energy.joules == pytest.approx(5, rel=1e-9)


def test_several_wraps_are_counted_where_the_meter_is_read_between_them(powercap, clock):
    powercap.add("0", "package-0", energy=0)
    meter = Meter(RaplSensor(powercap.root), clock=clock.seconds)
    start = meter.read()
    for counter in (200e9, 100e9, 10e9, 250e9, 40e9):  # three times over the end, at 960 W or less
        clock.now += 250
        powercap.set("0", int(counter))
        end = meter.read()
    assert meter.energy_between(start, end).joules == pytest.approx((3 * RANGE + 40e9) * 1e-6)


def test_a_gap_in_which_a_counter_may_wrap_twice_is_not_valid(clock):
    sensor = FakeSensor(wraps_at=1_000_000, longest_gap_seconds=60)
    meter = Meter(sensor, clock=clock.seconds)
    start = meter.read()
    clock.now += 61
    sensor.counter = 500
    energy = meter.energy_between(start, meter.read())
    assert not energy.valid
    assert energy.joules is None
    assert "at least every 60 s" in energy.reasons[0]


def test_the_longest_gap_follows_from_range_and_power_limit(powercap):
    powercap.add("0", "package-0", limit_watts=200)
    meter = open_meter(CPU, MeterSettings())
    assert meter.longest_gap_seconds == pytest.approx(262_143.32885 / 300)
    assert meter.power_limit_watts == 200


def test_counters_that_only_root_may_read_are_an_error_that_says_how_to_mend_it(powercap, monkeypatch):
    powercap.add("0", "package-0")
    monkeypatch.setattr(rapl_device, "open", _refused, raising=False)
    with pytest.raises(MeterUnavailable, match=r"energy_uj: only root.*sudo chmod.*meter\.unreadable_rapl"):
        open_meter(CPU, MeterSettings(unreadable_rapl="error"))


def test_unreadable_counters_are_replaced_by_the_estimate_only_if_asked_and_flagged(powercap, monkeypatch):
    powercap.add("0", "package-0")
    monkeypatch.setattr(rapl_device, "open", _refused, raising=False)
    meter = open_meter(CPU, MeterSettings(unreadable_rapl="estimate"))
    assert meter.source == "estimated"
    assert meter.notes == ("rapl_unreadable",)
    assert meter.flags == {
        "energy_estimated": "energy is estimated from CPU time, not measured",
        "rapl_unreadable": "RAPL exists but may not be read",
    }


def _refused(*arguments):
    raise PermissionError(13, "Permission denied")


# What makes a window invalid


def test_a_counter_that_stands_still_is_not_valid_and_not_zero(powercap):
    powercap.add("0", "package-0", energy=77)
    energy = energy_of(open_meter(CPU, MeterSettings()), lambda: None)
    assert not energy.valid
    assert energy.joules is None
    assert energy.mean_power_watts is None
    assert "package_0 stood still" in energy.reasons[0]


def test_short_stretches_of_a_sum_may_fall_between_two_steps_of_the_counter(clock):
    sensor = FakeSensor(counter=1000)
    meter = Meter(sensor, clock=clock.seconds)
    start = meter.read()
    clock.now += 0.05
    assert meter.energy_between(start, meter.read(), may_stand_seconds=1.0).joules == 0.0
    clock.now += 2.0
    assert not meter.energy_between(start, meter.read(), may_stand_seconds=1.0).valid


def test_a_counter_that_goes_backwards_without_a_range_is_not_valid(clock):
    sensor = FakeSensor(counter=900)
    meter = Meter(sensor, clock=clock.seconds)
    start = meter.read()
    for counter in (100, 1000):  # the driver was loaded anew; later it has passed the start again
        clock.now += 1
        sensor.counter = counter
        end = meter.read()
    energy = meter.energy_between(start, end)
    assert not energy.valid
    assert "went backwards" in energy.reasons[0]


def test_a_fault_before_the_window_does_not_spoil_it(clock):
    sensor = FakeSensor(counter=OSError("gone"))
    meter = Meter(sensor, clock=clock.seconds)
    meter.read()
    sensor.counter = 1000
    start = meter.read()
    clock.now += 2
    sensor.counter = 5000
    energy = meter.energy_between(start, meter.read())
    assert energy.joules == pytest.approx(4)
    assert energy.mean_power_watts == pytest.approx(2)


def test_a_counter_that_vanishes_is_none_and_says_why(clock):
    sensor = FakeSensor(counter=1)
    meter = Meter(sensor, clock=clock.seconds)
    start = meter.read()
    clock.now += 1
    sensor.counter = OSError("GPU is lost")
    end = meter.read()
    energy = meter.energy_between(start, end)
    assert end.counters == {"nvidia_gpu_0": None}
    assert (energy.joules, energy.by_domain) == (None, {"nvidia_gpu_0": None})
    assert "GPU is lost" in energy.reasons[0]


def test_readings_in_the_wrong_order_are_refused(clock):
    meter = Meter(FakeSensor(), clock=clock.seconds)
    reading = meter.read()
    with pytest.raises(ValueError, match="swap"):
        meter.energy_between(reading, reading)


def test_a_meter_needs_a_counter_and_a_name_for_each(clock):
    with pytest.raises(ValueError, match=r"domains of a meter are \['gpu', 'gpu'\]"):
        Meter(FakeSensor("gpu"), beside=[FakeSensor("gpu", limit=3.0)])
    nothing = FakeSensor()
    nothing.domains = ()
    with pytest.raises(ValueError, match="needs one"):
        Meter(nothing)


# The estimate


def cpu_seconds():
    """Of this process and of its children that have ended."""
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + ended.ru_utime + ended.ru_stime


def estimated(work, watts):
    """The estimate for `work`, and the least and the most CPU seconds that it can rest on: without and with reading."""
    meter = open_meter(CPU, MeterSettings(cpu_watts_per_core=watts))
    inner = []

    def watched():
        begin = cpu_seconds()
        work()
        inner.append(cpu_seconds() - begin)

    begin = cpu_seconds()
    energy = energy_of(meter, watched)
    return energy, inner[0], cpu_seconds() - begin


def test_without_rapl_the_energy_of_a_cpu_is_estimated_from_its_seconds(without_rapl):
    energy, least, most = estimated(lambda: _busy(0.1), watts=5.0)
    assert energy.source == "estimated"
    assert energy.valid
    assert least >= 0.1
    assert 5.0 * least <= energy.joules <= 5.0 * most


def test_the_estimate_covers_children(without_rapl):
    command = [sys.executable, "-c", "import time\nwhile time.process_time() < 0.3: pass"]
    energy, least, most = estimated(lambda: subprocess.run(command, check=True), watts=1.0)
    assert least >= 0.3
    assert least <= energy.joules <= most


def test_an_idle_process_is_estimated_at_next_to_nothing(without_rapl):
    """By the time that it computes and not by the time that goes by."""
    energy, _, most = estimated(lambda: time.sleep(0.5), watts=10.0)
    assert energy.valid
    assert energy.joules <= 10.0 * most
    assert energy.joules < 0.5 * 10.0 * energy.seconds


def test_watts_of_a_core_must_be_positive():
    with pytest.raises(UserError, match="greater than 0"):
        MeterSettings(cpu_watts_per_core=0)


def test_the_record_tells_units_and_places_of_all_counters(powercap):
    powercap.add("0", "package-0")
    record = open_meter(CPU, MeterSettings()).description()
    assert record["source"] == "rapl"
    assert record["pyjoules"] == record["readers"]["pyJoules"]
    assert record["domains"]["package_0"]["unit"] == "µJ"
    assert record["domains"]["package_0"]["wraps_at"] == RANGE
    assert record["domains"]["package_0"]["where"].endswith("intel-rapl:0/energy_uj")


@pytest.mark.parametrize(
    ("memory", "boundary"),
    [
        ([], "all CPU packages; their memory has no counter"),
        (["0:0"], "all CPU packages; the memory of some has no counter"),
        (["0:0", "1:0"], "all CPU packages and their memory"),
    ],
)
def test_the_boundary_names_memory_only_where_it_is_counted(powercap, memory, boundary):
    for socket in ("0", "1"):
        powercap.add(socket, f"package-{socket}")
    for zone in memory:
        powercap.add(zone, "dram")
    assert open_meter(CPU, MeterSettings()).description()["boundary"] == boundary


@pytest.mark.parametrize(("asleep", "valid"), [(60.0, False), (1e-5, True)])
def test_what_was_used_while_the_machine_was_suspended_is_no_energy_of_the_work(clock, asleep, valid):
    """The monotonic clock of Linux stands still then: 30 J of a minute's sleep would join the window of a second."""
    sensor, slept = FakeSensor(counter=0.0), [5.0]
    meter = Meter(sensor, clock=clock.seconds, asleep=lambda: slept[0])
    start = meter.read()
    clock.now += 1.0
    slept[0] += asleep
    sensor.counter = 40_000.0
    energy = meter.energy_between(start, meter.read())
    assert energy.valid == valid
    assert valid or "suspended for 60 s" in energy.reasons[0]


def test_a_zone_without_a_name_may_be_a_package_and_is_not_left_out_in_silence(powercap):
    powercap.add("0", "package-0")
    (powercap.add("1", "package-1") / "name").unlink()
    with pytest.raises(MeterUnavailable, match=r"intel-rapl:1/name: cannot be read.*sudo chmod.*unreadable_rapl"):
        open_meter(CPU, MeterSettings(unreadable_rapl="error"))
    assert open_meter(CPU, MeterSettings(unreadable_rapl="estimate")).notes == ("rapl_unreadable",)


def test_an_estimate_knows_nothing_of_sleep(without_rapl):
    slept = iter([0.0, 60.0])
    meter = Meter(open_meter(CPU, MeterSettings()).sensor, asleep=lambda: next(slept))
    assert energy_of(meter, lambda: _busy(0.01)).valid


def _busy(cpu_seconds):
    begin = time.process_time()
    while time.process_time() - begin < cpu_seconds:
        pass
