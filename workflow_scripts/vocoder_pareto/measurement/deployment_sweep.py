"""Energy of one system in other forms than PyTorch's, and chunk by chunk as a stream: each in a process of its own.

Both start from the same measurement of `generate` in float32 by PyTorch. What another form does to the audio is D_STFT
between its audio and that of PyTorch, of the same weights, input and noise. Since D_STFT is the mean of absolute
differences, the D_STFT of a system against recordings changes by no more than that. It is small for what is soft, as
the audio of weights without training; beside it stands the difference over the audio, root mean squares both, which
does not depend on loudness.

A process of its own keeps the threads of one runtime from those of another, and its memory. What ONNX Runtime runs is
exported before, once for all its forms, by a process that may take all memory or time without doing harm to more.
"""

import logging
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.measurement.clip_files import frames_of
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.measurement.deployment import ONNX_FORMS, InChunks, OfOnnxRuntime, UnsupportedForm, in_form
from vocoder_pareto.measurement.energy import Bench, measure_energy
from vocoder_pareto.measurement.own_process import ProcessEndedError, in_own_process, in_own_process_within
from vocoder_pareto.measurement.workload import OutOfMemory, input_batches, numeric_precision
from vocoder_pareto.models.diffusion import DiffusionVocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.study.sections.measurement import BASE_FORM, DeploymentForm, DeploymentSettings, EnergySettings
from vocoder_pareto.tables.csv_files import write_csv

log = logging.getLogger(__name__)

SYSTEM_COLUMNS = ("system", "model", "size")
RESULT_COLUMNS = (
    "energy_joules_per_audio_second", "energy_joules_per_audio_second_ci95", "mean_power_watts", "real_time_factor",
    "energy_source", "device", "publishable", "estimated_watts_per_core", "flags", "refused",
)  # fmt: skip
CHANGE_COLUMNS = ("d_stft_to_float32", "relative_difference_to_float32")
FORM_COLUMNS = (*SYSTEM_COLUMNS, "form", *CHANGE_COLUMNS, *RESULT_COLUMNS)
CHUNK_COLUMNS = (
    *SYSTEM_COLUMNS, "chunk_frames", "context_frames", "awaited_seconds", "first_audio_seconds", *RESULT_COLUMNS,
)  # fmt: skip
FIRST_CHUNKS = 5  # calls whose median is the time to first audio

OpenBench = Callable[[], Bench]


@dataclass(frozen=True)
class _Measured:
    """What a process hands back: its row, and the audio (clips, T) where it may be compared."""

    row: dict[str, Any]
    audio: np.ndarray | None = None


def sweep_forms(
    open_bench: OpenBench, settings: EnergySettings, deployment: DeploymentSettings, seed: int
) -> list[dict[str, Any]]:
    """Measure the subject in PyTorch's float32, then in each form of `deployment`: a row each, in `FORM_COLUMNS`.

    Args:
        open_bench: Called in each process; this one must not compute, see `measure_in_processes`.
        settings: The protocol. It is done by one process, in float32.
        deployment: The forms.
        seed: Decides noise and pauses.

    Returns:
        Rows. A form that is not to be had has no numbers, and the reason in `refused`.
    """
    settings = replace(settings, precision="float32", processes=1)
    base = in_own_process(_measured_form, open_bench, BASE_FORM, settings, seed)
    rows = [base.row | dict.fromkeys(CHANGE_COLUMNS, 0.0)]
    with TemporaryDirectory() as folder:
        why_not = ""
        if set(deployment.forms) & set(ONNX_FORMS):
            why_not = _why_not_exported(open_bench, settings, deployment, Path(folder))
        for form in deployment.forms:
            try:
                if form in ONNX_FORMS and why_not:
                    raise UnsupportedForm(why_not)
                other = in_own_process(_measured_form, open_bench, form, settings, seed, Path(folder))
            except UserError as error:  # as where its process was killed
                log.warning("%s, %s: %s", base.row["system"], form, error)
                of_system = {name: base.row[name] for name in SYSTEM_COLUMNS}
                other = _Measured(of_system | {"form": form, "refused": str(error)})
            rows.append(other.row | _change(base.audio, other.audio))
    return rows


