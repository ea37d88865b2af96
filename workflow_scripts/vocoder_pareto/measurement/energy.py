"""The record of what a system costs on this hardware: energy, power, time, memory, and how far to trust them."""

import random
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vocoder_pareto.intervals import mean_with_interval
from vocoder_pareto.measurement import bounds as physical
from vocoder_pareto.measurement.clocks import clock_of
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
from vocoder_pareto.measurement.protocol import Measured, Window, measure_window, observe
from vocoder_pareto.measurement.workload import input_batches, memory_enough_for, numeric_precision, prepared_work
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.systems import SystemSettings

WEIGHTS_NOTE = "Energy depends on the architecture, not on the values of the weights: brief training does not bias it."
_OTHERS_AT_MOST = 0.5  # cores busy with other programs
_NORMAL = {"power_cap"}  # the reason for a lower clock that a GPU at full load has anyway


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


def measure_energy(
    subject: Subject, settings: EnergySettings, meter: Meter, device: torch.device, seed: int
) -> dict[str, Any]:
    """Measure `subject` on `device`, which nobody else uses meanwhile.

    Returns:
        The content of `measurements/energy/{system}.json`.

    Raises:
        OutOfMemory: the batch is too large for the device.
        UnsupportedPrecision: the device does not compute so.
    """
    system = subject.system
    frames = max(1, round(settings.clip_seconds * system.sample_rate / system.hop_length))
    audio_seconds = frames * system.hop_length / system.sample_rate
    with numeric_precision(device, settings.precision), memory_enough_for(settings, device):
        vocoder = subject.vocoder.to(device).prepare_for_inference()
        batches = input_batches(subject.mels, frames, settings.clips, settings.batch_size)
        work = prepared_work(vocoder, batches, settings, seed, audio_seconds)
        memory = PeakMemory(device)
        clock = clock_of(device)
        measured = observe(work, meter, settings, clock, lambda: device_state(device), random.Random(seed))
        peak_memory_bytes = memory.bytes()
        cross_check = None
        if settings.cross_check == "zeus":
            cross_check = window_checked_by_zeus(lambda: measure_window(work, meter, settings, clock), device)
    record = {
        "system": system.name,
        "model": system.model,
        "size": system.size,
        "device": device_name(device),
        "peak_memory_bytes": peak_memory_bytes,
        "peak_memory_method": memory.method,
        **weights_of(subject),
        "note": WEIGHTS_NOTE,
        "protocol": {
            **settings.protocol(),
            "batch_frames": frames,
            "audio_seconds_per_clip": audio_seconds,
            "seed": seed,
            "compile": False,
            "weight_norm": "folded",
            "weights_dtype": str(next(vocoder.parameters()).dtype).removeprefix("torch."),
            "warmup_passes_done": measured.warmup_passes,
            "warmup_stable": measured.stable,
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
    windows = [window for window in measured.counted if window.energy.valid]
    idle = None if meter.is_estimate else _idle_power(measured.idle)  # an estimate knows nothing of idle power
    limits = physical.Bounds(idle, meter.power_limit_watts, peak_flops_per_second)
    flags = _flags(measured, meter, settings)
    result: dict[str, Any] = dict.fromkeys(_NUMBERS)
    efficiency = None
    if windows:
        seconds = sum(window.energy.seconds for window in windows)
        power = sum(_known(window.energy.joules for window in windows)) / seconds
        gross = mean_with_interval(_known(window.joules_per_audio_second for window in windows))
        result |= {
            "energy_joules_per_audio_second": gross.mean,
            "energy_joules_per_audio_second_ci95": gross.half_width,
            "energy_joules_per_audio_second_degrees_of_freedom": len(windows) - 1 or None,
            "net_energy_joules_per_audio_second": _net(windows, idle),
            "mean_power_watts": power,
        }
        if flops_per_audio_second is not None and gross.mean > 0:
            efficiency = flops_per_audio_second / gross.mean
        flags |= physical.violations(limits, power, efficiency)
        if gross.relative is not None and gross.relative > settings.max_relative_interval:
            flags["wide_interval"] = (
                f"the 95 % interval is ±{gross.relative:.1%} of the mean, wanted ±{settings.max_relative_interval:.1%}"
            )
    counted = measured.counted
    latencies = [latency for window in counted for latency in window.latencies]
    if flags:
        flags["not_publishable"] = "; ".join(flags.values())
    return result | {
        "energy_source": meter.source,
        "idle_power_watts": idle,
        "real_time_factor": sum(window.energy.seconds for window in counted)
        / sum(window.audio_seconds for window in counted),
        "latency_seconds": _distribution(latencies),
        "publishable": not flags,
        "flags": list(flags),
        "reasons": flags,
        "bounds": physical.record(limits, efficiency),
        "idle": [asdict(each) for each in measured.idle],
        "windows": [_window_record(window) for window in measured.windows],
    }


_NUMBERS = (
    "energy_joules_per_audio_second",
    "energy_joules_per_audio_second_ci95",
    "energy_joules_per_audio_second_degrees_of_freedom",
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


def _net(windows: Sequence[Window], idle: float | None) -> float | None:
    """The joules per audio second above idle."""
    if idle is None:
        return None
    gross = statistics.fmean(_known(window.joules_per_audio_second for window in windows))
    return gross - idle * statistics.fmean(window.energy.seconds / window.audio_seconds for window in windows)


def _flags(measured: Measured, meter: Meter, settings: EnergySettings) -> dict[str, str]:
    flags = {}
    if settings.shortfalls():
        flags["short_protocol"] = f"shorter than the full protocol: {', '.join(settings.shortfalls())}"
    flags |= meter.flags
    invalid = [reason for window in measured.counted if not window.energy.valid for reason in window.energy.reasons]
    if invalid:
        flags["invalid_window"] = "; ".join(dict.fromkeys(invalid))
    if measured.stable is False:
        flags["unstable_warm_up"] = f"the time of a pass had not settled after {measured.warmup_passes} passes"
    if settings.idle_seconds > 0 and not meter.is_estimate and not any(each.valid for each in measured.idle):
        flags["no_idle_power"] = "idle power could not be measured"
    states = [state for window in measured.counted for state in (window.state_before, window.state_after)]
    processes = max(len(state.get("processes", [])) for state in states)
    if processes > 1:
        flags["other_processes"] = f"{processes - 1} other processes were on the GPU"
    busy = max(map(_busy_with_others, measured.counted))
    if busy > _OTHERS_AT_MOST:
        flags["busy_machine"] = f"other programs kept {busy:.2g} CPU cores busy during a window"
    throttled = sorted({reason for state in states for reason in state.get("throttle_reasons") or []} - _NORMAL)
    if throttled:
        flags["throttled"] = f"the GPU lowered its clocks: {', '.join(throttled)}"
    return flags


def _busy_with_others(window: Window) -> float:
    """The mean number of cores that other programs kept busy during a window; 0 where that is not known."""
    before, after = window.state_before, window.state_after
    machine, own = (after.get(name, 0.0) - before.get(name, 0.0) for name in ("machine_cpu_seconds", "own_cpu_seconds"))
    return (machine - own) / window.energy.seconds


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


def _window_record(window: Window) -> dict[str, Any]:
    return {
        "attempt": window.attempt,
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
    }


def _reading_record(reading) -> dict[str, Any]:
    return {"utc": reading.utc, "monotonic_seconds": reading.monotonic_seconds, "counters": reading.counters}
