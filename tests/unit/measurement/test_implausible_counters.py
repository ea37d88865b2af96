"""Counters that wrap, are set back or jump, in virtual time: the energy is that which was drawn, or none."""

import random

import pytest
from simulated_counters import RANGE

from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.powercap import RaplSensor
from vocoder_pareto.training.accounting import EnergyAccount, EnergyTotals

RANGE_JOULES = RANGE * 1e-6


class Package:
    """A package that draws `watts`; its counter is what it drew, wrapped, plus what `tamper` adds to it."""

    def __init__(self, powercap, clock, watts, begin_joules=0.0):
        self.powercap, self.clock, self.watts = powercap, clock, watts
        self.counter = begin_joules
        powercap.add("0", "package-0", energy=round(begin_joules * 1e6))
        self.meter = Meter(RaplSensor(powercap.root), clock=clock.seconds)

    def pass_time(self, seconds):
        self.clock.now += seconds
        self.tamper(self.watts * seconds)

    def tamper(self, joules):
        self.set((self.counter + joules) % RANGE_JOULES)

    def set(self, joules):
        self.counter = joules
        self.powercap.set("0", round(joules * 1e6))


@pytest.fixture
def package(powercap, clock):
    return lambda watts, begin_joules=0.0: Package(powercap, clock, watts, begin_joules)


def window(package, seconds, happens=lambda: None):
    start = package.meter.read()
    package.pass_time(seconds / 2)
    happens()
    package.pass_time(seconds / 2)
    return package.meter.energy_between(start, package.meter.read())


def test_a_wrap_is_added_up_where_the_power_confirms_it(package):
    energy = window(package(60.0, RANGE_JOULES - 500.0), 30.0)
    assert energy.joules == pytest.approx(1800.0, rel=1e-6)


@pytest.mark.parametrize("to", [0.0, 500.0, 100_000.0])
def test_a_counter_that_is_set_back_within_a_window_is_no_wrap(package, to):
    """1.8 kJ in 30 s; taken for a wrap it would be 64 kJ and more."""
    device = package(60.0, 200_000.0)
    energy = window(device, 30.0, lambda: device.set(to))
    assert energy.joules is None
    assert "went backwards" in energy.reasons[0]
    assert "more than 1000 W" in energy.reasons[0]
    assert window(device, 30.0).joules == pytest.approx(1800.0, rel=1e-6), "the next window is whole again"


def test_a_counter_that_slips_back_by_a_little_is_no_wrap(package):
    device = package(60.0, 200_000.0)
    assert window(device, 0.01, lambda: device.tamper(-1.0)).joules is None


@pytest.mark.parametrize("jump", [35_000.0, 200_000.0])
def test_a_counter_that_jumps_is_not_valid(package, jump):
    device = package(60.0)
    energy = window(device, 30.0, lambda: device.tamper(jump))
    assert energy.joules is None
    assert "jumped by" in energy.reasons[0]


def test_the_bound_is_that_of_the_tree_where_it_tells_one(powercap, clock, package):
    device = package(60.0)
    folder = powercap.folder("0")
    (folder / "constraint_0_power_limit_uw").write_text("125000000\n")
    (folder / "constraint_1_max_power_uw").write_text("241000000\n")
    (folder / "constraint_2_max_power_uw").write_text("0\n")  # not known
    assert RaplSensor(powercap.root).domains[0].highest_watts == pytest.approx(1.5 * 241)
    (folder / "constraint_1_max_power_uw").write_text("4095000000\n")  # a board without limit
    assert RaplSensor(powercap.root).domains[0].highest_watts == 1000.0
    assert device.meter.description()["domains"]["package_0"]["highest_watts"] == 1000.0


@pytest.mark.parametrize("seed", range(40))
def test_a_fault_of_any_kind_is_told_or_stays_within_what_a_package_can_draw(package, seed):
    draw = random.Random(seed)
    device = package(draw.uniform(5.0, 400.0), draw.uniform(0.0, RANGE_JOULES))
    seconds, target = draw.uniform(5.0, 40.0), draw.uniform(0.0, RANGE_JOULES)
    assert window(device, seconds).joules == pytest.approx(device.watts * seconds, rel=1e-5)
    energy = window(device, seconds, lambda: device.set(target))
    assert energy.joules is None or energy.joules <= 1000.0 * (seconds + 1.0)


def trained(device, clock, steps, is_set_back):
    """What an account counts over `steps` of 20 s each, in those of which that `is_set_back` tells a counter falls."""
    totals = EnergyTotals()
    account = EnergyAccount(device.meter, totals, interval_seconds=20.0, clock=clock.seconds)
    account.resume()
    for step in range(steps):
        device.pass_time(20.0)
        if is_set_back(step):
            device.set(30.0)
        account.update()
    account.pause()
    return totals


def test_a_training_does_not_count_what_a_counter_that_was_set_back_seems_to_have_used(package, clock):
    """An hour at 60 W, 216 kJ, in which the counter is set back once; as a wrap that was 450 kJ."""
    totals = trained(package(60.0), clock, 180, lambda step: step == 90)
    assert totals.joules == pytest.approx(216_000.0, rel=1e-3)
    assert totals.flags == ["energy_has_gaps"]
    assert any("went backwards" in fault for fault in totals.faults)


def test_a_training_whose_counter_is_set_back_again_and_again_has_no_energy(package, clock):
    totals = trained(package(60.0), clock, 50, lambda step: step % 10 == 5)
    assert totals.joules is None
    assert totals.flags == ["energy_unknown"]