def sweep_chunks(
    open_bench: OpenBench, settings: EnergySettings, deployment: DeploymentSettings, seed: int
) -> list[dict[str, Any]]:
    """Measure the subject chunk by chunk, for each length of `deployment`: a row each, in `CHUNK_COLUMNS`.

    A clip lasts for the longest chunk and its context at least. `first_audio_seconds` is how long the first chunk takes
    once its frames are there, and `awaited_seconds` how long these last: where a mel-spectrogram comes in as it is
    spoken, audio begins after both. Arguments as for `sweep_forms`.
    """
    settings = replace(settings, precision="float32", processes=1)
    return [
        in_own_process(_measured_chunks, open_bench, chunk_frames, settings, max(deployment.chunk_frames), seed)
        for chunk_frames in deployment.chunk_frames
    ]


def write_forms(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `measurements/deployment/{system}.csv`; what was not measured is an empty cell."""
    write_csv(path, FORM_COLUMNS, ([row.get(name) for name in FORM_COLUMNS] for row in rows))


def write_chunks(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `measurements/streaming/{system}.csv`; what was not measured is an empty cell."""
    write_csv(path, CHUNK_COLUMNS, ([row.get(name) for name in CHUNK_COLUMNS] for row in rows))


def _why_not_exported(
    open_bench: OpenBench, settings: EnergySettings, deployment: DeploymentSettings, folder: Path
) -> str:
    """Export the subject into `folder` for the shapes of its clips → why that did not work; empty if it did."""
    try:
        in_own_process_within(60 * deployment.max_export_minutes, _export, open_bench, settings, folder)
    except ProcessEndedError as error:
        return f"its export as ONNX: {error}"
    except UserError as error:
        return str(error)
    return ""


def _export(open_bench: OpenBench, settings: EnergySettings, folder: Path) -> None:
    bench = open_bench()
    form = OfOnnxRuntime(bench.subject.vocoder, folder=folder).prepare_for_inference()
    for batch_size in {settings.batch_size, 1}:
        for batch in _batches(bench, settings, batch_size):
            form.export(batch, folder)


def _measured_form(
    open_bench: OpenBench, form: DeploymentForm, settings: EnergySettings, seed: int, folder: Path | None = None
) -> _Measured:
    bench = open_bench()
    vocoder = in_form(bench.subject.vocoder, form, folder)
    row = _of_system(bench) | {"form": form}
    try:
        row |= _measured(bench, vocoder, settings, seed)
        return _Measured(row, _audio(bench, vocoder, settings, seed))
    except (UnsupportedForm, OutOfMemory) as error:
        log.warning("%s, %s: %s", bench.subject.system.name, form, error)
        return _Measured(row | {"refused": str(error)})


def _measured_chunks(
    open_bench: OpenBench, chunk_frames: int, settings: EnergySettings, longest: int, seed: int
) -> dict[str, Any]:
    bench = open_bench()
    subject, system = bench.subject, bench.subject.system
    row = _of_system(bench) | {"chunk_frames": chunk_frames}
    try:
        context_frames = _context_frames(subject.vocoder)
        frame_seconds = system.hop_length / system.sample_rate
        clip_seconds = max(settings.clip_seconds, (longest + 2 * context_frames) * frame_seconds)
        vocoder = InChunks(subject.vocoder, chunk_frames)
        row |= _measured(bench, vocoder, replace(settings, clip_seconds=clip_seconds), seed)
        first = input_batches(subject.mels, chunk_frames + context_frames, 1, 1)[0].to(bench.device)
        return row | {
            "context_frames": context_frames,
            "awaited_seconds": first.shape[2] * frame_seconds,
            "first_audio_seconds": _seconds_of(subject.vocoder, first, seed),
        }
    except (UnsupportedForm, OutOfMemory) as error:
        log.warning("%s, chunks of %d frames: %s", system.name, chunk_frames, error)
        return row | {"refused": str(error)}


def _context_frames(vocoder: Vocoder) -> int:
    """The context of a chunk.

    Raises:
        UnsupportedForm: The vocoder cannot stream.
    """
    if isinstance(vocoder, DiffusionVocoder):
        raise UnsupportedForm("each step of diffusion goes through the whole clip, so no audio is ready before all is")
    try:
        return vocoder.context_frames()
    except NotImplementedError as error:
        raise UnsupportedForm(first_line(error)) from error


def _of_system(bench: Bench) -> dict[str, Any]:
    system = bench.subject.system
    return {"system": system.name, "model": system.model, "size": system.size}


def _measured(bench: Bench, vocoder: Vocoder, settings: EnergySettings, seed: int) -> dict[str, Any]:
    """The columns of `RESULT_COLUMNS` that the record of a measurement has."""
    record = measure_energy(replace(bench.subject, vocoder=vocoder), settings, bench.meter, bench.device, seed)
    results = {name: record[name] for name in RESULT_COLUMNS if name in record}
    if bench.meter.is_estimate:
        (counter,) = record["meter"]["domains"].values()
        results["estimated_watts_per_core"] = counter["joules_per_unit"]
    return results | {"flags": " ".join(record["flags"])}


def _audio(bench: Bench, vocoder: Vocoder, settings: EnergySettings, seed: int) -> np.ndarray | None:
    """What the measured vocoder makes of the clips, (clips, T); None where its noise is another than PyTorch's."""
    device, batches = bench.device, _batches(bench, settings, batch_size=1)
    with numeric_precision(device, "float32"):
        if _has_other_noise(vocoder, batches[0][..., :1]):
            return None
        clips = [vocoder.synthesize(batch, _seeded(device, seed)).cpu().numpy() for batch in batches]
    return np.concatenate(clips)


def _batches(bench: Bench, settings: EnergySettings, batch_size: int) -> list[Tensor]:
    """The clips that are measured, each batch (batch_size, M, frames)."""
    system = bench.subject.system
    frames = frames_of(settings.clip_seconds, system.sample_rate, system.hop_length)
    batches = input_batches(bench.subject.mels, frames, settings.clips, batch_size)
    return [batch.to(bench.device) for batch in batches]


def _has_other_noise(form: Vocoder, mel: Tensor) -> bool:
    """Whether the audio of `form` holds noise, and another than that of PyTorch."""
    if not (isinstance(form, OfOnnxRuntime) and form.draws_noise_of_its_own):
        return False
    one, other = (form.vocoder.synthesize(mel, _seeded(mel.device, seed)) for seed in (0, 1))
    return not torch.equal(one, other)


def _seconds_of(vocoder: Vocoder, mel: Tensor, seed: int) -> float:
    """The median time of a call, after one that warms up."""
    clock, generator = clock_of(mel.device), _seeded(mel.device, seed)
    seconds = []
    for _ in range(FIRST_CHUNKS + 1):
        clock.synchronise()
        start = clock.mark()
        vocoder.synthesize(mel, generator)
        end = clock.mark()
        clock.synchronise()
        seconds += clock.intervals([start, end])
    return statistics.median(seconds[1:])


def _seeded(device: torch.device, seed: int) -> torch.Generator:
    return torch.Generator(device).manual_seed(seed)


def _change(base: np.ndarray | None, other: np.ndarray | None) -> dict[str, float]:
    """What is told of two renderings of the same clips, each (clips, T); nothing where one is missing."""
    if base is None or other is None:
        return {}
    distances = [d_stft(one, another) for one, another in zip(base, other, strict=True)]
    loudness = float(np.sqrt(np.square(base, dtype=np.float64).mean()))
    difference = float(np.sqrt(np.square(np.subtract(other, base, dtype=np.float64)).mean()))
    found = {"d_stft_to_float32": float(np.mean(distances))}
    return found | ({"relative_difference_to_float32": difference / loudness} if loudness else {})
