"""The recipes of MelGAN and HiFi-GAN."""

import librosa
import numpy as np
import pytest
import torch

from vocoder_pareto.models.discriminators import Judgement, melgan_discriminator
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.training.objectives.adversarial import feature_matching
from vocoder_pareto.training.objectives.hifigan import HiFiGANObjective, HiFiGANRecipe
from vocoder_pareto.training.objectives.melgan import MelGANObjective, MelGANRecipe
from vocoder_pareto.training.objectives.objective import Batch


def judged(scores, *features):
    return Judgement(torch.tensor([scores]), tuple(torch.tensor([feature]) for feature in features))


@pytest.fixture
def melgan():
    torch.manual_seed(0)
    return MelGANObjective(MelGAN(MelGANArchitecture(4, 1)), MelGANRecipe(discriminator_channels=4))


@pytest.fixture(scope="module")
def hifigan():
    torch.manual_seed(0)
    return HiFiGANObjective(HiFiGAN(HiFiGANArchitecture(channels=32)), HiFiGANRecipe())


def a_batch(count=2, frames=32):
    torch.manual_seed(3)
    return Batch(torch.randn(count, frames * 256) * 0.1, torch.rand(count, 80, frames))


def test_the_hinge_loss_of_the_discriminator_by_hand(melgan):
    real, generated = [judged([2.0, 0.5]), judged([-1.0])], [judged([-3.0, 0.0]), judged([0.5])]
    # scale 1: (0 + 0.5)/2 + (0 + 1)/2; scale 2: 2 + 1.5
    assert float(melgan.discriminator_loss(real, generated)) == pytest.approx(0.25 + 0.5 + 2 + 1.5)


def test_the_losses_of_melgans_generator_by_hand(melgan):
    real = [judged([0.0], [1.0, 2.0], [0.0])]
    generated = [judged([0.5, 1.5], [2.0, 4.0], [3.0])]
    losses = melgan.generator_losses(None, None, real, generated)
    assert float(losses["adversarial_loss"]) == pytest.approx(-1.0)
    assert float(losses["feature_matching_loss"]) == pytest.approx(10 * (1.5 + 3.0))


def test_the_least_squares_losses_of_hifigan_by_hand(hifigan):
    real = [judged([1.0, 0.0], [0.0]), judged([3.0], [0.0])]
    generated = [judged([0.5, 0.0], [1.0]), judged([2.0], [0.5])]
    assert float(hifigan.discriminator_loss(real, generated)) == pytest.approx(0.5 + 0.125 + 4 + 4)
    batch = a_batch(1)
    losses = hifigan.generator_losses(batch, batch.audio, real, generated)
    assert float(losses["adversarial_loss"]) == pytest.approx((0.25 + 1) / 2 + 1)
    assert float(losses["feature_matching_loss"]) == pytest.approx(2 * (1 + 0.5))
    assert float(losses["mel_loss"]) == 0


def test_feature_matching_moves_the_generated_features_alone():
    real, generated = torch.zeros(1, 2, requires_grad=True), torch.ones(1, 2, requires_grad=True)
    feature_matching([Judgement(real, (real,))], [Judgement(generated, (generated,))]).backward()
    assert real.grad is None
    assert generated.grad.abs().sum() > 0


def test_the_mel_loss_is_that_of_librosas_mel_spectrograms(hifigan):
    batch = a_batch()
    guess = torch.randn_like(batch.audio) * 0.2

    def log_mel(audio):
        mel = librosa.feature.melspectrogram(y=audio.numpy(), sr=16000, n_fft=1024, hop_length=256, n_mels=80)
        return np.log1p(mel[..., :-1])  # the last frame lies on the end of the clip

    expected = 45 * np.abs(log_mel(guess) - log_mel(batch.audio)).mean()
    loss = hifigan.generator_losses(batch, guess, [judged([0.0], [0.0])], [judged([0.0], [0.0])])["mel_loss"]
    assert float(loss) == pytest.approx(expected, rel=1e-4)


