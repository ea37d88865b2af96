"""GANs after a training: how far their audio is from the recordings, and how loud it is.

Tiny models, but the recipes of the study with all their losses, on a fixed corpus of two clips, for a fixed number of
steps. The outside is the corpus itself, and what needs no network: silence, and white noise as loud as the clips.
"""

import numpy as np
import pytest
import torch
from seeds import seed_of
from two_voices import mean_d_stft, two_voices

from vocoder_pareto.audio.features import features
from vocoder_pareto.models.bigvgan import BigVGAN, BigVGANArchitecture
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.istftnet import ISTFTNet, ISTFTNetArchitecture
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN, MultiBandMelGANArchitecture
from vocoder_pareto.models.univnet import UnivNet, UnivNetArchitecture
from vocoder_pareto.models.vocos import Vocos, VocosArchitecture
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.training.objectives.bigvgan import BigVGANObjective, BigVGANRecipe
from vocoder_pareto.training.objectives.hifigan import HiFiGANObjective, HiFiGANRecipe
from vocoder_pareto.training.objectives.melgan import MelGANObjective, MelGANRecipe
from vocoder_pareto.training.objectives.multiband_melgan import MultiBandMelGANObjective, MultiBandMelGANRecipe
from vocoder_pareto.training.objectives.objective import Batch, Progress
from vocoder_pareto.training.objectives.univnet import UnivNetObjective, UnivNetRecipe
from vocoder_pareto.training.objectives.vocos import VocosObjective, VocosRecipe

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("one_thread")]


@pytest.fixture(scope="module")
def corpus():
    """Two clips of 16 frames with 11 harmonics of gliding tones in faint noise, and their mel-spectrograms to 1."""
    audio = two_voices(frames=16, breath=0.02)
    mel = features(audio, FrontEndSettings())
    return Batch(audio, mel / mel.max())


def trained(objective, batch, steps, decay):
    """The loop of `Objective`, with a learning rate that falls by `decay` at every step → the audio at the end."""
    optimizers = {turn: objective.optimizer(turn) for turn in objective.turns}
    schedules = [torch.optim.lr_scheduler.ExponentialLR(each, decay) for each in optimizers.values()]
    for step in range(steps):
        for turn in objective.begin_step(Progress(step, None, step / steps)):
            optimizer = optimizers[turn]
            objective.begin_turn(turn)
            loss, _ = objective.loss(turn, batch)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        for schedule in schedules:
            schedule.step()
    return objective.vocoder.synthesize(batch.mel).numpy()


def distance(batch, audio):
    return mean_d_stft(batch.audio, audio)


def loudness(batch, audio):
    """The root mean square over that of the recordings."""
    return np.std(audio) / np.std(batch.audio.numpy())


def white_noise(batch):
    noise = np.random.default_rng(seed_of(1)).standard_normal(batch.audio.shape)
    return noise * batch.audio.numpy().std(axis=1, keepdims=True)


def assert_learned(batch, audio, bound):
    """The stated D_STFT, a loudness within a tenth, and each clip nearer to its own recording than to the other."""
    assert distance(batch, audio) < bound
    assert bound < 0.3 * distance(batch, white_noise(batch))
    assert abs(loudness(batch, audio) - 1) < 0.1
    assert distance(batch, audio) < 0.95 * distance(batch, audio[::-1])


def test_hifigan_learns_its_corpus(corpus):
    torch.manual_seed(seed_of(2))
    architecture = HiFiGANArchitecture(
        channels=64, upsampling=(16, 16), upsampling_kernels=(32, 32), residual_kernels=(3,),
        residual_dilations=((1, 3),),
    )  # fmt: skip
    recipe = HiFiGANRecipe(learning_rate=3.0e-3, discriminator_channels=128)
    audio = trained(HiFiGANObjective(HiFiGAN(architecture), recipe), corpus, steps=450, decay=0.993)
    assert_learned(corpus, audio, bound=0.45)
    assert distance(corpus, audio) < 0.9 * distance(corpus, np.zeros_like(audio))  # silence is near in D_STFT


def test_melgan_learns_its_corpus(corpus):
    """By its discriminators alone, without a loss on spectra."""
    torch.manual_seed(seed_of(2))
    recipe = MelGANRecipe(learning_rate=1.0e-3, discriminator_channels=4, discriminator_layers=2)
    audio = trained(
        MelGANObjective(MelGAN(MelGANArchitecture(32, 1, (16, 16))), recipe), corpus, steps=600, decay=0.997
    )
    assert_learned(corpus, audio, bound=0.65)


