"""The record of what a system costs on this hardware: energy, power, time, memory, and how far to trust them."""

import logging
import random
import statistics
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vocoder_pareto.measurement import bounds as physical
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.combination import Combined, combined, drift
from vocoder_pareto.measurement.cross_check import window_checked_by_zeus
from vocoder_pareto.measurement.digests import system_digest
from vocoder_pareto.measurement.hardware import (
    PeakMemory,
    device_name,
    device_state,
    hardware_description,
    peak_flops_per_second,
    software_description,
)
from vocoder_pareto.measurement.meter import Energy, Meter
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.measurement.protocol import Measured, Window, joined, lacks_clean, measure_window, observe
from vocoder_pareto.measurement.waiting_threads import threads_spin
from vocoder_pareto.measurement.workload import input_batches, memory_enough_for, numeric_precision, prepared_work
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.systems import SystemSettings

log = logging.getLogger(__name__)

WEIGHTS_NOTE = "Energy depends on the architecture, not on the values of the weights: brief training does not bias it."


@dataclass(frozen=True)
class Subject:
    """What is measured.

    Attributes:
        vocoder: lies on the CPU, as it was loaded.
        system: says which architecture and sampling it has.
        training: is what its checkpoint says of its training.
        flops_per_audio_second: is its exact count; None leaves the bound of FLOPs per joule out.
        mels: mel-spectrograms (M, any number of frames) that the clips are cut from.
        checkpoint_digest: SHA-256 of the weights' file; None for random weights.
    """

    vocoder: Vocoder
    system: SystemSettings
    training: Mapping[str, Any]
    flops_per_audio_second: float | None
    mels: np.ndarray
    checkpoint_digest: str | None = None


@dataclass(frozen=True)
class Bench:
    """A subject on the device that does its work, and the meter of that device."""

    subject: Subject
    meter: Meter
    device: torch.device


def measure_in_processes(open_bench: Callable[[], Bench], settings: EnergySettings, seed: int) -> dict[str, Any]:
    """Measure in `settings.processes` processes, one after the other; the last one writes the record of all.

    Args:
        open_bench: is called in each of them, which loads everything anew. This process must not compute nor use an
            accelerator before: then OpenMP and CUDA start in each as if it were the first.
        settings: say how long and how often.
        seed: decides noise and pauses.

    Returns:
        See `measure_energy`.
    """
    earlier: list[Measured] = []
    while len(earlier) < settings.processes - 1:
        earlier.append(in_own_process(_observed_at, open_bench, settings, seed, len(earlier)))
    return in_own_process(_record_at, open_bench, settings, seed, earlier)


def _observed_at(open_bench: Callable[[], Bench], settings: EnergySettings, seed: int, process: int) -> Measured:
    bench = open_bench()
    return _observe(bench.subject, settings, bench.meter, bench.device, seed, process).measured


def _record_at(
    open_bench: Callable[[], Bench], settings: EnergySettings, seed: int, earlier: Sequence[Measured]
) -> dict[str, Any]:
    bench = open_bench()
    return measure_energy(bench.subject, settings, bench.meter, bench.device, seed, earlier)


@dataclass(frozen=True)
class _Observation:
    """What this process observed of a subject, and how."""

    measured: Measured
    frames: int
    audio_seconds_per_clip: float
    weights_dtype: str
    peak_memory_bytes: int | None
    peak_memory_method: str
    one_window_more: Callable[[], Window]


def _observe(
    subject: Subject, settings: EnergySettings, meter: Meter, device: torch.device, seed: int, process: int
) -> _Observation:
    system = subject.system
    frames = max(1, round(settings.clip_seconds * system.sample_rate / system.hop_length))
    audio_seconds = frames * system.hop_length / system.sample_rate
    if settings.shortfalls() and process == 0:
        log.warning("%s: the protocol is short: %s", system.name, ", ".join(settings.shortfalls()))
    with numeric_precision(device, settings.precision), memory_enough_for(settings, device):
        vocoder = subject.vocoder.to(device).prepare_for_inference()
        batches = input_batches(subject.mels, frames, settings.clips, settings.batch_size)
        work = prepared_work(vocoder, batches, settings, seed, audio_seconds)
        memory = PeakMemory(device)
        clock = clock_of(device)
        draw = random.Random(f"{seed} {process}")
        measured = observe(work, meter, settings, clock, lambda: device_state(device), draw)
        return _Observation(
            measured,
            frames,
            audio_seconds,
            str(next(vocoder.parameters()).dtype).removeprefix("torch."),
            memory.bytes(),
            memory.method,
            lambda: measure_window(work, meter, settings, clock),
        )


