"""Tiny vocoders, trained for a fixed number of steps on fixed clips: what they generate, not that a loss fell.

The outside of these tests are the clips: their spectra, their loudness and the noise that was added to them are known.
A sampler that is told another noise than it is given, an embedding that was never trained, a forgotten factor of the
posterior: each shows here, and neither in a loss nor in a comparison of two forms of the same code.
"""

from itertools import repeat

import librosa
import lightning
import numpy as np
import pytest
import torch
from seeds import seed_of
from two_voices import mean_d_stft, two_voices

from vocoder_pareto.models.diffwave import DiffWave, DiffWaveArchitecture
from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture
from vocoder_pareto.models.waveglow import WaveGlow, WaveGlowArchitecture
from vocoder_pareto.models.wavegrad import WaveGrad, WaveGradArchitecture
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.objectives.diffwave import DiffWaveObjective, DiffWaveRecipe
from vocoder_pareto.training.objectives.likelihood import LikelihoodObjective, LikelihoodRecipe
from vocoder_pareto.training.objectives.objective import Batch
from vocoder_pareto.training.objectives.wavegrad import WaveGradObjective, WaveGradRecipe
from vocoder_pareto.training.trainer import make_trainer

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]

DRAWS = 4  # of the noise that generation begins with


@pytest.fixture(scope="module")
def voices():
    """Two clips of 8 frames with 11 harmonics of gliding tones and faint breath, and their mel-spectrograms."""
    audio = two_voices(frames=8, breath=0.01)
    power = librosa.feature.melspectrogram(y=audio.numpy(), sr=16000, n_fft=2048, hop_length=256, n_mels=80)
    log_mel = np.log1p(power[..., :-1])
    return Batch(audio, torch.from_numpy(log_mel / log_mel.max()))


class StopAfter(lightning.Callback):
    def __init__(self, steps):
        self.steps = steps

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx):
        trainer.should_stop = module.step >= self.steps


def trained(objective, voices, steps, gradient_clip=None):
    """The vocoder of `objective` after so many steps of the product's own training, each on both clips."""
    settings = TrainingSettings(steps=steps, segment_frames=None, gradient_clip=gradient_clip)
    module = TrainingModule(objective, settings, seed_of(3), 1, lambda step: step / steps)
    make_trainer(torch.device("cpu"), settings, [StopAfter(steps)]).fit(module, repeat(voices))
    return objective.vocoder.eval().requires_grad_(False)


def assert_sounds_like(vocoder, voices, distance, loudness):
    """D_STFT of each draw below `distance`, which is far below that of equally loud noise; loudness as of the clips."""
    audio = [vocoder.synthesize(voices.mel, torch.Generator().manual_seed(seed_of(draw))) for draw in range(DRAWS)]
    noise = voices.audio.std() * torch.randn(voices.audio.shape, generator=torch.Generator().manual_seed(seed_of(9)))
    assert distance < 0.4 * mean_d_stft(voices.audio, noise)
    assert max(mean_d_stft(voices.audio, guess) for guess in audio) < distance
    assert float(torch.stack(audio).square().mean().sqrt() / voices.audio.square().mean().sqrt()) == loudness


def noise_error(vocoder, voices, level, scale):
    """The mean absolute error of the noise that is predicted at a level, over several noises; √(2 / π) is no skill."""
    generator = torch.Generator().manual_seed(seed_of(5))
    errors = []
    for _ in range(20):
        noise = torch.randn(voices.audio.shape, generator=generator)
        noisy = scale * voices.audio + np.sqrt(1 - scale**2) * noise
        told = torch.full((len(noise),), level, dtype=torch.float64)
        errors.append(float((vocoder.predict_noise(noisy, told, voices.mel) - noise).abs().mean()))
    return np.mean(errors)


def noise_errors(vocoder, voices):
    """`noise_error` at the levels of generation, from the cleanest."""
    levels = zip(vocoder.noise_levels, vocoder.schedule.signal_scales[1:], strict=True)
    return np.array([noise_error(vocoder, voices, level, scale) for level, scale in levels])


