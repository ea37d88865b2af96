"""Measuring a system that was never trained: with random weights, on random input.

No vocoder here chooses what to compute by the values it meets, so its energy is that of trained weights on speech.
"""

import numpy as np
import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.clip_files import frames_of
from vocoder_pareto.measurement.complexity import counted_flops
from vocoder_pareto.measurement.energy import Bench, Subject
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.hardware import device_name
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.systems import SystemSettings


def subject_with_random_weights(system: SystemSettings, settings: EnergySettings, seed: int) -> Subject:
    """What `measure_energy` takes: `system` with random weights, and as much random input as `settings` ask for."""
    torch.manual_seed(seed)
    vocoder = build_vocoder(system).prepare_for_inference()
    frames = frames_of(settings.clip_seconds, system.sample_rate, system.hop_length)
    flops = counted_flops(count_operations(vocoder, frames).macs)
    mels = np.random.default_rng(seed).random((system.n_mels, frames * settings.clips), dtype=np.float32)
    audio_seconds = frames * system.hop_length / system.sample_rate
    return Subject(vocoder, system, {}, None if flops is None else flops / audio_seconds, mels)


def bench_with_random_weights(
    system: SystemSettings, settings: EnergySettings, meter_settings: MeterSettings, device: str, seed: int
) -> Bench:
    """What `measure_in_processes` opens: `system` with random weights on `device`, which is auto, cpu or cuda:N."""
    resolved = resolve_device(device)
    return Bench(subject_with_random_weights(system, settings, seed), open_meter(resolved, meter_settings), resolved)


def name_of_device(device: str) -> str:
    """The name of the hardware behind auto, cpu or cuda:N."""
    return device_name(resolve_device(device))