def measure_energy(
    subject: Subject,
    settings: EnergySettings,
    meter: Meter,
    device: torch.device,
    seed: int,
    earlier: Sequence[Measured] = (),
) -> dict[str, Any]:
    """Measure `subject` in this process on `device`, which nobody else uses meanwhile.

    Args:
        subject: is measured.
        settings: say how long and how often.
        meter: is that of `device`.
        device: does the work.
        seed: decides noise and pauses.
        earlier: is what other processes observed of the same subject; their windows join.

    Returns:
        The content of `measurements/energy/{system}.json`.

    Raises:
        OutOfMemory: the batch is too large for the device.
        UnsupportedPrecision: the device does not compute so.
    """
    system = subject.system
    own = _observe(subject, settings, meter, device, seed, len(earlier))
    measured = joined([*earlier, own.measured])
    cross_check = None
    if settings.cross_check == "zeus":
        cross_check = window_checked_by_zeus(own.one_window_more, device)
    record = {
        "system": system.name,
        "model": system.model,
        "size": system.size,
        "device": device_name(device),
        "peak_memory_bytes": own.peak_memory_bytes,
        "peak_memory_method": own.peak_memory_method,
        **weights_of(subject),
        "note": WEIGHTS_NOTE,
        "protocol": {
            **settings.protocol(),
            "batch_frames": own.frames,
            "audio_seconds_per_clip": own.audio_seconds_per_clip,
            "seed": seed,
            "compile": False,
            "weight_norm": "folded",
            "weights_dtype": own.weights_dtype,
            "warmup_passes_done": measured.warmup_passes,
            "warmup_stable": measured.stable,
            "warmup_power_stable": measured.power_stable,
            "processes_done": len(measured.processes),
        },
        "settings": {
            "architecture": dict(system.architecture),
            "sampling": dict(system.sampling),
            "digest": system_digest(system),
        },
        "meter": meter.description(),
        "cross_check": cross_check,
        "hardware": hardware_description(device),
        "software": software_description(Path(__file__).parent),
    }
    peak = peak_flops_per_second(device, settings.precision)
    return record | assessed(measured, meter, settings, subject.flops_per_audio_second, peak)


def weights_of(subject: Subject) -> dict[str, Any]:
    """What a record says of the weights that were measured."""
    training = {"steps": subject.training.get("steps"), "seconds": subject.training.get("seconds")}
    return {"training": training, "checkpoint_digest": subject.checkpoint_digest}


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


def _combined(windows: Sequence[Window], value: Callable[[Window], float | None], settings: EnergySettings) -> Combined:
    """One number from those of `windows`, by process."""
    numbers = sorted({window.process for window in windows})
    processes = [_known(value(window) for window in windows if window.process == number) for number in numbers]
    return combined(processes, settings.max_relative_interval, settings.process_spread)


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
    if invalid:
        flags["invalid_window"] = "; ".join(dict.fromkeys(invalid))
    if measured.stable is False:
        flags["unstable_warm_up"] = f"the time of a pass had not settled after {measured.warmup_passes} passes"
    elif measured.power_stable is False:
        flags["unstable_warm_up"] = f"power had not settled after {measured.warmup_passes} passes"
    if settings.idle_seconds > 0 and not meter.is_estimate and not any(each.valid for each in measured.idle):
        flags["no_idle_power"] = "idle power could not be measured"
    for window in lacking:
        flags |= window.disturbances
    return flags


def _flags_of_spread(measured: Measured, gross: Combined, settings: EnergySettings) -> dict[str, str]:
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


def _reading_record(reading) -> dict[str, Any]:
    return {"utc": reading.utc, "monotonic_seconds": reading.monotonic_seconds, "counters": reading.counters}
