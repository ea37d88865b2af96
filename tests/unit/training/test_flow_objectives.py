"""The likelihood of the flow vocoders: hand-computed values, and that both learn."""

import math
from types import SimpleNamespace

import librosa
import numpy as np
import pytest
import scipy.signal
import scipy.stats
import torch
from closeness import assert_close
from seeds import seed_of

from vocoder_pareto.models.flow import Encoding, FlowVocoder
from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture
from vocoder_pareto.models.waveglow import WaveGlow, WaveGlowArchitecture
from vocoder_pareto.quality.spectral_distance import d_stft
from vocoder_pareto.training.objectives.likelihood import (
    LikelihoodObjective,
    LikelihoodRecipe,
    negative_log_likelihood,
)
from vocoder_pareto.training.objectives.objective import Batch, Progress


def test_the_likelihood_of_hand_computed_values():
    """Two clips of two samples: z²/2 sums to 2.5 and 0, log 2π to 1.8379 each, log-determinants are 1 and −1."""
    encoding = Encoding(torch.tensor([[1.0, 2.0], [0.0, 0.0]]), torch.tensor([1.0, -1.0]))
    expected = ((2.5 + math.log(2 * math.pi) - 1) + (0 + math.log(2 * math.pi) + 1)) / 2 / 2
    assert_close(negative_log_likelihood(encoding, 1.0), expected, factor=16)


@pytest.mark.parametrize("sigma", [0.6, math.sqrt(0.5), 1.0])
def test_the_likelihood_is_the_density_of_scaled_noise(sigma):
    """A flow that halves the audio: its density is that of a normal distribution twice as wide as the latent's."""
    audio = torch.randn(3, 50, generator=torch.Generator().manual_seed(seed_of(0)))
    encoding = Encoding(audio / 2, torch.full((3,), 50 * math.log(0.5)))
    expected = -scipy.stats.norm.logpdf(audio.numpy(), scale=2 * sigma).mean()
    assert_close(negative_log_likelihood(encoding, sigma), expected, factor=16)


class Doubling(FlowVocoder):
    """z = 2 x, for whatever mel."""

    def __init__(self, architecture=None):
        super().__init__(architecture, n_mels=2, hop_length=4)
        self.scale = torch.nn.Parameter(torch.tensor(2.0))

    def encode(self, audio, mel):
        return Encoding(self.scale * audio, audio.shape[1] * self.scale.log().expand(len(audio)))

    def decode(self, latent, mel):
        return latent / self.scale


def test_the_objective_is_the_likelihood_of_the_batch_by_adam():
    objective = LikelihoodObjective(Doubling(), LikelihoodRecipe(learning_rate=0.01, sigma=0.5))
    batch = Batch(torch.randn(2, 8, generator=torch.Generator().manual_seed(seed_of(0))), torch.zeros(2, 2, 2))
    loss, parts = objective.loss("generator", batch)
    assert_close(loss, -scipy.stats.norm.logpdf(batch.audio.numpy(), scale=0.25).mean(), factor=16)
    assert {name: value.requires_grad for name, value in parts.items()} == {"negative_log_likelihood": False}
    assert objective.turns == ("generator",)
    optimizer = objective.optimizer("generator")
    assert type(optimizer) is torch.optim.Adam
    assert optimizer.param_groups[0]["lr"] == 0.01
    # The best scale of σ = 0.5 is 0.5 over the root mean square of the audio.
    for _ in range(600):
        optimizer.zero_grad()
        objective.loss("generator", batch)[0].backward()
        optimizer.step()
    assert objective.vocoder.scale.item() == pytest.approx(0.5 / batch.audio.square().mean().sqrt().item(), rel=0.01)


def test_a_flow_of_scaled_audio_has_the_density_of_the_audio_and_gives_its_loudness():
    """z = 2 · 5 x: normal audio of a tenth of the latent's deviation, whichever of both scales it."""
    vocoder = Doubling(SimpleNamespace(audio_scale=5.0))
    batch = Batch(torch.randn(2, 8, generator=torch.Generator().manual_seed(seed_of(0))), torch.zeros(2, 2, 2))
    loss, _ = LikelihoodObjective(vocoder, LikelihoodRecipe(sigma=0.5)).loss("generator", batch)
    assert_close(loss, -scipy.stats.norm.logpdf(batch.audio.numpy(), scale=0.05).mean(), factor=64)
    for generate in (vocoder.generate, vocoder.generate_plainly):
        audio = generate(torch.zeros(1, 2, 5000), torch.Generator().manual_seed(seed_of(1)))
        assert float(audio.detach().std()) == pytest.approx(0.1, rel=0.03)


@pytest.mark.parametrize("scale", [0, -1.0, float("inf"), float("nan")])
def test_a_flow_of_audio_of_no_loudness_is_refused(scale):
    with pytest.raises(ValueError, match=r"audio_scale is .*; must be more than 0"):
        Doubling(SimpleNamespace(audio_scale=scale))


def test_the_learning_rate_decays_by_the_recipe_alone():
    rates = []
    for recipe in (LikelihoodRecipe(0.01), LikelihoodRecipe(0.01, decay=0.5, decay_every=0.25)):
        objective = LikelihoodObjective(Doubling(), recipe)
        optimizer = objective.optimizer("generator")
        schedule = objective.schedule("generator", optimizer)
        optimizer.step()
        if schedule is not None:
            schedule.follow(Progress(None, None, 0.8))
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [0.01, 0.01 * 0.5**3]


