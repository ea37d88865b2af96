"""Measuring a system that was never trained: with random weights, on random input.

No vocoder here chooses what to compute by the values it meets, so its energy is that of trained weights on speech.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

import numpy as np
import torch

from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.energy import Subject, measure_energy
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
    frames = max(1, round(settings.clip_seconds * system.sample_rate / system.hop_length))
    flops = 2 * count_operations(vocoder, frames).macs
    mels = np.random.default_rng(seed).random((system.n_mels, frames * settings.clips), dtype=np.float32)
    audio_seconds = frames * system.hop_length / system.sample_rate
    return Subject(vocoder, system, {}, flops / audio_seconds, mels)


def measure_with_random_weights(
    system: SystemSettings, settings: EnergySettings, meter_settings: MeterSettings, device: str, seed: int
) -> dict[str, Any]:
    """The record of `measure_energy` for `system` with random weights; `device` is auto, cpu or cuda:N."""
    resolved = resolve_device(device)
    meter = open_meter(resolved, meter_settings)
    return measure_energy(subject_with_random_weights(system, settings, seed), settings, meter, resolved, seed)


def name_of_device(device: str) -> str:
    """The name of the hardware behind auto, cpu or cuda:N."""
    return device_name(resolve_device(device))


def in_own_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a module in a process of its own, so that neither memory nor caches of earlier calls count."""
    with ProcessPoolExecutor(max_workers=1, mp_context=get_context("spawn")) as process:
        return process.submit(function, *arguments).result()
