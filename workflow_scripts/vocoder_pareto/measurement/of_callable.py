"""The cost of any callable that makes audio, by the protocol of the study, in this process.

found = measure(model, mels, sample_rate=22050)
print(found.joules_per_audio_second, found.real_time_factor, found.source, found.flags)
"""

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vocoder_pareto.arguments import exit_refused, whole_number
from vocoder_pareto.device import resolve_device
from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.complexity import FLOPS_UNKNOWN
from vocoder_pareto.measurement.hardware import device_name, device_state, peak_flops_per_second
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.protocol import observe
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.measurement.workload import autocast, memory_enough_for, numeric_precision
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_given
from vocoder_pareto.tables.columns import ENERGY

Input = Tensor | np.ndarray


@dataclass(frozen=True)
class Measurement:
    """What a callable costs; None is what was not measured.

    Attributes:
        joules_per_audio_second: Energy of the device per second of audio.
        half_width: Half the width of its 95 % interval.
        real_time_factor: Seconds of computing per second of audio.
        gflops_per_audio_second: Operations of PyTorch, two per multiply-accumulate; None where it did none that is
            counted, as of work in NumPy, and `flops_unknown` says so.
        source: Where the joules come from: `nvml`, `rapl`, `estimated`, … (`tables/sources.py`).
        device: The name of the hardware.
        flags: What speaks against publishing the numbers, as flag → sentence.
        record: All that was observed, as docs/measurement.md describes it.
        flops_unknown: Why there are no FLOPs; None where there are.
    """

    joules_per_audio_second: float | None
    half_width: float | None
    real_time_factor: float
    gflops_per_audio_second: float | None
    source: str
    device: str
    flags: Mapping[str, str]
    record: Mapping[str, Any]
    flops_unknown: str | None = None


def measure(
    model: Callable[[Tensor], Any],
    mels: Input | Sequence[Input],
    sample_rate: int,
    device: str | torch.device = "auto",
    settings: EnergySettings | Mapping[str, Any] = EnergySettings(),  # noqa: B008 - frozen
    meter: MeterSettings | Mapping[str, Any] = MeterSettings(),  # noqa: B008 - frozen
    seed: int = 0,
) -> Measurement:
    """Measure energy, time and operations of `model` on `mels`, again and again as `settings` say.

    The default protocol takes seconds and is flagged `short_protocol`; docs/measurement.md gives the settings of
    numbers to publish. It runs in one process: `vocoder-pareto measure` repeats it in several.

    Args:
        model: Gives the audio of a mel-spectrogram: a tensor of waveforms (B, T) or (B, 1, T). A `nn.Module` is moved
            to the device and put in evaluation mode, and stays so.
        mels: One input of `model`, such as (B, M, L), or several of them that are called in turn; moved to the device.
            An array of NumPy becomes a tensor, and its floats PyTorch's default type. For each input the model must
            give as many samples at every call.
        sample_rate: Samples of the audio per second, at least 1.
        device: auto (a GPU if there is one), cpu, cuda or cuda:N, or a torch.device.
        settings: How long and how often, or a dict of what differs from the defaults; clips, clip_seconds, batch_size
            and processes do not apply.
        meter: How energy is read, or a dict of what differs from the defaults.
        seed: Of the lengths of pauses, at least 0.

    Raises:
        UserError: An argument is not as it must be, there is no such device or no meter for it, or what `model` gives
            is no audio, or audio of another length than before. What `model` raises stays as it is.
    """
    if not callable(model):
        raise UserError(f"model: {model!r} is not allowed; give a function or a network that turns a tensor into audio")
    rate, seed = whole_number(sample_rate, "sample_rate", 1), whole_number(seed, "seed", 0)
    settings = settings_given(EnergySettings, settings, "settings")
    resolved, meter = resolve_device(device), settings_given(MeterSettings, meter, "meter")
    inputs = [each.to(resolved) for each in _tensors(mels)]
    opened = open_meter(resolved, meter)
    if isinstance(model, nn.Module):
        model = model.to(resolved).eval()
    with (
        torch.no_grad(),
        numeric_precision(resolved, settings.precision),
        memory_enough_for(settings, resolved),
        exit_refused("measure: the model"),
    ):
        shapes = [_shape_of_audio(model(mel), mel) for mel in inputs]
        audio_seconds = [math.prod(shape) / rate for shape in shapes]
        mean_seconds = sum(audio_seconds) / len(inputs)
        settings = replace(settings, processes=1, clips=len(inputs), clip_seconds=mean_seconds, batch_size=1)
        with FlopCounterMode(display=False) as counter:
            model(inputs[0])
        gflops = counter.get_total_flops() / audio_seconds[0] * 1e-9 or None

        def pass_of(mel: Tensor, shape: torch.Size) -> Callable[[], None]:
            def generate() -> None:
                with autocast(resolved, settings.precision):
                    audio = model(mel)
                if getattr(audio, "shape", None) != shape:
                    raise UserError(
                        f"measure: the model gave {tuple(shape)} for an input {tuple(mel.shape)}, and at a later call "
                        f"{_found(audio)}; joules per second of audio need the same length at every call"
                    )

            return generate

        work = Work([pass_of(*each) for each in zip(inputs, shapes, strict=True)], audio_seconds)
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
        FLOPS_UNKNOWN if gflops is None else None,
    )


def _tensors(mels: Any) -> list[Tensor]:
    """The inputs of a callable.

    Raises:
        UserError: There is none, or one is neither a tensor nor an array of numbers.
    """
    several = list(mels) if isinstance(mels, list | tuple) else [mels]
    if not several:
        raise UserError(f"mels: {mels!r} is not allowed; give at least one input, such as (batch, bands, frames)")
    return [_tensor(each) for each in several]


def _tensor(mel: Any) -> Tensor:
    if isinstance(mel, np.ndarray) and mel.dtype.kind in "biufc":
        made = torch.from_numpy(np.ascontiguousarray(mel))
        mel = made.to(torch.get_default_dtype()) if made.is_floating_point() else made
    if not isinstance(mel, Tensor):
        kind = f"an array of {mel.dtype}" if isinstance(mel, np.ndarray) else f"{type(mel).__name__} {mel!r:.40}"
        raise UserError(f"mels: {kind} is not allowed; give a tensor or an array of numbers, or a list of them")
    return mel


def _shape_of_audio(audio: Any, mel: Tensor) -> torch.Size:
    """The shape of what a callable gave for the input `mel`, whose first axis is that of the batch if it has three.

    Raises:
        UserError: It gave something else than audio.
    """
    if not isinstance(audio, Tensor) or not audio.is_floating_point() or not audio.numel():
        raise UserError(
            f"measure: the model gives {_found(audio)}; it must give a tensor of waveforms, (batch, samples) of "
            "floating point"
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
    return audio.shape


def _found(audio: Any) -> str:
    return f"{tuple(audio.shape)} of {audio.dtype}" if isinstance(audio, Tensor) else type(audio).__name__