def test_dither_is_white_noise_of_its_deviation_and_bounds_the_likelihood_of_silence():
    """The expected likelihood of the noise, a normal distribution, under one of deviation σ / 2."""
    recipe = LikelihoodRecipe(sigma=0.5, dither=0.1)
    batch = Batch(torch.zeros(4, 100_000), torch.zeros(4, 2, 25_000))
    loss, _ = LikelihoodObjective(Doubling(), recipe).loss("generator", batch)
    expected = math.log(0.25 * math.sqrt(2 * math.pi)) + 0.1**2 / (2 * 0.25**2)
    assert loss.item() == pytest.approx(expected, abs=5e-3 * 0.1**2 / 0.25**2 * 6)  # six standard errors
    assert not batch.audio.any()


@pytest.mark.parametrize(("dither", "told"), [(0.0, ["25.0 % of the training audio is digital silence"]), (1e-3, [])])
def test_digital_silence_without_dither_is_told(dither, told):
    """A quarter of the time is silent; steps of 16 bits, as what a microphone's silence is at least, are none."""
    audio = torch.randn(4, 1100, generator=torch.Generator().manual_seed(seed_of(0)))
    audio[0] = audio[1] = (audio[1] * 2).round() * 2**-15
    objective = LikelihoodObjective(Doubling(), LikelihoodRecipe(dither=dither))
    assert list(objective.doubts(audio)) == []
    audio[0] = 0.0
    assert [doubt.partition(",")[0] for doubt in objective.doubts(audio)] == told


def test_a_negative_dither_is_refused():
    with pytest.raises(ValueError, match="dither is -1"):
        LikelihoodRecipe(dither=-1.0)


@pytest.mark.parametrize("sigma", [0.0, -1.0])
def test_a_sigma_that_gives_no_density_is_refused(sigma):
    with pytest.raises(ValueError, match=r"must be greater than 0"):
        LikelihoodRecipe(sigma=sigma)


@pytest.fixture(scope="module")
def noise_in_bands():
    """Two clips of 8 frames, loud noise in one band each above faint noise everywhere, and their mel-spectrograms."""
    generator = np.random.default_rng(seed_of(0))
    bands = [scipy.signal.butter(6, band, "bandpass", fs=16000, output="sos") for band in ([300, 2500], [100, 1200])]
    audio = np.stack([scipy.signal.sosfilt(band, generator.standard_normal(8 * 256)) for band in bands])
    audio = 0.25 * audio / audio.std(axis=1, keepdims=True) + 0.001 * generator.standard_normal(audio.shape)
    audio = np.clip(audio, -1, 1).astype(np.float32)
    mel = librosa.feature.melspectrogram(y=audio, sr=16000, n_fft=2048, hop_length=256, n_mels=80)
    mel = torch.from_numpy(np.log1p(mel[..., :-1]))  # the last frame lies on the end of the clip
    return Batch(torch.from_numpy(audio), mel / mel.amax(dim=(1, 2), keepdim=True))


def train(objective, batch, steps, clip):
    """The loop of `Objective` with clipped gradients; gives the loss at the start and the mean of the last five."""
    optimizer, losses = objective.optimizer("generator"), []
    for _ in range(steps):
        loss, _ = objective.loss("generator", batch)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(objective.parameters(), clip)
        optimizer.step()
        losses.append(loss.item())
    return losses[0], np.mean(losses[-5:])


def mean_d_stft(audio, guess):
    return np.mean([d_stft(*pair) for pair in zip(np.asarray(audio), np.asarray(guess), strict=True)])


@pytest.mark.slow
def test_waveflow_learns_a_small_set(noise_in_bands):
    """From 0.95 to below −1.6 nats per sample, and D_STFT to half of the untrained model's and of white noise's."""
    vocoder = WaveFlow(WaveFlowArchitecture(flows=3, layers=4, channels=16, height=8))

    def d_stft_of_generated():
        audio = vocoder.synthesize(noise_in_bands.mel, torch.Generator().manual_seed(seed_of(0)))
        return mean_d_stft(noise_in_bands.audio, audio)

    audio = noise_in_bands.audio
    noise = audio.std() * torch.randn(audio.shape, generator=torch.Generator().manual_seed(seed_of(1)))
    untrained = d_stft_of_generated()
    objective = LikelihoodObjective(vocoder, LikelihoodRecipe(learning_rate=4.0e-3))
    first, last = train(objective, noise_in_bands, steps=120, clip=5.0)
    assert first == pytest.approx(0.95, abs=0.01)
    assert last < -1.6
    assert d_stft_of_generated() < 0.5 * untrained
    assert d_stft_of_generated() < 0.5 * mean_d_stft(audio, noise)


@pytest.mark.slow
def test_waveglow_learns_a_small_set(noise_in_bands):
    """From 0.95 to below −0.6 nats per sample, without weight normalisation."""
    architecture = WaveGlowArchitecture(flows=4, early_every=2, layers=3, channels=16, upsample_kernel=256)
    objective = LikelihoodObjective(WaveGlow(architecture), LikelihoodRecipe(learning_rate=4.0e-3))
    first, last = train(objective, noise_in_bands, steps=100, clip=5.0)
    assert first == pytest.approx(0.95, abs=0.01)
    assert last < -0.6