def test_multi_band_melgan_learns_its_corpus_by_spectra_alone(corpus):
    """Its first stage; in the second, discriminators learn two clips by heart, and outweigh the losses of spectra."""
    torch.manual_seed(seed_of(2))
    recipe = MultiBandMelGANRecipe(
        3.0e-3, pretraining_share=0.999, discriminator_channels=4, discriminator_layers=2
    )  # fmt: skip
    vocoder = MultiBandMelGAN(MultiBandMelGANArchitecture(64, 2, (8, 8)))
    audio = trained(MultiBandMelGANObjective(vocoder, recipe), corpus, steps=450, decay=0.993)
    assert distance(corpus, audio) < 0.45 < 0.3 * distance(corpus, white_noise(corpus))
    assert distance(corpus, audio) < 0.9 * distance(corpus, audio[::-1])
    assert distance(corpus, audio) < 0.9 * distance(corpus, np.zeros_like(audio))
    assert abs(loudness(corpus, audio) - 1) < 0.2


def test_univnet_learns_its_corpus(corpus):
    torch.manual_seed(seed_of(2))
    architecture = UnivNetArchitecture(8, (16, 16), (1, 3, 9), 16, 16)
    recipe = UnivNetRecipe(learning_rate=3.0e-3, resolution_channels=4, period_channels=32)
    audio = trained(UnivNetObjective(UnivNet(architecture), recipe), corpus, steps=450, decay=0.993)
    assert_learned(corpus, audio, bound=0.65)


def test_vocos_learns_its_corpus(corpus):
    torch.manual_seed(seed_of(2))
    recipe = VocosRecipe(learning_rate=3.0e-3, period_channels=32, band_channels=4)
    vocoder = Vocos(VocosArchitecture(channels=64, blocks=2))
    audio = trained(VocosObjective(vocoder, recipe), corpus, steps=200, decay=0.985)
    assert_learned(corpus, audio, bound=0.45)


def test_istftnet_learns_its_corpus(corpus):
    """By HiFi-GAN's recipe; after so few steps the loudness is not there for every seed."""
    torch.manual_seed(seed_of(2))
    architecture = ISTFTNetArchitecture(
        channels=64, upsampling=(8, 8), upsampling_kernels=(16, 16), residual_kernels=(3,),
        residual_dilations=((1, 3),),
    )  # fmt: skip
    recipe = HiFiGANRecipe(learning_rate=3.0e-3, discriminator_channels=128)
    audio = trained(HiFiGANObjective(ISTFTNet(architecture), recipe), corpus, steps=300, decay=0.99)
    assert distance(corpus, audio) < 0.55 < 0.3 * distance(corpus, white_noise(corpus))
    assert distance(corpus, audio) < distance(corpus, audio[::-1])


def test_bigvgan_learns_its_corpus(corpus):
    torch.manual_seed(seed_of(2))
    architecture = BigVGANArchitecture(64, (16, 16), (32, 32), residual_kernels=(3,), residual_dilations=((1, 3),))
    recipe = BigVGANRecipe(learning_rate=3.0e-3, period_channels=128, resolution_channels=4)
    audio = trained(BigVGANObjective(BigVGAN(architecture), recipe), corpus, steps=300, decay=0.99)
    assert_learned(corpus, audio, bound=0.45)


def test_bigvgan_v2_learns_its_corpus(corpus):
    """By seven scales of mel-spectrograms and against constant-Q transforms."""
    torch.manual_seed(seed_of(2))
    architecture = BigVGANArchitecture(
        64, (16, 16), (32, 32), residual_kernels=(3,), residual_dilations=((1, 3),), bound="clip", last_bias=False
    )
    recipe = BigVGANRecipe(
        learning_rate=3.0e-3, period_channels=128, transform="constant_q", resolution_channels=4, mel_scales="seven",
        mel_weight=15.0,
    )  # fmt: skip
    audio = trained(BigVGANObjective(BigVGAN(architecture), recipe), corpus, steps=200, decay=0.99)
    assert distance(corpus, audio) < 0.45 < 0.3 * distance(corpus, white_noise(corpus))
    assert distance(corpus, audio) < 0.95 * distance(corpus, audio[::-1])
    assert abs(loudness(corpus, audio) - 1) < 0.2
