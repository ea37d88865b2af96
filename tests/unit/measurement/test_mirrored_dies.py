"""Sockets of several dies: counters that are one and the same count once, counters that differ are added."""

import random

import pytest
import torch
from simulated_counters import RANGE

from vocoder_pareto.measurement import powercap as powercap_module
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.mirrored_dies import POINTS, STEP_SECONDS, compare
from vocoder_pareto.study.sections.measurement import MeterSettings

CPU = torch.device("cpu")
READING_SECONDS = 5e-5


class Machine:
    """Counters in virtual time: each reading takes 50 µs, each counter moves every millisecond in whole steps.

    A machine that is busy takes some milliseconds more for some of the readings.
    """

    def __init__(self, seed=0, begin=0, busy=0.0):
        self.draw = random.Random(seed)
        self.now = self.draw.uniform(0.0, 1.0)
        self.begin = begin
        self.busy = busy

    def sleep(self, seconds):
        self.now += seconds

    def counter(self, power, offset=0, late=0.0):
        """`power` is in watts, as a function of time; it is integrated in steps of a millisecond, `late` by a part."""
        state = {"ticks": 0, "microjoules": float(self.begin + offset)}

        def read():
            self.now += READING_SECONDS
            if self.draw.random() < self.busy:
                self.now += self.draw.uniform(4e-3, 20e-3)
            while state["ticks"] < int(self.now * 1000.0 - late):
                state["ticks"] += 1
                state["microjoules"] += power(state["ticks"]) * 1000.0
            return int(state["microjoules"] / 61.0) * 61 % RANGE

        return read


def noisy(watts, spread, seed):
    """A power that differs from millisecond to millisecond, about a mean that wanders a little."""
    draws = {}
    draw = random.Random(seed)

    def power(tick):
        if tick not in draws:
            draws[tick] = watts * (1.0 + spread * draw.gauss(0.0, 1.0))
        return draws[tick]

    return power


@pytest.mark.parametrize("seed", range(20))
def test_counters_that_show_one_socket_are_found_whatever_its_load(seed):
    machine = Machine(seed)
    power = noisy(random.Random(seed).uniform(5.0, 280.0), 0.3, seed)
    counters = [(name, machine.counter(power)) for name in ("a", "b", "c")]
    assert [each.mirrored for each in compare(counters, RANGE, machine.sleep)] == [True, True]


def test_one_counter_behind_two_files_is_found_over_a_wrap_too():
    machine = Machine(begin=RANGE - 20_000_000)
    shared = machine.counter(noisy(90.0, 0.1, 1))
    (found,) = compare([("a", shared), ("b", shared)], RANGE, machine.sleep)
    assert found.mirrored
    assert found.counts * 1e-6 == pytest.approx(90.0 * POINTS * STEP_SECONDS, rel=0.02)


@pytest.mark.parametrize("seed", range(20))
def test_dies_that_work_alike_are_not_taken_for_one(seed):
    """The same mean power on both, by chance within half a percent."""
    machine = Machine(seed)
    draw = random.Random(seed)
    watts = draw.uniform(10.0, 150.0)
    first = machine.counter(noisy(watts, 0.1, seed))
    other = machine.counter(noisy(watts * (1.0 + draw.choice([-1, 1]) * draw.uniform(0.002, 0.005)), 0.1, seed + 1000))
    assert compare([("a", first), ("b", other)], RANGE, machine.sleep)[0].mirrored is False


@pytest.mark.parametrize("seed", range(10))
@pytest.mark.parametrize("busy", [0.0, 0.3])
def test_copies_that_are_refreshed_at_times_of_their_own_are_found(seed, busy):
    machine = Machine(seed, busy=busy)
    draw = random.Random(seed)
    power = noisy(draw.uniform(5.0, 280.0), 0.1, seed)
    counters = [("a", machine.counter(power)), ("b", machine.counter(power, late=draw.uniform(0.0, 0.999)))]
    assert compare(counters, RANGE, machine.sleep)[0].mirrored is True


@pytest.mark.parametrize("seed", range(10))
def test_interrupted_readings_do_not_make_one_of_dies_that_differ(seed):
    machine = Machine(seed, busy=0.3)
    first, other = machine.counter(noisy(100.0, 0.0, 1)), machine.counter(noisy(100.3, 0.0, 2))
    assert compare([("a", first), ("b", other)], RANGE, machine.sleep)[0].mirrored is False


def test_of_counters_that_stand_still_nobody_can_tell():
    machine = Machine()
    assert compare([("a", lambda: 5.0), ("b", lambda: 5.0)], RANGE, machine.sleep)[0].mirrored is None


# In the tree


@pytest.fixture
def socket(powercap, monkeypatch):
    """A socket of two dies; the second counts as a test says while time passes."""
    powercap.add("0", "package-0-die-0")
    powercap.add("1", "package-0-die-1")
    counts = {"0": 0, "1": 0}
    rates = {"0": 50.0, "1": 50.0}

    def pass_time(seconds):
        for zone, watts in rates.items():
            counts[zone] += round(watts * seconds * 1e6)
            powercap.set(zone, counts[zone])

    monkeypatch.setattr(powercap_module.time, "sleep", pass_time)
    return rates, pass_time


def energy_after(pass_time, seconds):
    meter = open_meter(CPU, MeterSettings())
    start = meter.read()
    pass_time(seconds)
    return meter, meter.energy_between(start, meter.read())


def test_mirrored_dies_count_once_and_the_record_says_why(socket):
    _, pass_time = socket
    meter, energy = energy_after(pass_time, 4.0)
    assert energy.by_domain == {"package_0": pytest.approx(200.0)}
    (found,) = meter.description()["findings"]["dies"]
    assert found["mirrored"] is True
    assert found["counts"] == found["other_counts"] == pytest.approx(50.0 * found["seconds"] * 1e6)
    assert found["other"].endswith("intel-rapl:1/energy_uj")


def test_dies_that_differ_are_added(socket):
    rates, pass_time = socket
    rates["1"] = 49.0
    meter, energy = energy_after(pass_time, 4.0)
    assert energy.by_domain == {"package_0": pytest.approx(200.0), "package_1": pytest.approx(196.0)}
    assert energy.joules == pytest.approx(396.0)
    assert meter.description()["findings"]["dies"][0]["mirrored"] is False


def test_two_sockets_that_work_alike_are_always_added(powercap, monkeypatch):
    def never(seconds):
        raise AssertionError("there is nothing to compare")

    monkeypatch.setattr(powercap_module.time, "sleep", never)
    powercap.add("0", "package-0")
    powercap.add("1", "package-1")
    meter = open_meter(CPU, MeterSettings())
    assert set(meter.read().counters) == {"package_0", "package_1"}
    assert meter.description()["findings"] == {}
