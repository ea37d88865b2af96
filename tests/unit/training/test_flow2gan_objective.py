"""Flow2GAN's recipe: both stages against losses and gradients of networks written from the official code."""

import itertools

import librosa
import lightning
import numpy as np
import pytest
import torch
import torchaudio
from closeness import assert_close
from reference_networks.flow2gan import adversarial_losses, flow_matching_loss
from seeds import seed_of

from vocoder_pareto.models.flow2gan import Flow2GAN, Flow2GANArchitecture, Flow2GANSampling
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.objectives.flow2gan import Flow2GANObjective, Flow2GANRecipe, spectral_loss
from vocoder_pareto.training.objectives.mel_distance import HTK_LN, SCALES, _analysis
from vocoder_pareto.training.objectives.objective import Batch, Progress
from vocoder_pareto.training.trainer import make_trainer

pytestmark = [pytest.mark.usefixtures("one_thread"), pytest.mark.filterwarnings("ignore:Empty filters")]
SIZES = {"hops": (256, 64), "blocks": 1, "encoder_blocks": 1, "time_channels": 8}
ARCHITECTURE = Flow2GANArchitecture(channels=(6, 4), encoder_channels=6, **SIZES)

OWN = {"discriminator": "discriminator.", "generator": "vocoder."}


def objective_of(**settings):
    torch.manual_seed(seed_of(0))
    settings = {"branch_dropout": 0.0, "period_channels": 32, "band_channels": 2} | settings
    vocoder = Flow2GAN(ARCHITECTURE, Flow2GANSampling(settings.get("unrolled_steps", 1)), n_mels=6)
    objective = Flow2GANObjective(vocoder, Flow2GANRecipe(**settings))
    with torch.no_grad():
        for weight in vocoder.parameters():  # fresh ones give next to silence
            fan = weight[0].numel() if weight.dim() > 1 else 0
            weight.normal_(std=fan**-0.5) if fan else weight.add_(0.1 * torch.randn_like(weight))
    return objective


def a_batch(kind=torch.float32, frames=5):
    generator = torch.Generator().manual_seed(seed_of(3))
    audio = 0.2 * torch.randn(2, frames * 256, generator=generator, dtype=torch.float64)
    return Batch(audio.to(kind), torch.rand(2, 6, frames, generator=generator, dtype=torch.float64).to(kind))


def at(objective, share):
    return objective.begin_step(Progress(None, None, share))


def gradients_of(objective, network):
    return {name: each.grad for name, each in objective.named_parameters() if name.startswith(network)}


def expected_gradients(loss, weights, network):
    names = [name for name in weights if name.startswith(network)]
    return dict(zip(names, torch.autograd.grad(loss, [weights[name] for name in names]), strict=True))


def assert_gradients(found, expected):
    """Spectra of the losses are computed in float32."""
    assert found.keys() == expected.keys()
    largest = max(float(each.norm()) for each in expected.values())
    for name, gradient in expected.items():
        assert (found[name] - gradient).norm() < 1e-3 * gradient.norm() + 1e-5 * largest, name


def test_flow_matching_is_that_of_an_independent_form(monkeypatch):
    objective, batch = objective_of().double(), a_batch(torch.float64)
    weights = {name: value.detach().clone().requires_grad_() for name, value in objective.state_dict().items()}
    noise, times = 0.1 * torch.randn_like(batch.audio), torch.tensor([0.3, 0.8], dtype=torch.float64)
    monkeypatch.setattr(objective.vocoder, "noise", lambda mel: noise)
    monkeypatch.setattr("vocoder_pareto.training.objectives.flow2gan.torch.rand", lambda *_, **__: times)
    at(objective, 0.1)
    loss, parts = objective.loss("generator", batch)
    loss.backward()
    expected = flow_matching_loss(weights, *batch, noise, times, sample_rate=16000, **SIZES)
    assert parts.keys() == expected.keys()
    assert float(loss) == pytest.approx(float(expected["flow_matching_loss"]), rel=1e-5)
    found = gradients_of(objective, "vocoder.")
    assert_gradients(found, expected_gradients(expected["flow_matching_loss"], weights, "vocoder."))


