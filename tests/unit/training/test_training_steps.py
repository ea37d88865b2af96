"""One training step of each family against losses and gradients that independent forms of the networks gave.

See `tests/training_steps.py`: the stored numbers come from `tests/reference_networks`, written from the papers.
"""

import json

import pytest
import torch
from training_steps import (
    FAMILIES,
    LEVELS,
    STEPS,
    STORED,
    batch_of,
    latent_of,
    objective_of,
    reference_step,
    summary,
    turns_of,
)

STORED_STEPS = json.loads(STORED.read_text())
TURNS = [(family, turn) for family in FAMILIES for turn in turns_of(family)]


@pytest.fixture(autouse=True)
def one_thread():
    """Tiny layers only lose time by threads."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def with_known_draws(objective, family, noise, monkeypatch):
    """Let diffusion draw the steps, levels and noise of the stored numbers."""
    monkeypatch.setattr("vocoder_pareto.training.objectives.denoising.draw_noise", lambda *_: noise)
    draws = (objective.scales[STEPS], STEPS) if family == "diffwave" else (LEVELS, LEVELS)
    monkeypatch.setattr(objective, "draw_levels", lambda _: draws)


def assert_step(found, family, turn, tolerance):
    stored = STORED_STEPS[family][turn]
    assert found["losses"] == pytest.approx(stored["losses"], rel=tolerance)
    assert list(found["gradients"]) == list(stored["gradients"])
    for part, (norm, projection) in stored["gradients"].items():
        assert found["gradients"][part] == pytest.approx([norm, projection], rel=tolerance, abs=tolerance * norm), part


@pytest.mark.parametrize(("family", "turn"), TURNS)
def test_a_training_step_has_the_losses_and_gradients_of_independent_forms(family, turn, monkeypatch):
    objective = objective_of(family)
    batch, noise = batch_of(family)
    if family in ("diffwave", "wavegrad"):
        with_known_draws(objective, family, noise, monkeypatch)
    if family == "univnet":
        monkeypatch.setattr(objective.vocoder, "draw", lambda *_: latent_of(family))
    objective.begin_turn(turn)
    loss, parts = objective.loss(turn, batch)
    loss.backward()
    gradients = {name: value.grad for name, value in objective.named_parameters() if value.grad is not None}
    # The mel-spectrogram of HiFi-GAN's loss is computed in float32, and the filters of Vocos' are; all else in double
    # precision as stored.
    of_generators = {"hifigan": 1e-3, "istftnet": 1e-3, "bigvgan": 1e-3, "bigvgan_v2": 1e-3, "vocos": 1e-5}
    tolerance = of_generators.get(family, 1e-6) if turn == "generator" else 1e-6
    assert_step(summary(parts, gradients), family, turn, tolerance)


@pytest.mark.parametrize(("family", "turn"), TURNS)
def test_the_stored_steps_are_those_of_the_independent_forms(family, turn):
    assert_step(reference_step(family, turn), family, turn, 1e-6)
