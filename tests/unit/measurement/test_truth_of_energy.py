"""The whole protocol in simulated time, against the true energy of the device: bias, and how often intervals hold it.

The device draws 200 W at work and 60 W at rest; its counter moves every 100 ms and shows what was 100 ms ago.
"""

import statistics
from dataclasses import dataclass, replace

from full_protocol import FULL
from seeds import seed_of
from simulated_device import Nature, SimulatedDevice

from vocoder_pareto.measurement.energy import assessed
from vocoder_pareto.measurement.protocol import observe

SETTINGS = replace(
    FULL, cooldown_seconds=1.0, max_warmup_seconds=20.0, idle_seconds=2.0, processes=1, process_spread=0.0,
    max_pause_seconds=1.0,
)  # fmt: skip
LAGGING = Nature(lag_seconds=0.1)


@dataclass(frozen=True)
class Found:
    """Of many measurements: mean relative error, its standard error, and the share of intervals with the truth."""

    bias: float
    error: float
    coverage: float
    median_half_width: float


def simulate(nature, settings, seeds):
    """The truth of a measurement is the power at work × the mean time of a pass, or, where power drifts, what was used
    in its windows.
    """
    errors, covered, half_widths = [], [], []
    for seed in range(seeds):
        device = SimulatedDevice(nature, f"{seed_of(0)} {seed}")
        measured = observe(device.work, device.meter, settings, device.clock, draw=device.draw)
        found = assessed(measured, device.meter, settings, None, None)
        value, half_width = (found[f"energy_joules_per_audio_second{suffix}"] for suffix in ("", "_ci95"))
        truth = nature.busy_watts * nature.pass_seconds
        if nature.drift:
            ends = [[each.monotonic_seconds for each in (window.start, window.end)] for window in measured.counted]
            joules = sum(device.true_joules(end) - device.true_joules(start) for start, end in ends)
            truth = joules / sum(window.audio_seconds for window in measured.counted)
        errors.append(value / truth - 1)
        half_widths.append(half_width / truth)
        covered.append(abs(value - truth) <= half_width)
    error = statistics.stdev(errors) / seeds**0.5
    return Found(statistics.fmean(errors), error, statistics.fmean(covered), statistics.median(half_widths))


def test_windows_of_30_s_are_unbiased_and_their_intervals_hold():
    found = simulate(LAGGING, SETTINGS, seeds=300)
    assert abs(found.bias) < 0.001
    assert 0.91 <= found.coverage <= 0.985  # of 300: 95 % ± 3 standard errors