@pytest.mark.parametrize("turn", ["discriminator", "generator"])
@pytest.mark.parametrize("steps", [1, 2])
def test_the_second_stage_is_that_of_an_independent_form(turn, steps, monkeypatch):
    objective, batch = objective_of(unrolled_steps=steps).double(), a_batch(torch.float64)
    weights = {name: value.detach().clone().requires_grad_() for name, value in objective.state_dict().items()}
    noise = 0.1 * torch.randn_like(batch.audio)
    monkeypatch.setattr(objective.vocoder, "noise", lambda mel, generator=None: noise)
    at(objective, 0.9)
    loss, parts = objective.loss(turn, batch)
    loss.backward()
    expected = adversarial_losses(weights, *batch, noise, steps, sample_rate=16000, **SIZES)[turn]
    for name, value in expected.items():
        assert float(parts[name]) == pytest.approx(float(value), rel=1e-5), name
    network = "discriminator." if turn == "discriminator" else "vocoder."
    found = gradients_of(objective, network)
    assert_gradients(found, expected_gradients(next(iter(expected.values())), weights, network))


def test_the_bands_of_the_loss_are_torchaudios_and_its_weights_are_bounded():
    audio = torch.cat([torch.zeros(1, 4096), torch.randn(1, 4096)], dim=1)  # silence has the largest weight, 100
    error = 0.1 * torch.randn_like(audio)
    transform = torchaudio.transforms.Spectrogram(1024, hop_length=256)
    filters = torchaudio.functional.linear_fbanks(513, 0.0, 8000.0, 256, 16000)
    powers = [(transform(each).transpose(1, 2) @ filters).double() for each in (error, audio)]
    weights = (powers[1] + 1e-7).rsqrt().clamp(1e-2, 1e2)
    assert weights.max() == 100
    assert_close(spectral_loss(error, audio, 16000), (powers[0] * weights).mean(), factor=64, eps=2**-23)


@pytest.mark.parametrize(("window", "bands"), SCALES)
def test_the_mel_bands_of_the_second_stage_are_librosas(window, bands):
    _, filters = _analysis(16000, window, bands, HTK_LN, torch.device("cpu"))
    expected = librosa.filters.mel(sr=16000, n_fft=window, n_mels=bands, htk=True, norm=None, dtype=np.float64)
    np.testing.assert_allclose(filters.T, expected, rtol=0, atol=1e-4)  # places of bands in float32


def test_the_discriminators_have_no_weight_norm():
    assert not any("parametrizations" in name for name in objective_of().state_dict())


