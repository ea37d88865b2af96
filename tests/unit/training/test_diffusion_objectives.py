"""The recipes of WaveGrad and DiffWave."""

from itertools import pairwise

import numpy as np
import pytest
import torch
from calm import calm
from seeds import seed_of
from torch import nn

from vocoder_pareto.models.diffwave import DiffWave, DiffWaveArchitecture, DiffWaveSampling
from vocoder_pareto.models.wavegrad import WaveGrad, WaveGradArchitecture
from vocoder_pareto.training.objectives.diffwave import DiffWaveObjective, DiffWaveRecipe
from vocoder_pareto.training.objectives.objective import Batch, Progress
from vocoder_pareto.training.objectives.wavegrad import WaveGradObjective, WaveGradRecipe

OBJECTIVES = {
    "wavegrad": lambda: WaveGradObjective(
        WaveGrad(WaveGradArchitecture((8, 8, 8, 4, 4, 4), (2, 4, 4, 4, 8))), WaveGradRecipe()
    ),
    "diffwave": lambda: DiffWaveObjective(
        DiffWave(DiffWaveArchitecture(residual_layers=3, residual_channels=4)), DiffWaveRecipe()
    ),
}
families = pytest.mark.parametrize("family", OBJECTIVES)


@pytest.fixture
def objective(family):
    torch.manual_seed(seed_of(0))
    return OBJECTIVES[family]()


def a_batch(count=3, frames=4):
    torch.manual_seed(seed_of(1))
    return Batch(torch.rand(count, frames * 256) * 2 - 1, torch.rand(count, 80, frames))


class Oracle(nn.Module):
    """Predicts the noise from the clean audio and the noise level alone."""

    def __init__(self, audio, scale_of_level, error=0.0):
        super().__init__()
        self.audio, self.scale_of_level, self.error = audio, scale_of_level, error

    def predict_noise(self, noisy, level, mel):
        scale = self.scale_of_level(level)[:, None]
        return ((noisy - scale * self.audio) / (1 - scale**2).sqrt()).float() + self.error


SCALES_OF_LEVELS = {
    "wavegrad": lambda level: level,
    "diffwave": lambda step: torch.from_numpy(np.sqrt(np.cumprod(1 - np.linspace(1e-4, 0.05, 50))))[step - 1],
}


@families
@pytest.mark.parametrize("error", [0.0, 0.25, -0.25])
def test_the_loss_is_the_l1_distance_of_the_noise(objective, family, error):
    """Zero for a prediction that knows the noise level as the paper defines it; its error otherwise."""
    batch = a_batch()
    objective.vocoder = Oracle(batch.audio, SCALES_OF_LEVELS[family], error)
    for _ in range(10):
        loss, parts = objective.loss("generator", batch)
        assert float(loss) == pytest.approx(abs(error), abs=1e-3)
        assert float(parts["noise_l1_loss"]) == float(loss)


@pytest.mark.parametrize("scale", [1.0, 6.0])
def test_audio_is_noised_as_loud_as_the_architecture_says(scale):
    """At a level of next to no noise, what the network sees is the audio, times the scale."""
    small = DiffWaveArchitecture(1, 2, first_beta=1e-8, last_beta=1e-8, diffusion_steps=1, audio_scale=scale)
    objective = DiffWaveObjective(DiffWave(small, DiffWaveSampling((1e-8,))), DiffWaveRecipe())
    seen = []
    objective.vocoder = nn.Module()
    objective.vocoder.predict_noise = lambda noisy, level, mel: seen.append(noisy) or torch.zeros_like(noisy)
    batch = a_batch()
    objective.loss("generator", batch)
    assert (seen[0] - scale * batch.audio).abs().max() < 1e-3  # noise of a deviation of 1e-4
    assert batch.audio.abs().max() <= 1  # as it was


@families
def test_a_silent_prediction_costs_the_mean_magnitude_of_gaussian_noise(objective):
    batch = Batch(torch.zeros(8, 20_000), torch.zeros(8, 80, 1))
    objective.vocoder = nn.Module()
    objective.vocoder.predict_noise = lambda noisy, level, mel: torch.zeros_like(noisy)
    assert float(objective.loss("generator", batch)[0]) == pytest.approx(np.sqrt(2 / np.pi), rel=0.01)


def test_diffwave_draws_every_step_equally_often():
    objective = OBJECTIVES["diffwave"]()
    scales, steps = objective.draw_levels(torch.zeros(100_000, 1))
    counts = torch.bincount(steps)
    assert counts[0] == 0
    assert len(counts) == 51
    np.testing.assert_allclose(counts[1:], 2000, rtol=0.12)
    np.testing.assert_allclose(scales, SCALES_OF_LEVELS["diffwave"](steps), rtol=1e-12)


