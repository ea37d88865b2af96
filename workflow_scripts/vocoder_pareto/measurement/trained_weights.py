"""Measuring a system with the weights of its checkpoint, on mel-spectrograms of the test set."""

from pathlib import Path

from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.digests import file_digest
from vocoder_pareto.measurement.energy import Bench, Subject
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.workload import mels_of_clips
from vocoder_pareto.models.checkpoint import load_vocoder
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.systems import SystemSettings


def bench_with_checkpoint(
    checkpoint: Path,
    system: SystemSettings,
    complexity: Path | None,
    mels: Path,
    meter_settings: MeterSettings,
    device: str,
) -> Bench:
    """What `measure_in_processes` opens: the weights in `checkpoint`, what they are fed with, and the open meter.

    Args:
        checkpoint: The weights of `system`.
        system: The system.
        complexity: The file of `measure_complexity.py`; None leaves the bound of FLOPs per joule out.
        mels: The mels.npy of `cut_energy_clips`.
        meter_settings: How energy is read.
        device: One of auto, cpu, cuda and cuda:N.

    Raises:
        UserError: A file is missing or damaged, the weights do not fit, or the device or its meter is not there.
    """
    resolved = resolve_device(device)
    meter = open_meter(resolved, meter_settings)
    vocoder, training = load_vocoder(checkpoint, system)
    input_mels = mels_of_clips(mels, system.n_mels)
    counted = {"flops": None} if complexity is None else read_json(complexity)
    flops_per_audio_second = None if counted["flops"] is None else counted["flops"] / counted["audio_seconds"]
    subject = Subject(vocoder, system, training, flops_per_audio_second, input_mels, file_digest(checkpoint))
    return Bench(subject, meter, resolved)
