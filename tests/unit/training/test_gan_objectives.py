"""The recipes of MelGAN and HiFi-GAN."""

import librosa
import numpy as np
import pytest
import scipy.signal
import soxr
import torch
from closeness import assert_close
from seeds import seed_of
from torch.nn import functional
from turns import assert_compiled_turns_are_as_plain_ones, assert_each_turn_updates_its_own_network_alone

from vocoder_pareto.audio.espeak import SAMPLE_RATE, synthesize_speech
from vocoder_pareto.models.discriminators import Judgement, hifigan_discriminator
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture
from vocoder_pareto.training.objectives.adversarial import feature_matching
from vocoder_pareto.training.objectives.hifigan import HiFiGANObjective, HiFiGANRecipe
from vocoder_pareto.training.objectives.melgan import MelGANObjective, MelGANRecipe
from vocoder_pareto.training.objectives.objective import Batch

pytestmark = pytest.mark.usefixtures("one_thread")


def judged(scores, *features):
    return Judgement(torch.tensor([scores]), tuple(torch.tensor([feature]) for feature in features))


@pytest.fixture
def melgan():
    torch.manual_seed(seed_of(0))
    return MelGANObjective(MelGAN(MelGANArchitecture(4, 1)), MelGANRecipe(discriminator_channels=4))


@pytest.fixture(scope="module")
def hifigan():
    torch.manual_seed(seed_of(0))
    return HiFiGANObjective(HiFiGAN(HiFiGANArchitecture(channels=32)), HiFiGANRecipe(discriminator_channels=128))


@pytest.fixture(scope="module")
def speech():
    """1.024 s of synthetic speech at 16 kHz."""
    spoken = np.frombuffer(synthesize_speech("The quick brown fox jumps over the lazy dog."), np.int16) / 2**15
    return soxr.resample(spoken, SAMPLE_RATE, 16000)[:16384].astype(np.float32)


def a_batch(count=2, frames=8):
    torch.manual_seed(seed_of(3))
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
    # The published weight λ = 10 is of the sum times 4 / (4 layers + 1) / 3 scales, in the official and authors' code.
    assert float(losses["feature_matching_loss"]) == pytest.approx(10 * 4 / 5 / 3 * (1.5 + 3.0))


@pytest.mark.parametrize(("layers", "scales"), [(4, 3), (2, 3), (4, 1)])
def test_the_weight_of_melgans_feature_matching_is_official_for_any_discriminator(layers, scales):
    recipe = MelGANRecipe(discriminator_channels=4, discriminator_layers=layers, discriminator_scales=scales)
    objective, batch = MelGANObjective(MelGAN(MelGANArchitecture(4, 1)), recipe), a_batch(1)
    guess = torch.randn_like(batch.audio)
    real, judged = objective.discriminator(batch.audio), objective.discriminator(guess)
    expected = 0.0
    for truth, other in zip(real, judged, strict=True):
        for one, two in zip(truth.features, other.features, strict=True):
            expected += 4 / (layers + 1) / scales * functional.l1_loss(two, one)
    loss = objective.generator_losses(batch, guess, real, judged)["feature_matching_loss"]
    assert_close(loss, 10 * expected, factor=16)


def test_the_least_squares_losses_of_hifigan_by_hand(hifigan):
    real = [judged([1.0, 0.0], [0.0]), judged([3.0], [0.0])]
    generated = [judged([0.5, 0.0], [1.0]), judged([2.0], [0.5])]
    assert float(hifigan.discriminator_loss(real, generated)) == pytest.approx(0.5 + 0.125 + 4 + 4)
    batch = a_batch(1)
    losses = hifigan.generator_losses(batch, batch.audio, real, generated)
    assert float(losses["adversarial_loss"]) == pytest.approx((0.25 + 1) / 2 + 1)
    assert float(losses["feature_matching_loss"]) == pytest.approx(2 * ((1 + 0.25) + (0.5 + 1)))  # the scores count
    assert float(losses["mel_loss"]) == 0


def test_feature_matching_moves_the_generated_features_alone():
    real, generated = torch.zeros(1, 2, requires_grad=True), torch.ones(1, 2, requires_grad=True)
    feature_matching([(real,)], [(generated,)]).backward()
    assert real.grad is None
    assert generated.grad.abs().sum() > 0


def mel_loss(objective, audio, guess):
    """The weighted mel-spectrogram loss of `objective` for two signals (T,)."""
    batch, judgements = Batch(torch.as_tensor(audio)[None], torch.zeros(1, 80, 1)), [judged([0.0], [0.0])]
    return float(objective.generator_losses(batch, torch.as_tensor(guess)[None], judgements, judgements)["mel_loss"])