def deviations_while_sampling(vocoder, voices):
    """The deviation of what the network is given at each step, relative to what training gives it at that level."""
    generator = torch.Generator().manual_seed(seed_of(7))
    predict, ratios = vocoder.noise_predictor(voices.mel), {}

    def draw():
        return torch.randn(voices.audio.shape, generator=generator)

    def watched(noisy, step):
        share = vocoder.schedule.alpha_bars[step]
        trained_on = np.sqrt(share * float(voices.audio.square().mean()) + 1 - share)
        ratios[step] = float(noisy.square().mean().sqrt()) / trained_on
        return predict(noisy, step)

    vocoder.schedule.denoised(draw(), watched, draw)
    return np.array([ratios[step] for step in sorted(ratios)])


def least_error(vocoder):
    """The error of the noise at the levels of generation for who knows the tones and not the breath, after Wiener."""
    shares = np.array(vocoder.schedule.alpha_bars[1:])
    breath = shares * 0.01**2
    return np.sqrt(2 / np.pi) * np.sqrt(breath / (breath + 1 - shares))


def test_diffwave_trained_on_two_clips_gives_them_back(voices):
    """Of the 6 steps of generation, 5 lie between steps that training draws, and are no harder than these."""
    vocoder = DiffWave(DiffWaveArchitecture(residual_layers=8, residual_channels=16, dilation_cycle=8))
    trained(DiffWaveObjective(vocoder, DiffWaveRecipe(learning_rate=1.0e-3)), voices, steps=2400)
    assert_sounds_like(vocoder, voices, distance=0.45, loudness=pytest.approx(0.9, abs=0.2))
    errors, least = noise_errors(vocoder, voices), least_error(vocoder)
    assert np.all(errors > 0.7 * least)
    assert np.all(errors < least + 0.3)
    scales = vocoder.trained_schedule.signal_scales
    for error, step in zip(errors, vocoder.noise_levels, strict=True):
        around = [noise_error(vocoder, voices, whole, scales[whole]) for whole in {int(step), int(np.ceil(step))}]
        assert error < 1.4 * max(around)
    assert deviations_while_sampling(vocoder, voices) == pytest.approx(1, abs=0.3)


def test_wavegrad_trained_on_two_clips_gives_them_back(voices):
    """It is told levels that training covers, and at each it is given about as much noise and signal as in training."""
    vocoder = WaveGrad(WaveGradArchitecture((32, 32, 32, 16, 16, 16), (8, 16, 16, 16, 32)))
    objective = WaveGradObjective(vocoder, WaveGradRecipe(learning_rate=2.0e-3))
    trained(objective, voices, steps=2500, gradient_clip=1.0)
    assert_sounds_like(vocoder, voices, distance=0.8, loudness=pytest.approx(0.9, abs=0.2))
    errors, least = noise_errors(vocoder, voices), least_error(vocoder)
    assert np.all(errors > 0.7 * least)
    assert np.all(errors < least + 0.45)
    assert deviations_while_sampling(vocoder, voices) == pytest.approx(1, abs=0.3)


@pytest.mark.parametrize(
    ("build", "distance", "loudness"),
    [
        (lambda: WaveFlow(WaveFlowArchitecture(flows=4, layers=4, channels=16, height=8)), 0.6, 0.9),
        (
            lambda: WaveGlow(WaveGlowArchitecture(flows=6, early_every=3, layers=4, channels=16, upsample_kernel=512)),
            0.8,
            0.6,  # its σ of generation: as long as little is known of the clips, the latent makes their loudness
        ),
    ],
    ids=["waveflow", "waveglow"],
)
def test_flows_trained_on_two_clips_give_them_back(build, distance, loudness, voices):
    """Their clips become noise of about the deviation that training assumes, from which generation draws."""
    vocoder = build()
    objective = LikelihoodObjective(vocoder, LikelihoodRecipe(learning_rate=2.0e-3))
    trained(objective, voices, steps=500, gradient_clip=5.0)
    assert_sounds_like(vocoder, voices, distance, loudness=pytest.approx(loudness, abs=0.2))
    assert float(vocoder.encode(*voices).latent.std()) == pytest.approx(objective.recipe.sigma, abs=0.3)
