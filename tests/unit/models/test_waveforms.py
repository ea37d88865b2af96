"""What a vocoder gives is judged alike in generation, in measurements and while operations are counted."""

from pathlib import Path

import numpy as np
import pytest
import torch
from seeds import seed_of

from vocoder_pareto.generation.test_set import generate_clips
from vocoder_pareto.measurement.complexity import measure_complexity
from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.energy import Subject, measure_energy
from vocoder_pareto.measurement.layer_profile import profile_layers
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import NoSettings, Vocoder
from vocoder_pareto.models.waveforms import LARGEST_SAMPLE, UnusableAudio, require_sound
from vocoder_pareto.study.sections.measurement import EnergySettings, PublishedConvention
from vocoder_pareto.study.systems import SystemSettings

SHORT = EnergySettings(
    clips=1, clip_seconds=0.05, warmup_passes=1, max_warmup_seconds=0, cooldown_seconds=0, idle_seconds=0, processes=1,
    process_spread=0, windows=2, min_window_seconds=0, min_repeats=1, max_pause_seconds=0, max_retries=0,
)  # fmt: skip


class Scaled(Vocoder):
    """Samples of a given size, as many per frame as it is told, from a file of its own tests."""

    Architecture = NoSettings
    factor, level = 1, 0.5

    def __init__(self, architecture=None, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)
        self.layer = torch.nn.Conv1d(n_mels, 1, 1)

    def generate(self, mel, generator=None):
        frames = torch.sign(self.layer(mel)[:, 0])
        return self.level * frames.repeat_interleave(self.factor * self.hop_length, dim=1)


class Twice(Scaled):
    factor = 2


class Loud(Scaled):
    level = 50.0


class NotFinite(Scaled):
    level = float("nan")


SYSTEM = SystemSettings("mine", "S", f"{Path(__file__)}:Twice", hop_length=64)
LENGTH = r"mine-S: gives waveforms of shape \(1, \d+\) for \d+ frames of 64 samples, and must give .* twice the samples"


def vocoder_of(kind):
    torch.manual_seed(seed_of(0))
    vocoder = kind(hop_length=64)
    vocoder.name = "mine-S"
    return vocoder


def generated(vocoder):
    return list(generate_clips(vocoder, np.ones((1, 80, 4), np.float32), [1], 1))


def measured(vocoder, digest="a checkpoint", steps=3):
    subject = Subject(vocoder, SYSTEM, {"steps": steps}, None, np.ones((80, 20), np.float32), digest)
    return measure_energy(subject, SHORT, Meter(CpuTimeSensor(10.0)), torch.device("cpu"), seed=0)


def test_twice_the_samples_are_refused_wherever_they_come_out():
    for use in (
        generated,
        measured,
        lambda vocoder: profile_layers(vocoder.prepare_for_inference(), torch.ones(1, 80, 4)),
    ):
        with pytest.raises(UnusableAudio, match=LENGTH):
            use(vocoder_of(Twice))
    with pytest.raises(UnusableAudio, match=LENGTH):
        measure_complexity(SYSTEM, PublishedConvention(), clip_seconds=0.1)


@pytest.mark.parametrize(("kind", "words"), [(Loud, "samples up to 50"), (NotFinite, "NaN or Inf")])
def test_what_is_no_sound_is_refused_where_it_is_heard_or_measured(kind, words):
    for use in (generated, measured):
        with pytest.raises(UnusableAudio, match=f"mine-S: generates {words}"):
            use(vocoder_of(kind))


@pytest.mark.parametrize(("digest", "steps"), [(None, None), ("a checkpoint", 0)])
def test_what_random_weights_cost_is_measured_whatever_they_sound_like(digest, steps):
    assert measured(vocoder_of(Loud), digest, steps)["windows"]


@pytest.mark.parametrize("peak", [0.0, 1.0, 1.3, LARGEST_SAMPLE])
def test_what_a_wav_clips_is_let_through(peak):
    audio = torch.tensor([[0.0, -peak]])
    assert require_sound(audio, "mine-S") is audio


def test_a_built_vocoder_is_called_by_the_name_of_its_system():
    assert build_vocoder(SYSTEM).name == "mine-S"
