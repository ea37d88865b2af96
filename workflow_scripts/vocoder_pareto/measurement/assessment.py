"""What follows from the windows that were observed: numbers, bounds, and flags that say how far to trust them."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from vocoder_pareto.measurement import bounds as physical
from vocoder_pareto.measurement.combined_windows import CombinedWindows, combined_windows, drift
from vocoder_pareto.measurement.meter import Energy, Meter, Reading
from vocoder_pareto.measurement.protocol import Measured, Window, lacks_clean
from vocoder_pareto.measurement.waiting_threads import threads_spin
from vocoder_pareto.study.sections.measurement import EnergySettings

# The highest idle power over the lowest, above which something else is taken to have gone on in a rest: our choice. A
# device that is warm from work draws somewhat more at rest as well.
STEADY_IDLE = 1.25


def assessed(
    measured: Measured,
    meter: Meter,
    settings: EnergySettings,
    flops_per_audio_second: float | None,
    peak_flops_per_second: float | None,
) -> dict[str, Any]:
    """The numbers, bounds and flags that follow from what was observed. What was not measured is None."""
    counted = measured.counted
    windows = [window for window in counted if window.energy.valid]
    idle = None if meter.is_estimate else _idle_power(measured.idle)  # an estimate knows nothing of idle power
    limits = physical.Bounds(idle, meter.power_limit_watts, peak_flops_per_second)
    flags = _flags(measured, meter, settings)
    result: dict[str, Any] = dict.fromkeys(_NUMBERS)
    efficiency = None
    if windows:
        seconds = sum(window.energy.seconds for window in windows)
        power = sum(_known(window.energy.joules for window in windows)) / seconds
        gross = _combined(windows, lambda window: window.joules_per_audio_second, settings)
        result |= {
            "energy_joules_per_audio_second": gross.value,
            "energy_joules_per_audio_second_ci95": gross.half_width,
            "energy_joules_per_audio_second_degrees_of_freedom": gross.degrees_of_freedom,
            "energy_combined_by": gross.method,
            "energy_relative_process_spread": gross.process_spread,
            "net_energy_joules_per_audio_second": _net(windows, idle, settings),
            "mean_power_watts": power,
        }
        if flops_per_audio_second is not None and gross.value > 0:
            efficiency = flops_per_audio_second / gross.value
        flags |= physical.violations(limits, power, efficiency)
        flags |= _flags_of_spread(measured, gross, settings)
    latencies = [latency for window in counted for latency in window.latencies]
    if flags:
        flags["not_publishable"] = "; ".join(flags.values())
    return result | {
        "energy_source": meter.source,
        "idle_power_watts": idle,
        "real_time_factor": _combined(counted, _real_time_factor, settings).value,
        "latency_seconds": _distribution(latencies),
        "publishable": not flags,
        "flags": list(flags),
        "reasons": flags,
        "bounds": physical.record(limits, efficiency),
        "idle": [asdict(each) for each in measured.idle],
        "windows": [_window_record(window, window in counted) for window in measured.windows],
    }


_NUMBERS = (
    "energy_joules_per_audio_second",
    "energy_joules_per_audio_second_ci95",
    "energy_joules_per_audio_second_degrees_of_freedom",
    "energy_combined_by",
    "energy_relative_process_spread",
    "net_energy_joules_per_audio_second",
    "mean_power_watts",
)


def _known(values: Iterable[float | None]) -> list[float]:
    """The values that were measured."""
    return [value for value in values if value is not None]


def _idle_power(idle: Sequence[Energy]) -> float | None:
    """The mean of before and after."""
    powers = _known(each.mean_power_watts for each in idle)
    return statistics.fmean(powers) if powers else None


def _real_time_factor(window: Window) -> float:
    return window.energy.seconds / window.audio_seconds


def _combined(
    windows: Sequence[Window], value: Callable[[Window], float | None], settings: EnergySettings
) -> CombinedWindows:
    """One number from those of `windows`, by process."""
    numbers = sorted({window.process for window in windows})
    processes = [_known(value(window) for window in windows if window.process == number) for number in numbers]
    return combined_windows(processes, settings.max_relative_interval, settings.process_spread)


def _net(windows: Sequence[Window], idle: float | None, settings: EnergySettings) -> float | None:
    """The joules per audio second above idle."""
    if idle is None:
        return None

    def net(window: Window) -> float | None:
        gross = window.joules_per_audio_second
        return None if gross is None else gross - idle * _real_time_factor(window)

    return _combined(windows, net, settings).value


def _flags(measured: Measured, meter: Meter, settings: EnergySettings) -> dict[str, str]:
    flags = {}
    if settings.shortfalls():
        flags["short_protocol"] = f"shorter than the full protocol: {', '.join(settings.shortfalls())}"
    flags |= meter.flags
    if meter.is_estimate and threads_spin():
        flags["threads_spin"] = "threads may spin while they wait, which counts as work; set OMP_WAIT_POLICY=PASSIVE"
    lacking = [window for process in measured.processes if lacks_clean(process) for window in process]
    invalid = [reason for window in lacking if not window.energy.valid for reason in window.energy.reasons]
    invalid += _seldom_moves(measured)
    if invalid:
        flags["invalid_window"] = "; ".join(dict.fromkeys(invalid))
    if measured.stable is False:
        flags["unstable_warm_up"] = f"the time of a pass had not settled after {measured.warmup_passes} passes"
    elif measured.power_stable is False:
        flags["unstable_warm_up"] = f"power had not settled after {measured.warmup_passes} passes"
    if settings.idle_seconds > 0 and not meter.is_estimate and not any(each.valid for each in measured.idle):
        flags["no_idle_power"] = "idle power could not be measured"
    rests = _known(each.mean_power_watts for each in measured.idle)
    if rests and max(rests) > STEADY_IDLE * min(rests):
        flags["unsteady_idle"] = (
            f"idle power was {min(rests):.4g} W in one rest, {max(rests):.4g} W in another; net energy takes the mean"
        )
    for window in lacking:
        flags |= window.disturbances
    return flags


def _seldom_moves(measured: Measured) -> list[str]:
    """That a counter stood still anywhere, retried or not: windows in which such a counter moved count too much."""
    parts = [part for window in measured.windows for part in (window.lead_in, window.energy)]
    stood = [part for part in [*measured.idle, *parts] if part is not None and part.stood_still]
    if not stood:
        return []
    longest = max(stood, key=lambda part: part.seconds)
    if not any(window.energy.valid for window in measured.windows):
        return [*longest.reasons, "a counter that never moves counts nothing here, as in some virtual machines"]
    mend = f"longer energy.lead_in_seconds and energy.min_window_seconds than {longest.seconds:.2g} s"
    return [*longest.reasons, f"a counter that moves so seldom needs {mend}"]


def _flags_of_spread(measured: Measured, gross: CombinedWindows, settings: EnergySettings) -> dict[str, str]:
    """That windows differ, or change as time goes on."""
    flags = {}
    wanted = f"wanted ±{settings.max_relative_interval:.1%}"
    if gross.relative is not None and gross.relative > settings.max_relative_interval:
        flags["wide_interval"] = f"the 95 % interval is ±{gross.relative:.1%} of the {gross.method}, {wanted}"
    counted = set(map(id, measured.counted))
    change = drift(
        [
            [
                (window.start.monotonic_seconds, joules)
                for window in process
                if id(window) in counted and (joules := window.joules_per_audio_second) is not None
            ]
            for process in measured.processes
        ]
    )
    if change is not None and abs(change) > settings.max_relative_interval:
        flags["drift"] = f"energy changed by {change:+.1%} from the first window to the last, {wanted}"
    return flags


def _distribution(seconds: Sequence[float]) -> dict[str, float]:
    """The distribution of the time of a pass."""
    quantiles = np.quantile(seconds, [0.05, 0.5, 0.95, 0.99])
    return {
        "passes": len(seconds),
        "mean": statistics.fmean(seconds),
        "minimum": min(seconds),
        **{f"p{share}": float(value) for share, value in zip((5, 50, 95, 99), quantiles, strict=True)},
        "maximum": max(seconds),
    }


def _window_record(window: Window, counted: bool) -> dict[str, Any]:
    return {
        "attempt": window.attempt,
        "process": window.process,
        "counted": counted,
        "joules": window.energy.joules,
        "seconds": window.energy.seconds,
        "audio_seconds": window.audio_seconds,
        "passes": len(window.latencies),
        "joules_per_audio_second": window.joules_per_audio_second,
        "mean_power_watts": window.energy.mean_power_watts,
        "joules_by_domain": window.energy.by_domain,
        "valid": window.energy.valid,
        "reasons": list(window.energy.reasons),
        "latency_seconds": _distribution(window.latencies),
        "start": _reading_record(window.start),
        "end": _reading_record(window.end),
        "state_before": window.state_before,
        "state_after": window.state_after,
        "disturbances": list(window.disturbances),
    }


def _reading_record(reading: Reading) -> dict[str, Any]:
    return {"utc": reading.utc, "monotonic_seconds": reading.monotonic_seconds, "counters": reading.counters}
