"""What a front end costs per second of audio: its own energy and time, which those of vocoders leave out.

Waveforms lie on the device at its sample rate, and become what a vocoder takes in. Resampling of recordings is no part.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vocoder_pareto.audio.features import features, min_max_normalized, ranges_of
from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.clip_files import frames_of, open_energy_clips
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.measurement.work_energy import WorkBench
from vocoder_pareto.measurement.workload import input_batches
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import plain


def bench_with_recordings(
    name: str,
    front_end: FrontEndSettings,
    clips: Path,
    meter_settings: MeterSettings,
    device: str,
) -> WorkBench:
    """What `measure_work` opens for `measurements/front_ends/{front_end}.json`: recordings and the meter.

    Args:
        name: The name of the front end.
        front_end: Its settings.
        clips: The clips.npy of `cut_energy_clips`.
        meter_settings: How energy is read.
        device: One of auto, cpu, cuda and cuda:N.

    Raises:
        UserError: A file is missing or damaged, or the device or its meter is not there.
    """
    resolved = resolve_device(device)
    audio = open_energy_clips(clips, None).reshape(-1)
    return WorkBench(
        identity={"front_end": name, "settings": plain(front_end)},
        work_of=lambda settings: work_of_front_end(front_end, audio, settings, resolved),
        meter=open_meter(resolved, meter_settings),
        device=resolved,
    )


def work_of_front_end(
    front_end: FrontEndSettings, audio: np.ndarray, settings: EnergySettings, device: torch.device
) -> Work:
    """The unit of work: clips of `settings.clip_seconds`, of whole frames, cut from `audio` (T,)."""
    frames = frames_of(settings.clip_seconds, front_end.sample_rate, front_end.hop_length)
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
