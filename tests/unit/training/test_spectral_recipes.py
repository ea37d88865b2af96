"""The recipes of UnivNet and Multi-band MelGAN: least squares and losses of spectra, without matching of features."""

import os
import signal
from dataclasses import replace

import pytest
import torch
from closeness import assert_close
from reference_networks import multiband
from reference_networks.univnet import stft_loss
from seeds import seed_of
from tiny_system import HOP_LENGTH, N_MELS
from turns import assert_compiled_turns_are_as_plain_ones, assert_each_turn_updates_its_own_network_alone
from workbench import assert_same_weights, losses_of

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.discriminators import Judgement
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN, MultiBandMelGANArchitecture
from vocoder_pareto.models.univnet import UnivNet, UnivNetArchitecture
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.objectives.multiband_melgan import MultiBandMelGANObjective, MultiBandMelGANRecipe
from vocoder_pareto.training.objectives.objective import Batch, Progress
from vocoder_pareto.training.objectives.univnet import UnivNetObjective, UnivNetRecipe
from vocoder_pareto.training.weights import obtain_weights

pytestmark = pytest.mark.usefixtures("one_thread")
FAMILIES = ("univnet", "multiband")
HOP = 64


def a_batch(frames=40):
    torch.manual_seed(seed_of(3))
    return Batch(torch.randn(2, frames * HOP) * 0.1, torch.rand(2, 8, frames))


def objective_of(family, **recipe):
    torch.manual_seed(seed_of(0))
    if family == "univnet":
        vocoder = UnivNet(UnivNetArchitecture(4, (8, 8), (1, 3), 5, 6), n_mels=8, hop_length=HOP)
        return UnivNetObjective(vocoder, UnivNetRecipe(resolution_channels=2, period_channels=16, **recipe))
    vocoder = MultiBandMelGAN(MultiBandMelGANArchitecture(8, 1, (4, 4)), n_mels=8, hop_length=HOP)
    sizes = {"discriminator_channels": 4, "discriminator_layers": 2, "discriminator_most_channels": 16}
    return MultiBandMelGANObjective(vocoder, MultiBandMelGANRecipe(**sizes, **recipe))


@pytest.fixture(params=FAMILIES)
def objective(request):
    return objective_of(request.param)


def judged(scores):
    return Judgement(torch.tensor([scores]), ())


def test_the_least_squares_are_means_over_all_stacks(objective):
    real, generated = [judged([1.0, 0.0]), judged([3.0])], [judged([0.5, 0.0]), judged([2.0])]
    assert float(objective.discriminator_loss(real, generated)) == pytest.approx((0.5 + 0.125 + 4 + 4) / 2)


@pytest.mark.parametrize(("family", "weight"), [("univnet", 1.0), ("multiband", 2.5)])
def test_the_adversarial_loss_is_a_mean_over_all_stacks_times_its_weight(family, weight, monkeypatch):
    objective = objective_of(family)
    monkeypatch.setattr(objective.discriminator, "forward", lambda audio: [judged([0.5, 0.0]), judged([2.0])])
    loss = objective.terms(a_batch())["adversarial_loss"]
    assert float(loss) == pytest.approx(weight * ((0.25 + 1) / 2 + 1) / 2)


def test_univnet_has_the_stft_loss_times_2_5(monkeypatch):
    objective, batch = objective_of("univnet"), a_batch()
    guess = 0.2 * torch.randn_like(batch.audio)
    monkeypatch.setattr(objective.vocoder, "forward", lambda mel: guess)
    assert_close(objective.terms(batch)["stft_loss"], 2.5 * stft_loss(batch.audio, guess), factor=64)