def official_log_mel(audio):
    """HiFi-GAN's front end at 16 kHz, from its definition: `librosa.stft` without centring, and librosa's filters."""
    audio = np.pad(np.asarray(audio, float), [(0, 0), (384, 384)], mode="reflect")
    spectra = librosa.stft(audio, n_fft=1024, hop_length=256, center=False)
    filters = librosa.filters.mel(sr=16000, n_fft=1024, n_mels=80, fmin=0, fmax=8000)
    return np.log(np.maximum(filters @ np.sqrt(np.abs(spectra) ** 2 + 1e-9), 1e-5))


def official_mel_loss(audio, guess):
    return 45 * np.abs(official_log_mel(audio) - official_log_mel(guess)).mean()


def test_the_mel_loss_is_the_official_one(hifigan):
    batch = a_batch()
    guess = torch.randn_like(batch.audio) * 0.2
    loss = hifigan.generator_losses(batch, guess, [judged([0.0], [0.0])], [judged([0.0], [0.0])])["mel_loss"]
    assert_close(loss, official_mel_loss(batch.audio, guess), factor=64, eps=1e-7)


def test_the_mel_loss_can_take_the_front_end_of_the_paper(hifigan):
    recipe = HiFiGANRecipe(mel_front_end="paper", mel_n_fft=2048)
    objective, batch = HiFiGANObjective(hifigan.vocoder, recipe), a_batch()
    guess = torch.randn_like(batch.audio) * 0.2
    loss = objective.generator_losses(batch, guess, [judged([0.0], [0.0])], [judged([0.0], [0.0])])["mel_loss"]
    assert_close(loss, 45 * mel_distance(batch.audio, guess), factor=64, eps=1e-7)


def test_the_mel_loss_hears_what_a_listener_hears(hifigan, speech):
    """Faults of speech, against the official loss; a loss of log(1 + power) saw a seventieth of the first."""
    low = scipy.signal.sosfiltfilt(scipy.signal.butter(8, 4000, fs=16000, output="sos"), speech).astype(np.float32)
    hiss = speech + 10 ** (-50 / 20) * np.random.default_rng(seed_of(5)).standard_normal(len(speech), np.float32)
    quiet = np.float32(10 ** (-1 / 20)) * speech
    losses = [mel_loss(hifigan, speech, guess) for guess in (low, hiss, quiet, np.zeros_like(speech))]
    expected = [official_mel_loss(speech[None], guess[None]) for guess in (low, hiss, quiet, np.zeros_like(speech))]
    np.testing.assert_allclose(losses, expected, rtol=1e-4)
    # 1 dB everywhere is 45 · ln(10^(1/20)), but where speech is at the floor of the logarithm.
    assert losses[2] == pytest.approx(45 * np.log(10) / 20, rel=0.05)
    assert losses[3] > losses[0] > losses[2]
    assert losses[1] > losses[2]


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_the_mel_loss_keeps_its_precision_where_networks_do_not(hifigan, kind):
    batch = a_batch(1)
    guess = (torch.randn_like(batch.audio) * 0.2).to(kind)
    expected = official_mel_loss(batch.audio, guess.float())
    with torch.autocast("cpu", kind):
        losses = hifigan.generator_losses(batch, guess, [judged([0.0], [0.0])], [judged([0.0], [0.0])])
    assert_close(losses["mel_loss"], expected, factor=64, eps=1e-7)


def test_the_mel_loss_is_differentiable(hifigan):
    batch = a_batch(1)
    guess = (torch.randn_like(batch.audio) * 0.2).requires_grad_()
    hifigan.generator_losses(batch, guess, [judged([0.0], [0.0])], [judged([0.0], [0.0])])["mel_loss"].backward()
    assert torch.isfinite(guess.grad).all()
    assert guess.grad.abs().sum() > 0


@pytest.mark.parametrize("family", ["melgan", "hifigan"])
def test_each_turn_updates_its_own_network_alone(family, request):
    # Within the margins of the hinge loss the gradients of the discriminator's last biases cancel.
    assert_each_turn_updates_its_own_network_alone(request.getfixturevalue(family), a_batch(1), may_rest=3)


@pytest.mark.parametrize("family", ["melgan", "hifigan"])
def test_a_turn_leaves_no_gradients_in_the_other_network(family, request):
    objective, batch = request.getfixturevalue(family), a_batch(1)
    networks = {"discriminator": objective.discriminator, "generator": objective.vocoder}
    for turn in objective.turns:
        objective.zero_grad(set_to_none=True)
        objective.begin_turn(turn)
        objective.loss(turn, batch)[0].backward()
        for name, network in networks.items():
            assert all((value.grad is not None) == (name == turn) for value in network.parameters())