def test_the_mel_loss_is_differentiable(hifigan):
    batch = a_batch(1)
    guess = (torch.randn_like(batch.audio) * 0.2).requires_grad_()
    hifigan.generator_losses(batch, guess, [judged([0.0], [0.0])], [judged([0.0], [0.0])])["mel_loss"].backward()
    assert torch.isfinite(guess.grad).all()
    assert guess.grad.abs().sum() > 0


@pytest.mark.parametrize("family", ["melgan", "hifigan"])
def test_each_turn_updates_its_own_network_alone(family, request):
    objective, batch = request.getfixturevalue(family), a_batch(1)
    networks = {"discriminator": objective.discriminator, "generator": objective.vocoder}
    for turn in objective.turns:
        before = {name: [value.clone() for value in network.parameters()] for name, network in networks.items()}
        optimizer = objective.optimizer(turn)
        loss, parts = objective.loss(turn, batch)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        for name, network in networks.items():
            moved = [not torch.equal(old, new) for old, new in zip(before[name], network.parameters(), strict=True)]
            # Within the margins of the hinge loss the gradients of the discriminator's last biases cancel.
            assert sum(moved) >= len(moved) - 3 if name == turn else not any(moved)
        assert all(not part.requires_grad for part in parts.values())


def test_the_generators_turn_alone_gives_the_same_loss_as_after_the_discriminators(melgan):
    batch = a_batch(1)
    alone, _ = melgan.loss("generator", batch)
    melgan.loss("discriminator", batch)
    after, _ = melgan.loss("generator", batch)
    torch.testing.assert_close(alone, after)


def test_the_learning_rate_of_hifigan_decays_per_epoch(hifigan):
    optimizer = hifigan.optimizer("generator")
    schedule = hifigan.schedule("generator", optimizer)
    optimizer.step()
    schedule.scheduler.step()
    assert schedule.interval == "epoch"
    assert optimizer.param_groups[0]["lr"] == pytest.approx(2e-4 * 0.999)


def test_hifigan_learns_a_small_set():
    """The mel loss falls below 0.4 of its start, D_STFT below 0.85 of the untrained model's and below white noise's."""
    torch.manual_seed(0)
    time = torch.arange(16 * 256) / 16000
    audio = torch.stack([
        sum(0.25 * torch.sin(2 * torch.pi * pitch * order * time) for order in (1, 2, 3)) for pitch in (150.0, 220.0)
    ])  # fmt: skip
    spectra = librosa.feature.melspectrogram(y=audio.numpy(), sr=16000, n_fft=1024, hop_length=256, n_mels=80)
    mel = torch.from_numpy(np.log1p(spectra[..., :16]).astype(np.float32))
    mel = mel / mel.amax(dim=(1, 2), keepdim=True)
    architecture = HiFiGANArchitecture(
        channels=32, upsampling=(16, 16), upsampling_kernels=(32, 32), residual_kernels=(3,),
        residual_dilations=((1, 3),),
    )  # fmt: skip
    objective = HiFiGANObjective(HiFiGAN(architecture), HiFiGANRecipe(learning_rate=5.0e-3))
    objective.discriminator = melgan_discriminator(channels=4, scales=2, layers=2)  # the full one takes minutes here
    batch = Batch(audio, mel)

    def distance(guesses):
        return np.mean([d_stft(truth.numpy(), guess) for truth, guess in zip(audio, guesses, strict=True)])

    untrained = distance(objective.vocoder.synthesize(mel).numpy())
    of_noise = distance(np.random.default_rng(0).standard_normal(audio.shape) * float(audio.std()))
    optimizers = {turn: objective.optimizer(turn) for turn in objective.turns}
    mel_losses = []
    for _ in range(160):
        for turn, optimizer in optimizers.items():
            loss, parts = objective.loss(turn, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        mel_losses.append(float(parts["mel_loss"]))
    assert mel_losses[-1] < 0.4 * mel_losses[0]
    assert distance(objective.vocoder.synthesize(mel).numpy()) < min(0.85 * untrained, of_noise)
