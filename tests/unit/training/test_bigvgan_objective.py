"""BigVGAN's recipe, where it differs from HiFi-GAN's; its losses and gradients are in `test_training_steps.py`."""

import librosa
import numpy as np
import pytest
import torch
from closeness import assert_close
from seeds import seed_of
from turns import assert_each_turn_updates_its_own_network_alone

from vocoder_pareto.models.bigvgan import BigVGAN, BigVGANArchitecture
from vocoder_pareto.models.discriminators import Judgement
from vocoder_pareto.training.objectives.bigvgan import BigVGANObjective, BigVGANRecipe
from vocoder_pareto.training.objectives.mel_distance import multi_scale_mel_distance
from vocoder_pareto.training.objectives.objective import Batch

pytestmark = pytest.mark.usefixtures("one_thread")
ARCHITECTURE = BigVGANArchitecture(16, residual_kernels=(3,), residual_dilations=((1, 3),))
SCALES = {32: 5, 64: 10, 128: 20, 256: 40, 512: 80, 1024: 160, 2048: 320}  # window: bands


def objective_of(**settings):
    torch.manual_seed(seed_of(0))
    recipe = BigVGANRecipe(period_channels=32, resolution_channels=2, **settings)
    return BigVGANObjective(BigVGAN(ARCHITECTURE), recipe)


def a_batch(count=2, frames=12):
    torch.manual_seed(seed_of(3))
    return Batch(torch.randn(count, frames * 256) * 0.1, torch.rand(count, 80, frames))


def librosas_distance(one, other, sample_rate):
    """The sum over scales of the L1 distance of log10 mel magnitudes, by librosa."""
    total = 0.0
    for window, bands in SCALES.items():
        options = {
            "sr": sample_rate, "n_fft": window, "hop_length": window // 4, "n_mels": bands, "power": 1.0,
            "pad_mode": "reflect",
        }  # fmt: skip
        mels = [librosa.feature.melspectrogram(y=each.double().numpy(), **options) for each in (one, other)]
        total += np.abs(np.subtract(*(np.log10(np.maximum(mel, 1e-5)) for mel in mels))).mean()
    return total


@pytest.mark.filterwarnings("ignore:Empty filters")
@pytest.mark.parametrize("sample_rate", [16000, 24000])
def test_the_mel_distance_of_seven_scales_is_librosas(sample_rate):
    audio = a_batch().audio
    guess = 0.3 * torch.randn_like(audio)
    found = multi_scale_mel_distance(audio, guess, sample_rate)
    assert_close(found, librosas_distance(audio, guess, sample_rate), factor=256, eps=2**-23)


@pytest.mark.filterwarnings("ignore:Empty filters")
def test_a_recipe_of_seven_scales_minimises_their_distance():
    objective, batch = objective_of(mel_scales="seven", mel_weight=15.0), a_batch(1)
    guess, judged = 0.3 * torch.randn_like(batch.audio), [Judgement(torch.zeros(1, 1), ())]
    loss = objective.generator_losses(batch, guess, judged, judged)["mel_loss"]
    assert_close(loss, 15 * librosas_distance(batch.audio, guess, 16000), factor=256, eps=2**-23)


def test_a_clip_shorter_than_a_window_has_a_distance_too():
    audio = a_batch(frames=1).audio
    assert multi_scale_mel_distance(audio, audio, 16000) == 0
    assert torch.isfinite(multi_scale_mel_distance(audio, 0 * audio, 16000))


@pytest.mark.parametrize("mel_scales", ["one", "seven"])
def test_each_turn_updates_its_own_network_alone(mel_scales):
    assert_each_turn_updates_its_own_network_alone(objective_of(mel_scales=mel_scales), a_batch(1))


def test_the_learning_rate_decays_per_step():
    objective = objective_of()
    optimizer = objective.optimizer("generator")
    schedule = objective.schedule("generator", optimizer)
    optimizer.step()
    schedule.scheduler.step()
    assert schedule.interval == "step"
    assert optimizer.param_groups[0]["lr"] == pytest.approx(1e-4 * 0.9999996, rel=1e-9)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"period_channels": 16}, "period_channels is 16; must be a multiple of 32"),
        ({"period_channels": 40}, "period_channels is 40; must be a multiple of 32"),
        ({"resolution_channels": 0}, "resolution_channels is 0; must be at least 1"),
    ],
)
def test_an_impossible_discriminator_is_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        BigVGANRecipe(**settings)