def test_wavegrad_draws_a_step_then_a_level_between_it_and_the_one_before():
    """Algorithm 1: every interval of levels is as likely, however narrow, and is filled evenly."""
    architecture = WaveGradArchitecture((4,) * 6, (2,) * 5, first_beta=0.01, last_beta=0.5, diffusion_steps=4)
    objective = WaveGradObjective(WaveGrad(architecture), WaveGradRecipe())
    scales, levels = objective.draw_levels(torch.zeros(40_000, 1))
    assert torch.equal(scales, levels)
    edges = np.concatenate([[1], np.sqrt(np.cumprod(1 - np.linspace(0.01, 0.5, 4)))])[::-1]
    assert levels.min() >= edges[0]
    assert levels.max() <= 1
    quarters = np.unique(np.concatenate([np.linspace(*pair, 5) for pair in pairwise(edges)]))
    counts, _ = np.histogram(levels.numpy(), quarters)
    np.testing.assert_allclose(counts, 40_000 / 16, rtol=0.12)


def test_training_draws_from_all_levels_that_generation_visits():
    """Even the fastest sine of WaveGrad's encoding, 5000 √ᾱ, has seen the surroundings of each. Levels by numpy."""
    objective = OBJECTIVES["wavegrad"]()
    _, drawn = objective.draw_levels(torch.zeros(200_000, 1))
    visited = np.sqrt(np.cumprod(1 - np.linspace(1e-4, 0.05, 50)))
    np.testing.assert_allclose(objective.vocoder.noise_levels, visited, rtol=1e-12)
    drawn = np.sort(drawn.numpy())
    above = drawn[np.searchsorted(drawn, visited)]
    below = drawn[np.searchsorted(drawn, visited) - 1]
    assert np.all(5000 * (above - below) < 1)
    _, steps = OBJECTIVES["diffwave"]().draw_levels(torch.zeros(2000, 1))
    told = OBJECTIVES["diffwave"]().vocoder.noise_levels
    assert steps.min() <= min(told)
    assert steps.max() >= max(told)


@families
def test_one_turn_updates_all_weights_of_the_vocoder(objective):
    assert objective.turns == ("generator",)
    calm(objective.vocoder)
    before = [value.clone() for value in objective.vocoder.parameters()]
    optimizer = objective.optimizer("generator")
    objective.loss("generator", a_batch())[0].backward()
    optimizer.step()
    assert not any(torch.equal(old, new) for old, new in zip(before, objective.vocoder.parameters(), strict=True))


def test_the_learning_rates_are_those_of_the_design():
    wavegrad, diffwave = OBJECTIVES["wavegrad"](), OBJECTIVES["diffwave"]()
    for objective, rate in ((wavegrad, 1e-3), (diffwave, 2e-4)):
        optimizer = objective.optimizer("generator")
        assert type(optimizer) is torch.optim.Adam
        assert optimizer.param_groups[0]["lr"] == rate
    assert diffwave.schedule("generator", diffwave.optimizer("generator")) is None


@pytest.mark.parametrize(
    ("recipe", "progress", "advances"),
    [
        ({}, lambda part: Progress(None, None, part), 39),
        ({"decay_every": 10, "decay_interval": "epoch"}, lambda part: Progress(None, 435 * part, 0.0), 43),
        ({"decay_every": 1000, "decay_interval": "step"}, lambda part: Progress(5000 * part, None, 0.0), 4),
    ],
    ids=["budget", "epoch", "step"],
)
def test_the_learning_rate_of_wavegrad_decays_by_what_the_recipe_counts(recipe, progress, advances):
    """By default to 1.6 % over any budget; as the study has it, once every 10 epochs."""
    vocoder, recipe = OBJECTIVES["wavegrad"]().vocoder, WaveGradRecipe(**recipe)
    objective = WaveGradObjective(vocoder, recipe)
    optimizer = objective.optimizer("generator")
    schedule = objective.schedule("generator", optimizer)
    optimizer.step()
    for part in np.linspace(0, 0.999, 50):
        schedule.follow(progress(part))
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-3 * recipe.decay**advances)


def test_without_a_factor_nothing_decays():
    objective = WaveGradObjective(OBJECTIVES["wavegrad"]().vocoder, WaveGradRecipe(decay=1.0))
    assert objective.schedule("generator", objective.optimizer("generator")) is None


@pytest.mark.parametrize(
    ("recipe", "message"),
    [
        ({"decay": 0.0}, "decay is 0.0; must be greater than 0"),
        ({"decay": 1.1}, "at most 1"),
        ({"decay_every": 0.0}, "decay_every is 0; must be 1e-05 to 1, a share of the budget"),
        ({"decay_every": 1e-12}, "must be 1e-05 to 1"),
        ({"decay_every": float("nan")}, "decay_every is nan"),
        ({"decay_every": 10.0}, "decay_every is 10; .* decay_interval: budget; or set step or epoch"),
        ({"decay_every": 0.025, "decay_interval": "step"}, "decay_every is 0.025; must be at least 1"),
        ({"decay_interval": "epoch"}, "decay_every is missing; say after how many of decay_interval: epoch"),
    ],
)
def test_a_decay_that_means_nothing_is_refused(recipe, message):
    with pytest.raises(ValueError, match=message):
        WaveGradRecipe(**recipe)
