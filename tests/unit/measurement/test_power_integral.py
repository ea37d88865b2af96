"""Power that is integrated, against profiles whose energy is known in closed form."""

import math
import random

import pytest

from vocoder_pareto.measurement.power_integral import PERIOD_SECONDS, PowerIntegral


class Profile:
    """A clock in virtual time and a power that is a function of it."""

    def __init__(self, watts):
        self.watts, self.now, self.broken = watts, 0.0, False

    def clock(self):
        return self.now

    def read(self):
        if self.broken:
            raise OSError("no answer")
        return self.watts(self.now)


def joules_of(profile, seconds, jitter=0.0, seed=0):
    draw = random.Random(seed)
    integral = PowerIntegral(profile.read, profile.clock)
    begin = integral.joules()
    while profile.now < seconds:
        profile.now = min(seconds, profile.now + PERIOD_SECONDS * (1.0 + draw.uniform(0.0, jitter)))
        integral.sample()
    return integral.joules() - begin


@pytest.mark.parametrize("jitter", [0.0, 2.0])
def test_a_swinging_power_is_integrated_within_the_error_of_trapezoids(jitter):
    """Of step h the rule is off by no more than seconds × h² / 12 × the largest second derivative."""
    amplitude, angular, seconds = 80.0, 2.0 * math.pi / 0.9, 10.0
    profile = Profile(lambda t: 200.0 + amplitude * math.sin(angular * t))
    truth = 200.0 * seconds + amplitude / angular * (1.0 - math.cos(angular * seconds))
    step = PERIOD_SECONDS * (1.0 + jitter)
    bound = seconds * step**2 / 12.0 * amplitude * angular**2
    assert abs(joules_of(profile, seconds, jitter) - truth) <= bound


def test_a_ramp_is_integrated_exactly():
    assert joules_of(Profile(lambda t: 50.0 + 30.0 * t), 4.0, jitter=1.0) == pytest.approx(50.0 * 4.0 + 15.0 * 16.0)


def test_a_step_costs_no_more_than_half_a_period_of_its_height():
    profile = Profile(lambda t: 60.0 if t < 1.2345 else 260.0)
    truth = 60.0 * 1.2345 + 260.0 * (3.0 - 1.2345)
    assert abs(joules_of(profile, 3.0) - truth) <= 200.0 * PERIOD_SECONDS / 2.0 + 1e-9


def test_a_gap_in_the_readings_is_an_error_once_and_never_a_guess():
    profile = Profile(lambda t: 100.0)
    integral = PowerIntegral(profile.read, profile.clock)
    integral.joules()
    profile.now = 5.0
    with pytest.raises(OSError, match="not read for 5 s"):
        integral.joules()
    begin = integral.joules()
    profile.now = 5.5
    assert integral.joules() - begin == pytest.approx(50.0)


def test_power_that_cannot_be_read_is_an_error():
    profile = Profile(lambda t: 100.0)
    integral = PowerIntegral(profile.read, profile.clock)
    integral.sample()
    profile.broken = True
    with pytest.raises(OSError, match="no answer"):
        integral.joules()
    profile.broken, profile.now = False, 0.5
    assert integral.joules() == pytest.approx(50.0)
