"""Flow2GAN after both stages of its training: a tiny network, but the recipe with all its losses, on two known clips.

The outside is the corpus itself, and what needs no network: silence, and white noise as loud as the clips.
"""

import numpy as np
import pytest
import torch
from seeds import seed_of
from two_voices import mean_d_stft, two_voices

from vocoder_pareto.audio.features import features
from vocoder_pareto.models.flow2gan import Flow2GAN, Flow2GANArchitecture, Flow2GANSampling
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.training.objectives.flow2gan import Flow2GANObjective, Flow2GANRecipe
from vocoder_pareto.training.objectives.objective import Batch, Progress

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]
STEPS = 400


@pytest.fixture(scope="module")
def corpus():
    """Two clips of 16 frames with 11 harmonics of gliding tones in faint noise, and their mel-spectrograms to 1."""
    audio = two_voices(frames=16, breath=0.02)
    mel = features(audio, FrontEndSettings())
    return Batch(audio, mel / mel.max())


def generated(objective, batch):
    generators = [torch.Generator().manual_seed(seed_of(index)) for index in range(len(batch.mel))]
    return objective.vocoder.synthesize(batch.mel, generators).numpy()


def test_it_learns_its_corpus_in_either_stage(corpus):
    torch.manual_seed(seed_of(2))
    architecture = Flow2GANArchitecture(
        channels=(48, 32, 24), blocks=2, encoder_channels=32, encoder_blocks=1, time_channels=32
    )
    recipe = Flow2GANRecipe(
        learning_rate=5.0e-3, finetuning_learning_rate=1.0e-3, unrolled_steps=2, period_channels=64, band_channels=4
    )
    objective = Flow2GANObjective(Flow2GAN(architecture, Flow2GANSampling(2)), recipe)
    optimizers = {turn: objective.optimizer(turn) for turn in objective.turns}
    schedules = [objective.schedule(turn, optimizer) for turn, optimizer in optimizers.items()]
    distances = [mean_d_stft(corpus.audio, generated(objective, corpus))]
    for step in range(STEPS):
        for turn in objective.begin_step(Progress(step, None, step / STEPS)):
            objective.begin_turn(turn)
            loss, _ = objective.loss(turn, corpus)
            optimizers[turn].zero_grad()
            loss.backward()
            optimizers[turn].step()
        for schedule in schedules:
            schedule.follow(Progress(step + 1, None, (step + 1) / STEPS))
        if step + 1 in (int(0.7 * STEPS), STEPS):
            distances.append(mean_d_stft(corpus.audio, generated(objective, corpus)))
    fresh, matched, finetuned = distances
    silence = mean_d_stft(corpus.audio, 0 * corpus.audio)
    assert matched < 0.9 * min(fresh, silence)
    assert finetuned < 0.75 * matched
    assert finetuned < 0.2 * mean_d_stft(corpus.audio, noise_as_loud_as(corpus.audio.numpy()))


def noise_as_loud_as(audio):
    noise = np.random.default_rng(seed_of(1)).standard_normal(audio.shape)
    return noise * audio.std(axis=1, keepdims=True)
