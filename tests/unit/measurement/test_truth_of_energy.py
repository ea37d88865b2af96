"""The whole protocol in simulated time, against the true energy of the device: bias, and how often intervals hold it.

The device draws 200 W at work and 60 W at rest; its counter moves every 100 ms and shows what was 100 ms ago.
"""

import statistics
from dataclasses import dataclass, replace

import pytest
from full_protocol import FULL
from seeds import seed_of
from simulated_device import Nature, SimulatedDevice

from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.nvml_power import NvmlPowerSensor
from vocoder_pareto.measurement.protocol import observe

SETTINGS = replace(
    FULL, cooldown_seconds=1.0, max_warmup_seconds=20.0, idle_seconds=2.0, processes=1, process_spread=0.0,
    max_pause_seconds=1.0, min_repeats=1,
)  # fmt: skip
LAGGING = Nature(lag_seconds=0.1)
BIAS_AT_MOST = 0.001
CERTAIN = 4.0  # standard errors that a share or a mean of many seeds may lie off


@dataclass(frozen=True)
class Found:
    """Of many measurements: mean relative error, its standard error, and the share of intervals with the truth."""

    bias: float
    error: float
    coverage: float
    measurements: int

    @property
    def is_unbiased(self) -> bool:
        return abs(self.bias) < BIAS_AT_MOST + CERTAIN * self.error

    @property
    def holds_95_percent(self) -> bool:
        """Between 93 and 97 %, as far as so many measurements tell."""
        unsure = CERTAIN * (0.95 * 0.05 / self.measurements) ** 0.5
        return 0.93 - unsure <= self.coverage <= 0.97 + unsure


def simulate(nature, settings, measurements):
    """The truth is the power at work × the mean time of a pass; where power drifts, what was used in the windows."""
    errors, covered = [], []
    for number in range(measurements):
        device = SimulatedDevice(nature, f"{seed_of(0)} {number}")
        measured = observe(device.work, device.meter, settings, device.clock, draw=device.draw)
        found = assessed(measured, device.meter, settings, None, None)
        value, half_width = (found[f"energy_joules_per_audio_second{suffix}"] for suffix in ("", "_ci95"))
        truth = nature.busy_watts * nature.pass_seconds
        if nature.drift:
            truth = statistics.fmean(true_joules(device, window) / window.audio_seconds for window in measured.counted)
        errors.append(value / truth - 1)
        covered.append(abs(value - truth) <= half_width)
    error = statistics.stdev(errors) / measurements**0.5
    return Found(statistics.fmean(errors), error, statistics.fmean(covered), measurements)


def true_joules(device, window):
    return device.true_joules(window.end.monotonic_seconds) - device.true_joules(window.start.monotonic_seconds)


@pytest.mark.parametrize(("seconds", "measurements"), [(0.5, 60), (2.0, 60), (10.0, 50), (30.0, 30)])
def test_a_counter_that_lags_and_steps_gives_the_true_energy(seconds, measurements):
    found = simulate(LAGGING, replace(SETTINGS, min_window_seconds=seconds), measurements)
    assert found.is_unbiased
    assert found.holds_95_percent


def test_without_the_lead_in_the_first_reading_still_shows_the_pause():
    """What the lead-in mends: the first reading lacks 0.15 s of 140 W on average, 21 J of the 6 kJ of a window."""
    found = simulate(LAGGING, replace(SETTINGS, lead_in_seconds=0.0), measurements=20)
    assert found.bias == pytest.approx(-21 / 6100, rel=0.25)


def test_idle_power_is_that_of_rest_even_where_work_went_before():
    """Without rest before the first reading, the work that the counter still shows would make it 10 W more."""
    for number in range(10):
        device = SimulatedDevice(LAGGING, f"idle {number}")
        before, after = observe(device.work, device.meter, SETTINGS, device.clock, draw=device.draw).idle
        assert before.mean_power_watts == pytest.approx(LAGGING.idle_watts, rel=0.01)
        assert after.mean_power_watts == pytest.approx(LAGGING.idle_watts, rel=0.06)  # 2 s of steps of 0.1 s