def test_the_stage_follows_from_the_budget_and_the_discriminators_rest_in_the_first():
    objective, batch = objective_of(flow_matching_share=0.6), a_batch()
    assert not objective.is_matching_flows  # before it begins: the stage that takes most memory
    assert at(objective, 0.59) == ("generator",)
    assert set(objective.loss("generator", batch)[1]) == {"flow_matching_loss"}
    assert at(objective, 0.6) == ("discriminator", "generator")
    assert set(objective.loss("discriminator", batch)[1]) == {"discriminator_loss"}
    assert "mel_loss" in objective.loss("generator", batch)[1]


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_each_turn_updates_its_own_network_alone(share):
    objective, batch = objective_of(), a_batch()
    for turn in at(objective, share):
        objective.begin_turn(turn)
        before = {name: value.clone() for name, value in objective.named_parameters()}
        optimizer = objective.optimizer(turn)
        loss, parts = objective.loss(turn, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        unmoved = {name for name, value in objective.named_parameters() if torch.equal(before[name], value)}
        own = {name for name in before if name.startswith(OWN[turn])}
        assert before.keys() - own <= unmoved
        # Within the margins of the hinge loss the gradients of the discriminators' last biases cancel.
        assert all(name.endswith("bias") and turn == "discriminator" for name in own & unmoved)
        assert all(not part.requires_grad for part in parts.values())


def test_a_branch_is_left_out_of_some_clips_and_the_others_stand_for_it():
    objective = objective_of(branch_dropout=0.5)
    estimates = torch.tensor([1.0, 3.0])[None, :, None].expand(1000, 2, 4)
    torch.manual_seed(seed_of(0))
    fused = objective.fused(estimates)[:, 0]
    shares = [float((fused == value).float().mean()) for value in (1.0, 2.0, 3.0)]
    assert sum(shares) == pytest.approx(1)  # of 2 branches the one that is left counts twice
    assert shares == pytest.approx([0.25, 0.5, 0.25], abs=0.08)


def test_no_branch_is_left_out_where_that_is_not_asked_for():
    estimates = torch.randn(50, 2, 4)
    assert_close(objective_of(branch_dropout=0.0).fused(estimates), estimates.mean(dim=1), factor=8)


def test_shortcuts_and_scales_are_held_within_their_bounds():
    objective = objective_of()
    with torch.no_grad():
        for name, weight in objective.vocoder.named_parameters():
            if name.endswith(("shortcut", "log_scale")):
                weight.fill_(9.0)
    objective.begin_turn("generator")
    for name, weight in objective.vocoder.named_parameters():
        if name.endswith("shortcut"):
            assert (weight == 1.0).all()
        elif name.endswith("log_scale"):
            assert float(weight) == 1.5


def rates(turn, shares):
    """The learning rate after each of the shares of the budget."""
    objective = objective_of(flow_matching_share=0.5)
    optimizer = objective.optimizer(turn)
    for weight in objective.parameters():
        weight.grad = torch.zeros_like(weight)
    schedule, found = objective.schedule(turn, optimizer), []
    for share in shares:
        optimizer.step()
        schedule.follow(Progress(None, None, share))
        found.append(optimizer.param_groups[0]["lr"])
    return found


def test_the_learning_rates_fall_in_each_stage_by_themselves():
    shares = np.array([0.0, 0.25, 0.499, 0.5, 0.75, 1.0])
    expected = [1e-3 / np.sqrt(1 + (18 * share / 0.5) ** 2) for share in shares[:3]]
    expected += [1e-4 / np.sqrt(1 + (2.8 * (share - 0.5) / 0.5) ** 2) for share in shares[3:]]
    np.testing.assert_allclose(rates("generator", shares), expected, rtol=1e-6)
    expected = [2e-4] * 3 + [2e-4 / np.sqrt(1 + (11 * (share - 0.5) / 0.5) ** 2) for share in shares[3:]]
    np.testing.assert_allclose(rates("discriminator", shares), expected, rtol=1e-6)


class WatchedRates(lightning.Callback):
    """The learning rates that each step takes, by its number from 0; ends the training after eight steps."""

    def __init__(self):
        self.rates = {"discriminator": [], "generator": []}

    def on_train_batch_start(self, trainer, module, batch, batch_idx):
        for turn, optimizer in zip(self.rates, trainer.optimizers, strict=True):
            self.rates[turn].append(optimizer.param_groups[0]["lr"])

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        trainer.should_stop = module.step >= 8


@pytest.mark.parametrize("first", [0.5, 0.3759])  # of the last, some is used before the discriminators' first step
def test_the_second_stage_begins_at_its_own_rates_and_pytorch_warns_of_no_schedule(first, recwarn):
    """PyTorch warns where a schedule advances before its optimiser has taken a step."""
    settings, watched = TrainingSettings(steps=8, segment_frames=None), WatchedRates()
    module = TrainingModule(objective_of(flow_matching_share=first), settings, 0, 4, lambda step: step / 8)
    make_trainer(torch.device("cpu"), settings, [watched]).fit(module, itertools.repeat(a_batch()))
    assert not [warning for warning in recwarn if "lr_scheduler" in str(warning.message)]
    assert [int(each["state"][0]["step"]) for each in module.state()["optimizers"]] == [4, 8]
    shares = (np.arange(4, 8) / 8 - first) / (1 - first)  # used of the second stage, before each of its four steps
    np.testing.assert_allclose(watched.rates["generator"][4:], 1e-4 / np.sqrt(1 + (2.8 * shares) ** 2), rtol=0.01)
    shares[0] = 0  # the discriminators' first step is at the rate of the recipe
    np.testing.assert_allclose(watched.rates["discriminator"][4:], 2e-4 / np.sqrt(1 + (11 * shares) ** 2), rtol=0.01)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"flow_matching_share": 1.1}, "flow_matching_share is 1.1; must be from 0 to 1"),
        ({"branch_dropout": 1.0}, "branch_dropout is 1.0; must be at least 0 and less than 1"),
        ({"period_channels": 40}, "period_channels is 40; must be a multiple of 32"),
        ({"unrolled_steps": 0}, "unrolled_steps is 0; must be at least 1"),
        ({"band_channels": 0}, "band_channels is 0; must be at least 1"),
    ],
)
def test_an_impossible_recipe_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Flow2GANRecipe(**settings)
