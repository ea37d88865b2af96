"""The record of what a system costs on this hardware: energy, power, time, memory, and how far to trust them."""

import logging
import random
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.clip_files import frames_of
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
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.measurement.protocol import Measured, Window, joined, measure_window, observe
from vocoder_pareto.measurement.workload import input_batches, memory_enough_for, numeric_precision, prepared_work
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.models.waveforms import require_sound
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.systems import SystemSettings

log = logging.getLogger(__name__)

SOUND_FRAMES = 16  # enough to hear that something is wrong

WEIGHTS_NOTE = (
    "What is computed depends on the architecture, not on the values of the weights; "
    "the power of a device may depend on them too (docs/measurement.md)."
)


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


FirstPart = Measured | dict[str, Any]


def measure_in_processes(
    open_bench: Callable[[], Bench], settings: EnergySettings, seed: int, first: FirstPart | None = None
) -> dict[str, Any]:
    """Measure in `settings.processes` processes, one after the other; the last one writes the record of all.

    Args:
        open_bench: is called in each of them, which loads everything anew. This process must not compute nor use an
            accelerator before: then OpenMP and CUDA start in each as if it were the first.
        settings: say how long and how often.
        seed: decides noise and pauses.
        first: is what a first process measured already, see `measure_first`.

    Returns:
        See `measure_energy`.
    """
    if isinstance(first, dict):
        return first
    earlier = [] if first is None else [first]
    while len(earlier) < settings.processes - 1:
        earlier.append(in_own_process(_observed_at, open_bench, settings, seed, earlier))
    return in_own_process(_record_at, open_bench, settings, seed, earlier)


def measure_first(bench: Bench, settings: EnergySettings, seed: int) -> FirstPart:
    """What the first process of `measure_in_processes` measures: its part, or the record where it is the only one."""
    if settings.processes == 1:
        return measure_energy(bench.subject, settings, bench.meter, bench.device, seed)
    return _observe(bench.subject, settings, bench.meter, bench.device, seed, ()).measured


def _observed_at(
    open_bench: Callable[[], Bench], settings: EnergySettings, seed: int, earlier: Sequence[Measured]
) -> Measured:
    bench = open_bench()
    return _observe(bench.subject, settings, bench.meter, bench.device, seed, earlier).measured


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
    one_window_more: Callable[[AbstractContextManager], Window]


def _observe(
    subject: Subject,
    settings: EnergySettings,
    meter: Meter,
    device: torch.device,
    seed: int,
    earlier: Sequence[Measured],
) -> _Observation:
    system = subject.system
    frames = frames_of(settings.clip_seconds, system.sample_rate, system.hop_length)
    audio_seconds = frames * system.hop_length / system.sample_rate
    if settings.shortfalls() and not earlier:
        log.warning("%s: the protocol is short: %s", system.name, ", ".join(settings.shortfalls()))
    with numeric_precision(device, settings.precision), memory_enough_for(settings, device):
        vocoder = subject.vocoder.to(device).prepare_for_inference()
        batches = input_batches(subject.mels, frames, settings.clips, settings.batch_size)
        _require_sound(subject, vocoder, batches[0])
        work = prepared_work(vocoder, batches, settings, seed, audio_seconds)
        memory = PeakMemory(device)
        clock = clock_of(device)
        draw = random.Random(f"{seed} {len(earlier)}")
        measured = observe(work, meter, settings, clock, lambda: device_state(device), draw, earlier)
        return _Observation(
            measured,
            frames,
            audio_seconds,
            str(vocoder.like.dtype).removeprefix("torch."),
            memory.bytes(),
            memory.method,
            lambda beside: measure_window(work, meter, settings, clock, beside=beside),
        )


def _require_sound(subject: Subject, vocoder: Vocoder, batch: Tensor) -> None:
    """Refuse what generates no audio, by some frames of it; random weights need not, since their cost is the same."""
    if subject.checkpoint_digest is not None and subject.training.get("steps") != 0:
        some = batch[:1, :, :SOUND_FRAMES].to(vocoder.like.device)
        require_sound(vocoder.synthesize(some), vocoder.name)


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
        UnusableAudio: what it generates is no audio, see `waveforms`.
    """
    system = subject.system
    own = _observe(subject, settings, meter, device, seed, earlier)
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
            "n_mels": system.n_mels,
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
