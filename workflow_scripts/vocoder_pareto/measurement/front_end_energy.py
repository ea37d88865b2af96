"""What a front end costs per second of audio: its own energy and time, which those of vocoders leave out.

Waveforms lie on the device at its sample rate, and become what a vocoder takes in. Resampling of recordings is no part.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vocoder_pareto.audio.dataset import clips_of, open_array, read_clip_table
from vocoder_pareto.audio.features import features, min_max_normalized, ranges_of
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.hardware import (
    device_name,
    device_state,
    hardware_description,
    software_description,
)
from vocoder_pareto.measurement.meter import Meter, open_meter
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.measurement.protocol import Measured, joined, observe
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.measurement.workload import input_batches, memory_enough_for, numeric_precision
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import plain


@dataclass(frozen=True)
class FrontEndBench:
    """A front end with what it is fed with, and the meter of the device that computes it.

    Attributes:
        name: The name of the front end.
        front_end: Its settings.
        audio: Recordings one after the other, (T,) float32 at its sample rate.
        meter: That of `device`.
        device: What computes.
    """

    name: str
    front_end: FrontEndSettings
    audio: np.ndarray
    meter: Meter
    device: torch.device


def bench_with_recordings(
    name: str,
    front_end: FrontEndSettings,
    clips: Path,
    clip_table: Path,
    meter_settings: MeterSettings,
    device: str,
) -> FrontEndBench:
    """What `measure_front_end` opens: the clips of the test set, and the open meter of `device`.

    Raises:
        UserError: A file is missing or damaged, or the device or its meter is not there.
    """
    resolved = resolve_device(device)
    table = read_clip_table(clip_table)
    samples = open_array(clips, (len(table), None), "prepare_clips")
    test = clips_of(table, "test")
    if not test:
        raise UserError(f"{clip_table}: no clip of the test set; enlarge the corpus")
    audio = np.concatenate([samples[clip.row] for clip in test])
    return FrontEndBench(name, front_end, audio, open_meter(resolved, meter_settings), resolved)


def measure_front_end(open_bench: Callable[[], FrontEndBench], settings: EnergySettings, seed: int) -> dict[str, Any]:
    """Measure in `settings.processes` processes, one after the other, by the protocol that vocoders are measured by.

    Args:
        open_bench: Is called in each of them. This process must not compute nor use an accelerator before.
        settings: Say how long and how often.
        seed: Decides the pauses.

    Returns:
        The content of `measurements/front_ends/{front_end}.json`.
    """
    earlier: list[Measured] = []
    while len(earlier) < settings.processes - 1:
        earlier.append(in_own_process(_observed, open_bench, settings, seed, earlier))
    return in_own_process(_record, open_bench, settings, seed, earlier)


def _record(
    open_bench: Callable[[], FrontEndBench], settings: EnergySettings, seed: int, earlier: Sequence[Measured]
) -> dict[str, Any]:
    bench = open_bench()
    measured = joined([*earlier, _observe(bench, settings, seed, earlier)])
    record = {
        "front_end": bench.name,
        "settings": plain(bench.front_end),
        "device": device_name(bench.device),
        "protocol": {**settings.protocol(), "seed": seed, "processes_done": len(measured.processes)},
        "meter": bench.meter.description(),
        "hardware": hardware_description(bench.device),
        "software": software_description(Path(__file__).parent),
    }
    return record | assessed(measured, bench.meter, settings, None, None)


def _observed(
    open_bench: Callable[[], FrontEndBench], settings: EnergySettings, seed: int, earlier: Sequence[Measured]
) -> Measured:
    return _observe(open_bench(), settings, seed, earlier)


def _observe(bench: FrontEndBench, settings: EnergySettings, seed: int, earlier: Sequence[Measured]) -> Measured:
    with numeric_precision(bench.device, settings.precision), memory_enough_for(settings, bench.device):
        work = work_of_front_end(bench.front_end, bench.audio, settings, bench.device)
        draw = Random(f"{seed} {len(earlier)}")
        clock = clock_of(bench.device)
        return observe(work, bench.meter, settings, clock, lambda: device_state(bench.device), draw, earlier)


def work_of_front_end(
    front_end: FrontEndSettings, audio: np.ndarray, settings: EnergySettings, device: torch.device
) -> Work:
    """The unit of work: clips of `settings.clip_seconds`, of whole frames, cut from `audio` (T,)."""
    frames = max(1, round(settings.clip_seconds * front_end.sample_rate / front_end.hop_length))
    cut = input_batches(audio[None], frames * front_end.hop_length, settings.clips, settings.batch_size)
    batches = [batch[:, 0].to(device) for batch in cut]
    return Work(
        passes=[_pass(front_end, batch) for batch in batches],
        audio_seconds=[batch.numel() / front_end.sample_rate for batch in batches],
    )


def _pass(front_end: FrontEndSettings, audio: Tensor) -> Callable[[], None]:
    @torch.inference_mode()
    def compute() -> None:
        values = features(audio, front_end)
        if front_end.has_range:
            min_max_normalized(values, ranges_of(values))

    return compute
