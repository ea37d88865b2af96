"""A system that needs no training to be measured: random weights, random input."""

import numpy as np
import torch

from vocoder_pareto.measurement.energy import Subject
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.protocol import EnergySettings
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.systems import SystemSettings


def fresh_subject(system: SystemSettings, settings: EnergySettings, seed: int) -> Subject:
    """`system` with random weights, and as much random input as `settings` ask for.

    No vocoder here chooses what to compute by the values it meets, so its energy is that of trained weights on speech.
    """
    torch.manual_seed(seed)
    vocoder = build_vocoder(system).prepare_for_inference()
    frames = max(1, round(settings.clip_seconds * system.sample_rate / system.hop_length))
    flops = 2 * count_operations(vocoder, frames).macs
    mels = np.random.default_rng(seed).random((system.n_mels, frames * settings.clips), dtype=np.float32)
    audio_seconds = frames * system.hop_length / system.sample_rate
    return Subject(vocoder, system, {}, flops / audio_seconds, mels)