def test_means_of_the_last_second_are_waited_for():
    """Power that NVML averages over a second: after half a second of work it would still show half of the rest."""
    nature = Nature(step_seconds=0.0, averaged_seconds=1.0)
    device = SimulatedDevice(nature, "averaged")
    device.meter.sensor.settling_seconds = NvmlPowerSensor.settling_seconds
    measured = observe(device.work, device.meter, replace(SETTINGS, min_window_seconds=0.5), device.clock)
    assert [window.energy.mean_power_watts for window in measured.windows] == pytest.approx(
        [nature.busy_watts] * len(measured.windows), rel=1e-3
    )
    assert [idle.mean_power_watts for idle in measured.idle] == pytest.approx([nature.idle_watts] * 2, rel=1e-3)


@pytest.mark.parametrize("number", range(10))
def test_a_counter_that_moves_about_once_a_window_is_flagged(number):
    """Windows in which it stands still are no energy; those in which it moves have that of a second in half of one."""
    device = SimulatedDevice(Nature(step_seconds=1.0), f"seldom {number}")
    settings = replace(SETTINGS, min_window_seconds=0.5, max_pause_seconds=0.1)
    measured = observe(device.work, device.meter, settings, device.clock, draw=device.draw)
    found = assessed(measured, device.meter, settings, None, None)
    assert "invalid_window" in found["flags"]
    assert "needs longer energy.lead_in_seconds" in found["reasons"]["invalid_window"]


def test_a_counter_that_never_moves_is_told_as_dead():
    device = SimulatedDevice(LAGGING, "dead")
    device.meter.sensor.counter = 5.0
    settings = replace(SETTINGS, min_window_seconds=0.5)
    found = assessed(observe(device.work, device.meter, settings, device.clock), device.meter, settings, None, None)
    assert found["energy_joules_per_audio_second"] is None
    assert "never moves counts nothing here" in found["reasons"]["invalid_window"]


def test_windows_of_one_length_can_agree_by_chance_and_windows_of_random_length_cannot():
    """200 W × 0.1 s are 20 J: were all windows 300.2 steps long, a third of all measurements would see 300 in each."""
    device = SimulatedDevice(LAGGING, "lengths")
    windows = observe(device.work, device.meter, SETTINGS, device.clock, draw=device.draw).windows
    steps = [window.energy.seconds / LAGGING.step_seconds % 1 for window in windows]
    assert max(steps) - min(steps) > 0.3


@pytest.mark.parametrize(("pause", "holds"), [(0.0, False), (0.1, True)])
def test_without_random_pauses_windows_agree_by_chance_and_their_interval_says_nothing(pause, holds):
    """Windows of 100.5 steps that begin 106 steps apart: each counts 100, or each 101, half a percent off."""
    settings = replace(
        SETTINGS, min_window_seconds=10.02, lead_in_seconds=0.52, max_pause_seconds=pause, max_warmup_seconds=5.0
    )
    found = simulate(Nature(jitter=0.0, pass_seconds=0.05), settings, 25)
    assert (found.coverage > 0.8) is holds


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "measurements"), [(0.5, 2000), (2.0, 1500), (10.0, 800), (30.0, 400)])
@pytest.mark.parametrize(
    "nature",
    [
        Nature(),
        LAGGING,
        Nature(step_seconds=0.0, lag_seconds=0.1),
        Nature(lag_seconds=0.1, jitter=0.1),
    ],
    ids=["steps", "steps and lag", "lag alone", "passes that vary by a tenth"],
)
def test_bias_and_coverage_of_short_and_long_windows(nature, seconds, measurements):
    found = simulate(nature, replace(SETTINGS, min_window_seconds=seconds), measurements)
    assert found.is_unbiased
    assert found.holds_95_percent


@pytest.mark.slow
@pytest.mark.parametrize(("seconds", "measurements"), [(2.0, 1000), (10.0, 500), (30.0, 300)])
def test_a_device_that_gets_warm_is_measured_as_it_is_in_the_windows(seconds, measurements):
    """Power rises by 8 % within minutes: no bias, and an interval that is too wide, since windows do differ."""
    nature = Nature(lag_seconds=0.1, drift=0.08)
    found = simulate(nature, replace(SETTINGS, min_window_seconds=seconds), measurements)
    assert found.is_unbiased
    assert found.coverage > 0.93 - CERTAIN * (0.95 * 0.05 / measurements) ** 0.5