@pytest.mark.slow
def test_the_turns_can_be_compiled():
    torch.manual_seed(seed_of(0))
    recipe = MelGANRecipe(discriminator_channels=4, discriminator_layers=2, discriminator_scales=1)
    melgan = MelGANObjective(MelGAN(MelGANArchitecture(4, 1)), recipe)
    assert_compiled_turns_are_as_plain_ones(melgan, a_batch(1, frames=4), factor=64)


def test_the_learning_rate_of_hifigan_decays_per_epoch(hifigan):
    optimizer = hifigan.optimizer("generator")
    schedule = hifigan.schedule("generator", optimizer)
    optimizer.step()
    schedule.scheduler.step()
    assert schedule.interval == "epoch"
    assert optimizer.param_groups[0]["lr"] == pytest.approx(2e-4 * 0.999)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discriminator_channels": 6}, "discriminator_channels is 6; must be a multiple of 4"),
        ({"discriminator_most_channels": 130}, "discriminator_most_channels is 130; must be a multiple of 4"),
        ({"discriminator_scales": 0}, "discriminator_scales is 0"),
    ],
)
def test_an_impossible_discriminator_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        MelGANRecipe(**settings)


@pytest.mark.parametrize("channels", [0, 64, 200])
def test_an_impossible_discriminator_of_hifigan_is_refused(channels):
    with pytest.raises(ValueError, match=f"discriminator_channels is {channels}; must be a multiple of 128"):
        HiFiGANRecipe(discriminator_channels=channels)


def test_a_generator_runs_once_a_step_and_learns_as_if_it_ran_again(melgan):
    """Between its turns the discriminator moves; a batch that only the generator's turn meets is generated then."""
    passes = []
    melgan.vocoder.register_forward_hook(lambda *_: passes.append(1))
    optimizer, batch = melgan.optimizer("discriminator"), a_batch()

    def gradients_of_generator():
        melgan.zero_grad()
        melgan.begin_turn("generator")
        melgan.loss("generator", batch)[0].backward()
        return [weight.grad.clone() for weight in melgan.vocoder.parameters()]

    melgan.begin_turn("discriminator")
    melgan.loss("discriminator", batch)[0].backward()
    assert all(weight.grad is None for weight in melgan.vocoder.parameters())
    optimizer.step()
    found = gradients_of_generator()
    assert len(passes) == 1
    for one, other in zip(found, gradients_of_generator(), strict=True):
        assert torch.equal(one, other)
    melgan.loss("discriminator", a_batch())
    melgan.loss("generator", batch)
    assert len(passes) == 4


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"discriminator_periods": ()}, r"discriminator_periods is \[\]; must be one or more periods"),
        ({"discriminator_periods": (2, 0)}, r"discriminator_periods is \[2, 0\]; must be one or more periods"),
        ({"discriminator_scales": 0}, "discriminator_scales is 0; must be 1 to 3"),
        ({"discriminator_scales": 4}, "discriminator_scales is 4; must be 1 to 3"),
    ],
)
def test_impossible_periods_and_scales_of_hifigan_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        HiFiGANRecipe(**settings)


def test_fewer_periods_and_scales_judge_as_those_do_in_the_whole_discriminator():
    """The whole one, of the paper, is what `test_training_steps` compares with independent forms."""
    torch.manual_seed(seed_of(0))
    whole, part = hifigan_discriminator(128).eval(), hifigan_discriminator(128, (3, 7), 2).eval()
    chosen = [whole.discriminators[0].stacks[index] for index in (1, 3)]
    for mine, theirs in zip(part.discriminators[0].stacks, chosen, strict=True):
        mine.load_state_dict(theirs.state_dict())
    for mine, theirs in zip(part.discriminators[1].stacks, whole.discriminators[1].stacks, strict=False):
        mine.load_state_dict(theirs.state_dict())
    audio = torch.randn(1, 600)
    with torch.no_grad():
        judged, expected = part(audio), whole(audio)
    for one, place in zip(judged, (1, 3, 5, 6), strict=True):
        torch.testing.assert_close(one.scores, expected[place].scores)


def mel_distance(audio, guess):
    """The L1 distance of log(1 + mel power), by librosa."""
    return np.abs(log_mel(audio) - log_mel(guess)).mean()


def log_mel(audio):
    options = {"sr": 16000, "n_fft": 2048, "hop_length": 256, "n_mels": 80, "pad_mode": "reflect"}
    mel = librosa.feature.melspectrogram(y=np.asarray(audio), **options)
    return np.log1p(mel[..., :-1])  # the last frame lies on the end of the clip
