"""The cost of any callable that makes audio, by the protocol of the study, in this process.

found = measure(model, mels, sample_rate=22050)
print(found.joules_per_audio_second, found.real_time_factor, found.source, found.flags)
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.hardware import device_name, device_state, peak_flops_per_second
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.protocol import observe
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.measurement.workload import autocast, memory_enough_for, numeric_precision
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.tables.columns import ENERGY


@dataclass(frozen=True)
class Measurement:
    """What a callable costs; None is what was not measured.

    Attributes:
        joules_per_audio_second: Energy of the device per second of audio.
        half_width: Half the width of its 95 % interval.
        real_time_factor: Seconds of computing per second of audio.
        gflops_per_audio_second: Operations of PyTorch, two per multiply-accumulate.
        source: Where the joules come from: `nvml`, `rapl`, `estimated`, … (`tables/sources.py`).
        device: The name of the hardware.
        flags: What speaks against publishing the numbers, as flag → sentence.
        record: All that was observed, as docs/measurement.md describes it.
    """

    joules_per_audio_second: float | None
    half_width: float | None
    real_time_factor: float
    gflops_per_audio_second: float | None
    source: str
    device: str
    flags: Mapping[str, str]
    record: Mapping[str, Any]


def measure(
    model: Callable[[Tensor], Any],
    mels: Tensor | Sequence[Tensor],
    sample_rate: int,
    device: str = "auto",
    settings: EnergySettings = EnergySettings(),  # noqa: B008 - frozen
    meter: MeterSettings = MeterSettings(),  # noqa: B008 - frozen
    seed: int = 0,
) -> Measurement:
    """Measure energy, time and operations of `model` on `mels`, again and again as `settings` say.

    The default protocol takes seconds and is flagged `short_protocol`; docs/measurement.md gives the settings of
    numbers to publish. It runs in one process: `vocoder-pareto measure` repeats it in several.

    Args:
        model: Gives the audio of a mel-spectrogram: a tensor of waveforms (B, T) or (B, 1, T). A `nn.Module` is moved
            to the device and put in evaluation mode, and stays so.
        mels: One input of `model`, such as (B, M, L), or several of them that are called in turn; moved to the device.
        sample_rate: Samples of the audio per second, at least 1.
        device: auto (a GPU if there is one), cpu, cuda or cuda:N.
        settings: How long and how often; clips, clip_seconds, batch_size and processes do not apply.
        meter: How energy is read.
        seed: Of the lengths of pauses, at least 0.

    Raises:
        UserError: There is no such device or no meter for it, no input, or what `model` gives is no audio.
    """
    resolved = resolve_device(device)
    opened = open_meter(resolved, meter)
    inputs = [mel.to(resolved) for mel in ([mels] if isinstance(mels, Tensor) else mels)]
    if not inputs or isinstance(sample_rate, bool) or not (math.isfinite(sample_rate) and sample_rate >= 1):
        raise UserError(f"measure: {len(inputs)} inputs at sample rate {sample_rate}; at least 1 of each is needed")
    if isinstance(model, nn.Module):
        model = model.to(resolved).eval()
    with torch.no_grad(), numeric_precision(resolved, settings.precision), memory_enough_for(settings, resolved):
        audio_seconds = [_samples(model(mel), mel) / sample_rate for mel in inputs]
        mean_seconds = sum(audio_seconds) / len(inputs)
        settings = replace(settings, processes=1, clips=len(inputs), clip_seconds=mean_seconds, batch_size=1)
        with FlopCounterMode(display=False) as counter:
            model(inputs[0])
        gflops = counter.get_total_flops() / audio_seconds[0] * 1e-9 or None

        def pass_of(mel: Tensor) -> Callable[[], None]:
            def generate() -> None:
                with autocast(resolved, settings.precision):
                    model(mel)

            return generate

        work = Work([pass_of(mel) for mel in inputs], audio_seconds)
        state, draw = lambda: device_state(resolved), random.Random(seed)
        measured = observe(work, opened, settings, clock_of(resolved), state, draw)
    peak = peak_flops_per_second(resolved, settings.precision)
    record = assessed(measured, opened, settings, None if gflops is None else gflops * 1e9, peak)
    return Measurement(
        record[ENERGY],
        record[f"{ENERGY}_ci95"],
        record["real_time_factor"],
        gflops,
        opened.source,
        device_name(resolved),
        record["reasons"],
        {**record, "meter": opened.description()},
    )


def _samples(audio: Any, mel: Tensor) -> int:
    """How many samples a callable gave for the input `mel`, whose first axis is that of the batch if it has three.

    Raises:
        UserError: It gave something else than audio.
    """
    if not isinstance(audio, Tensor) or not audio.is_floating_point() or not audio.numel():
        found = f"{tuple(audio.shape)} of {audio.dtype}" if isinstance(audio, Tensor) else type(audio).__name__
        raise UserError(
            f"measure: the model gives {found}; it must give a tensor of waveforms, (batch, samples) of floating point"
        )
    clips = mel.shape[0] if mel.dim() == 3 else 1
    shape = (1, *audio.shape) if audio.dim() < 2 else tuple(audio.shape)
    if shape not in ((clips, shape[-1]), (clips, 1, shape[-1])):
        raise UserError(
            f"measure: the model gives {tuple(audio.shape)} for an input {tuple(mel.shape)}; one channel is needed for "
            "each clip, (batch, samples) or (batch, 1, samples)"
        )
    if audio.device.type != mel.device.type:
        raise UserError(f"measure: the model gives audio on {audio.device} for an input on {mel.device}; keep it there")
    if not torch.isfinite(audio).all():
        raise UserError("measure: the model gives audio that is infinite or no number; load its weights, or mend it")
    return audio.numel()
