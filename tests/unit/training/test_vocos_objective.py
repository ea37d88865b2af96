"""The recipe of Vocos: its losses by hand, its turns, its learning rate; a step is in `test_training_steps`."""

import math
import os
import signal
from dataclasses import replace
from itertools import count

import librosa
import numpy as np
import pytest
import torch
from closeness import assert_close
from seeds import seed_of
from turns import assert_each_turn_updates_its_own_network_alone
from workbench import assert_same_weights, losses_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.discriminators import Judgement
from vocoder_pareto.models.vocos import Vocos, VocosArchitecture
from vocoder_pareto.training.objectives.objective import Batch, Progress
from vocoder_pareto.training.objectives.vocos import VocosObjective, VocosRecipe
from vocoder_pareto.training.weights import obtain_weights

pytestmark = pytest.mark.usefixtures("one_thread")


@pytest.fixture(scope="module")
def objective():
    torch.manual_seed(seed_of(0))
    return VocosObjective(
        Vocos(VocosArchitecture(channels=8, blocks=1)), VocosRecipe(period_channels=32, band_channels=2)
    )


def a_batch(count=1, frames=6):
    torch.manual_seed(seed_of(3))
    return Batch(torch.randn(count, frames * 256) * 0.1, torch.rand(count, 80, frames))


def judged(periods, resolutions):
    """Judgements of five periods and three resolutions; each has the scores and the values of its two hidden layers."""
    return [
        Judgement(torch.tensor([scores]), tuple(torch.tensor([feature]) for feature in features))
        for scores, *features in [periods] * 5 + [resolutions] * 3
    ]


def test_the_hinge_loss_of_the_discriminator_by_hand(objective):
    real = judged(([2.0, 0.5], [0.0]), ([-1.0], [0.0]))
    generated = judged(([-3.0, 0.0], [0.0]), ([0.5], [0.0]))
    # The mean over periods: (0 + 0.5) / 2 + (0 + 1) / 2; a tenth of that over resolutions: 2 + 1.5.
    assert float(objective.discriminator_loss(real, generated)) == pytest.approx(0.75 + 0.1 * 3.5)


def test_the_losses_of_the_generator_by_hand(objective):
    real = judged(([1.0], [5.0], [1.0, 2.0]), ([2.0], [0.0], [1.0]))
    generated = judged(([0.5], [0.0], [2.0, 4.0]), ([-1.0], [3.0], [1.5]))
    batch = a_batch()
    losses = objective.generator_losses(batch, batch.audio, real, generated)
    assert float(losses["adversarial_loss"]) == pytest.approx(0.5 + 0.1 * 2)
    # Of periods the second layer and the scores; of resolutions all that a judgement has.
    assert float(losses["feature_matching_loss"]) == pytest.approx((1.5 + 0.5) + 0.1 * (3 + 0.5 + 3))
    assert float(losses["mel_loss"]) == 0


def test_the_mel_loss_is_the_official_one_but_for_the_frame_on_the_very_end(objective):
    """By librosa; officially `torchaudio.transforms.MelSpectrogram` with n_fft 1024, 100 bands and a power of 1."""

    def log_mel(audio):
        options = {"sr": 16000, "n_fft": 1024, "hop_length": 256, "n_mels": 100, "htk": True, "norm": None, "power": 1}
        mel = librosa.feature.melspectrogram(y=np.asarray(audio), pad_mode="reflect", **options)
        return np.log(np.maximum(mel[..., :-1], 1e-7))

    batch, zeros = a_batch(2), judged(([0.0], [0.0]), ([0.0], [0.0]))
    guess = torch.randn_like(batch.audio) * 0.2
    expected = 45 * np.abs(log_mel(batch.audio) - log_mel(guess)).mean()
    assert_close(objective.generator_losses(batch, guess, zeros, zeros)["mel_loss"], expected, factor=64, eps=1e-7)


def test_silence_has_a_finite_gradient(objective):
    batch, zeros = a_batch(), judged(([0.0], [0.0]), ([0.0], [0.0]))
    guess = torch.zeros_like(batch.audio).requires_grad_()
    objective.generator_losses(batch, guess, zeros, zeros)["mel_loss"].backward()
    assert torch.isfinite(guess.grad).all()


def test_each_turn_updates_its_own_network_and_leaves_no_gradients_in_the_other(objective):
    assert_each_turn_updates_its_own_network_alone(objective, a_batch(), may_rest=8)


def test_both_networks_learn_by_adamw_at_a_rate_that_falls_to_nothing_along_half_a_cosine_of_the_budget(objective):
    for turn in objective.turns:
        optimizer = objective.optimizer(turn)
        assert isinstance(optimizer, torch.optim.AdamW)
        assert optimizer.defaults["betas"] == (0.8, 0.9)
        schedule = objective.schedule(turn, optimizer)
        optimizer.step()
        for share in (0.25, 0.5, 0.9, 1.0):
            schedule.follow(Progress(None, None, share))
            expected = 5e-4 * (1 + math.cos(math.pi * share)) / 2
            assert optimizer.param_groups[0]["lr"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"period_channels": 48}, "period_channels is 48; must be a multiple of 32"),
        ({"band_channels": 0}, "band_channels is 0; must be at least 1"),
        ({"periods": (0,)}, r"periods is \[0\]; must be one or more periods of at least 1 sample"),
        ({"n_ffts": (512, 16)}, r"n_ffts is \[512, 16\]; must be one or more of at least 32 samples"),
    ],
)
def test_an_impossible_discriminator_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        VocosRecipe(**settings)


@pytest.mark.slow
def test_a_training_that_was_stopped_ends_bit_identical(bench, monkeypatch):
    """Both networks, their optimisers, and rates that follow the budget; the other one is never stopped."""

    def job_of(bench):
        job = bench.job()
        return replace(job, system=replace(
            job.system, vocoder="vocoder_pareto.models.vocos.Vocos",
            objective="vocoder_pareto.training.objectives.vocos.VocosObjective",
            architecture={"channels": 4, "blocks": 1, "n_fft": 64}, recipe={"period_channels": 32, "band_channels": 1},
        ))  # fmt: skip

    whole = bench.elsewhere("undisturbed")
    obtain_weights(job_of(whole), whole.outputs)
    calls, loss = count(1), VocosObjective.loss

    def stopped(objective, turn, batch):
        if next(calls) == 7:  # in the fourth step
            os.kill(os.getpid(), signal.SIGTERM)
        return loss(objective, turn, batch)

    monkeypatch.setattr(VocosObjective, "loss", stopped)
    with pytest.raises(UserError, match="stopped by SIGTERM at step 4"):
        obtain_weights(job_of(bench), bench.outputs)
    obtain_weights(job_of(bench), bench.outputs)
    assert bench.summary["pieces"] == 2
    assert_same_weights(bench.weights, whole.weights)
    assert losses_of(bench.curve) == losses_of(whole.curve)
