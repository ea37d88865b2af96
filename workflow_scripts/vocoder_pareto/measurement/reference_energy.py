"""What the reference systems cost per second of audio: Griffin-Lim and WORLD, on the CPU.

Both compute on the CPU with any device: where the study's is another, the record says so, and tables and fronts never
compare it with those of the device.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import soxr
import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.generation.griffin_lim import invert_mel
from vocoder_pareto.generation.world import resynthesised
from vocoder_pareto.measurement.clip_files import frames_of, open_energy_clips
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.measurement.work_energy import WorkBench
from vocoder_pareto.measurement.workload import mels_of_clips
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.systems import GRIFFIN_LIM, WORLD

CPU = torch.device("cpu")
COMPUTED_ON_CPU = "computed_on_cpu"


def bench_with_griffin_lim(
    mels: Path,
    mel_ranges: Path,
    front_end: FrontEndSettings,
    iterations: int,
    seed: int,
    meter_settings: MeterSettings,
    device: str,
) -> WorkBench:
    """What `measure_work` opens for `measurements/energy/griffin_lim.json`.

    Args:
        mels, mel_ranges: The files of `cut_energy_clips`.
        front_end, iterations: As for `write_griffin_lim`.
        seed: The seed of the initial phases.
        meter_settings: How the CPU is metered.
        device: The device of the study, `auto`, `cpu`, `cuda` or `cuda:N`, which decides nothing but a flag.

    Raises:
        UserError: A file is missing or damaged, or the CPU cannot be metered.
    """
    spectrograms = mels_of_clips(mels, front_end.bands)
    # The ranges of the clips differ; that of the first gives all the same amount of work.
    value_range = np.array(open_energy_clips(mel_ranges, 2)[0])

    def invert(mel: np.ndarray) -> None:
        invert_mel(mel, value_range, front_end, iterations, seed)

    def work_of(settings: EnergySettings) -> Work:
        frames = frames_of(settings.clip_seconds, front_end.sample_rate, front_end.hop_length)
        seconds = frames * front_end.hop_length / front_end.sample_rate
        return _work(_cut(spectrograms, frames, settings.clips), seconds, invert)

    return _bench(GRIFFIN_LIM, work_of, "float32", meter_settings, device)


def bench_with_world(
    clips: Path, sample_rate: int, compared_rate: int, meter_settings: MeterSettings, device: str
) -> WorkBench:
    """What `measure_work` opens for `measurements/energy/world.json`.

    Args:
        clips: The clips.npy of `cut_energy_clips`, which are analysed and synthesised.
        sample_rate: Their sample rate.
        compared_rate: The sample rate that WORLD works at, to which they are resampled beforehand.
        meter_settings: How the CPU is metered.
        device: As for `bench_with_griffin_lim`.

    Raises:
        UserError: A file is missing or damaged, or the CPU cannot be metered.
    """
    audio = open_energy_clips(clips, None).reshape(-1)
    samples = soxr.resample(audio, sample_rate, compared_rate, quality="HQ")[None]  # (1, samples of all)

    def resynthesise(clip: np.ndarray) -> None:
        resynthesised(clip[0], compared_rate)

    def work_of(settings: EnergySettings) -> Work:
        length = max(1, round(settings.clip_seconds * compared_rate))
        return _work(_cut(samples, length, settings.clips), length / compared_rate, resynthesise)

    return _bench(WORLD, work_of, "float64", meter_settings, device)


def _cut(columns: np.ndarray, length: int, clips: int) -> list[np.ndarray]:
    """Cut `clips` pieces of `length` columns, one after the other and from the beginning again when they end."""
    places = np.arange(clips * length) % columns.shape[1]
    return [np.ascontiguousarray(columns[:, part]) for part in places.reshape(clips, length)]


def _work(pieces: list[np.ndarray], seconds: float, call: Callable[[np.ndarray], None]) -> Work:
    """A pass for each piece: neither method computes several clips at once."""

    def one_pass(piece: np.ndarray) -> Callable[[], None]:
        return lambda: call(piece)

    return Work([one_pass(piece) for piece in pieces], [seconds] * len(pieces))


def _bench(
    reference: str,
    work_of: Callable[[EnergySettings], Work],
    precision: str,
    meter_settings: MeterSettings,
    device: str,
) -> WorkBench:
    # A device that is named is not looked for: a cluster may run this where there is none.
    of_study = str(resolve_device(device)) if device == "auto" else device
    if of_study != "cpu":  # what was chosen for the meter of that device may not serve the CPU
        meter_settings = replace(meter_settings, backend="auto", unreadable_rapl="estimate")
    elsewhere = f"computed on the CPU, which this method always is, while the device of the study is {of_study}"
    return WorkBench(
        identity={"system": reference, "model": reference, "size": ""},
        work_of=work_of,
        meter=open_meter(CPU, meter_settings),
        device=CPU,
        protocol={"batch_size": 1, "precision": precision},
        flags={} if of_study == "cpu" else {COMPUTED_ON_CPU: elsewhere},
    )