def test_multi_band_melgan_has_half_of_the_stft_loss_of_the_waveform_and_of_the_bands(monkeypatch):
    objective, batch = objective_of("multiband"), a_batch()
    bands = 0.2 * torch.randn(2, 4, batch.audio.shape[1] // 4)
    monkeypatch.setattr(objective.vocoder, "sub_bands", lambda mel: bands)
    terms = objective.terms(batch)
    assert_close(terms["stft_loss"], 0.5 * stft_loss(batch.audio, multiband.synthesised(bands)), factor=64)
    of_bands = stft_loss(
        multiband.analysed(batch.audio, 4).flatten(0, 1), bands.flatten(0, 1), multiband.BAND_RESOLUTIONS
    )
    assert_close(terms["band_stft_loss"], 0.5 * of_bands, factor=64)


def test_each_turn_updates_its_own_network_alone(objective):
    assert_each_turn_updates_its_own_network_alone(objective, a_batch())


@pytest.mark.slow
def test_the_turns_can_be_compiled():
    """Those of Multi-band MelGAN, which draws no noise."""
    assert_compiled_turns_are_as_plain_ones(objective_of("multiband"), a_batch(frames=12), factor=256)


def share(used):
    return Progress(None, None, used)


def test_the_generator_of_multi_band_melgan_trains_alone_for_a_fifth_of_the_budget():
    objective, batch = objective_of("multiband"), a_batch()
    assert "adversarial_loss" in objective.terms(batch)  # where no loop tells of its progress
    assert objective.begin_step(share(0.0)) == objective.begin_step(share(0.199)) == ("generator",)
    assert set(objective.terms(batch)) == {"stft_loss", "band_stft_loss"}
    assert objective.begin_step(share(0.2)) == objective.begin_step(share(1.0)) == objective.turns
    assert "adversarial_loss" in objective.terms(batch)


@pytest.mark.parametrize("family", FAMILIES)
def test_a_training_that_is_stopped_goes_on_bit_identical(family, bench, monkeypatch):
    """In the middle of the part that the generator trains alone, if there is one, and again after it."""
    objective = objective_of(family)
    kind, vocoder = type(objective), type(objective.vocoder)
    architecture = (
        {"channels": 4, "upsampling": (4, 4), "dilations": (1, 3), "predictor_channels": 4}
        if family == "univnet"
        else {"channels": 8, "residual_layers": 1, "band_upsampling": (2, 2)}
    )
    recipe = (
        {"resolution_channels": 2, "period_channels": 16}
        if family == "univnet"
        else {"discriminator_channels": 4, "discriminator_layers": 2, "pretraining_share": 0.4, "halving_share": 0.3}
    )
    system = SystemSettings(
        family, "S", f"{vocoder.__module__}.{vocoder.__name__}", f"{kind.__module__}.{kind.__name__}", architecture,
        recipe=recipe, n_mels=N_MELS, hop_length=HOP_LENGTH,
    )  # fmt: skip
    stops, losses = [2, 6], kind.loss

    def stopped(self, turn, batch):
        result = losses(self, turn, batch)
        if turn == "generator" and stops:
            stopped.steps += 1
            if stopped.steps == stops[0]:
                stops.pop(0)
                os.kill(os.getpid(), signal.SIGTERM)
        return result

    def train(bench):
        obtain_weights(replace(bench.job(), system=system), bench.outputs)
        return bench

    whole = train(bench.elsewhere("undisturbed"))
    stopped.steps = 0
    monkeypatch.setattr(kind, "loss", stopped)
    for step in (2, 6):
        with pytest.raises(UserError, match=f"stopped by SIGTERM at step {step}; the state is saved"):
            train(bench)
    train(bench)
    assert bench.summary["pieces"] == 3
    assert_same_weights(bench.weights, whole.weights)
    assert losses_of(bench.curve) == losses_of(whole.curve)
    if family == "multiband":  # 3.2 of 8 steps
        assert [row["discriminator_loss"] != "" for row in whole.curve] == [False] * 4 + [True] * 4


def test_the_rates_of_multi_band_melgan_halve_six_times_from_where_each_network_begins():
    objective = objective_of("multiband")
    rates = {turn: [] for turn in objective.turns}
    for turn in objective.turns:
        optimizer = objective.optimizer(turn)
        schedule = objective.schedule(turn, optimizer)
        optimizer.step()
        for tenth in range(10):
            schedule.follow(share(tenth / 10))
            rates[turn].append(optimizer.param_groups[0]["lr"] / 1e-3)
    assert rates["generator"] == pytest.approx([1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, *[1 / 64] * 4])
    assert rates["discriminator"] == pytest.approx([1, 1, 1, 1 / 2, 1 / 4, 1 / 8, 1 / 16, 1 / 32, 1 / 64, 1 / 64])


def test_univnet_keeps_its_rate(objective):
    if isinstance(objective, UnivNetObjective):
        assert objective.schedule("generator", objective.optimizer("generator")) is None
        assert objective.optimizer("generator").defaults["betas"] == (0.5, 0.9)


@pytest.mark.parametrize(
    ("recipe", "settings", "message"),
    [
        (UnivNetRecipe, {"resolution_channels": 0}, "resolution_channels is 0"),
        (UnivNetRecipe, {"period_channels": 24}, "period_channels is 24; must be a multiple of 16"),
        (MultiBandMelGANRecipe, {"halving_share": 0.0}, "halving_share is 0.0"),
        (MultiBandMelGANRecipe, {"pretraining_share": 1.0}, "pretraining_share is 1.0"),
        (MultiBandMelGANRecipe, {"discriminator_channels": 6}, "discriminator_channels is 6"),
        (MultiBandMelGANRecipe, {"discriminator_most_channels": 2}, "discriminator_most_channels is 2"),
        (MultiBandMelGANRecipe, {"discriminator_layers": 0}, "discriminator_layers is 0"),
    ],
)
def test_an_impossible_recipe_is_refused(recipe, settings, message):
    with pytest.raises(ValueError, match=message):
        recipe(**settings)
