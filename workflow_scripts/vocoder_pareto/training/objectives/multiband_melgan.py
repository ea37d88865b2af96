"""Multi-band MelGAN's recipe (Yang et al., 2021, section 2): least squares and STFT losses of all and of each band.

The generator trains alone first, by STFT losses: one half of the waveform's and one half of the bands'. Then MelGAN's
discriminators, of three scales of the waveform, begin to train, and the generator trains against them, too, with λ_adv
= 2.5. All numbers are those of `multi_band_melgan.v2` of github.com/kan-bayashi/ParallelWaveGAN: Adam with AMSGrad
(Reddi et al., 2018) at 1e-3, which is halved six times, and discriminators of three downsampling layers with up to 512
channels.

Deviations from that code: of its million steps the generator trains alone for 200,000, and the learning rates halve
every 100,000; here these are a fifth and a tenth of the budget, whatever that is. As there, those of the discriminator
count from where its training begins. It updates the generator first; here the discriminator comes first, as in all
recipes of this package.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.lr_scheduler import MultiStepLR

from vocoder_pareto.models.discriminators import melgan_discriminator
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN
from vocoder_pareto.models.resolution_discriminator import UNIVNET_RESOLUTIONS, StftResolution
from vocoder_pareto.training.objectives.adversarial import (
    GanObjective,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from vocoder_pareto.training.objectives.objective import Batch, Progress, Schedule
from vocoder_pareto.training.objectives.stft_loss import multi_resolution_stft_loss

BAND_RESOLUTIONS = (StftResolution(384, 30, 150), StftResolution(683, 60, 300), StftResolution(171, 10, 60))
HALVINGS = 6  # of the learning rate


@dataclass(frozen=True)
class MultiBandMelGANRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of Adam, for both networks.
        epsilon: What Adam adds to the root of the second moment.
        halving_share: The share of the budget after which the learning rate halves, six times in all; in (0, 1].
        pretraining_share: The share of the budget for which the generator trains alone, in [0, 1).
        adversarial_weight: The weight λ_adv of the adversarial loss.
        discriminator_channels: The channels of the discriminator's first layer, a multiple of 4, the size of its
            groups.
        discriminator_scales, discriminator_layers, discriminator_factor: The number of scales, that of downsampling
            layers per scale, and the factor of each layer.
        discriminator_most_channels: The channels of the widest layers.

    Raises:
        ValueError: A setting is out of its range.
    """

    learning_rate: float = 1.0e-3
    epsilon: float = 1.0e-7
    halving_share: float = 0.1
    pretraining_share: float = 0.2
    adversarial_weight: float = 2.5
    discriminator_channels: int = 16
    discriminator_scales: int = 3
    discriminator_layers: int = 3
    discriminator_factor: int = 4
    discriminator_most_channels: int = 512

    def __post_init__(self):
        if not 0 < self.halving_share <= 1:
            raise ValueError(f"halving_share is {self.halving_share}; must be greater than 0 and at most 1")
        if not 0 <= self.pretraining_share < 1:
            raise ValueError(f"pretraining_share is {self.pretraining_share}; must be at least 0 and less than 1")
        for name in ("discriminator_channels", "discriminator_most_channels"):
            if getattr(self, name) < 4 or getattr(self, name) % 4:
                raise ValueError(f"{name} is {getattr(self, name)}; must be a multiple of 4")
        for name in ("discriminator_scales", "discriminator_layers", "discriminator_factor"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; must be at least 1")


class MultiBandMelGANObjective(GanObjective):
    """The objective of section 2: the generator alone, then against its discriminator.

    Attributes:
        is_adversarial: Whether the discriminator takes part in the step at hand.
    """

    Recipe = MultiBandMelGANRecipe
    trains = MultiBandMelGAN
    vocoder: MultiBandMelGAN

    def __init__(self, vocoder, recipe: MultiBandMelGANRecipe, sample_rate: int = 16000):
        discriminator = melgan_discriminator(
            recipe.discriminator_channels,
            recipe.discriminator_scales,
            recipe.discriminator_layers,
            recipe.discriminator_factor,
            recipe.discriminator_most_channels,
        )
        super().__init__(vocoder, recipe, discriminator, sample_rate)
        self.is_adversarial = True

    def begin_step(self, progress: Progress) -> tuple[str, ...]:
        """See `Objective.begin_step`: the generator's turn alone in the first part of the budget."""
        self.is_adversarial = progress.budget_share >= self.recipe.pretraining_share
        return self.turns if self.is_adversarial else ("generator",)

    def discriminator_loss(self, real, generated) -> Tensor:
        """Return the least squares of all scales."""
        return least_squares_discriminator_loss(real, generated)

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return the halved STFT losses and, once that is due, the weighted least squares of all scales."""
        bands = self.vocoder.sub_bands(batch.mel)
        generated = self.vocoder.filter_bank.synthesis(bands)
        with torch.no_grad():
            real_bands = self.vocoder.filter_bank.analysis(batch.audio)
        terms = {
            "stft_loss": 0.5 * multi_resolution_stft_loss(batch.audio, generated, UNIVNET_RESOLUTIONS),
            "band_stft_loss": 0.5 * multi_resolution_stft_loss(real_bands, bands, BAND_RESOLUTIONS),
        }
        if self.is_adversarial:
            loss = least_squares_generator_loss(self.discriminator(generated))
            terms["adversarial_loss"] = self.recipe.adversarial_weight * loss
        return terms

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return Adam, with the same hyper-parameters for both networks."""
        recipe = self.recipe
        return torch.optim.Adam(self.parameters_of(turn), recipe.learning_rate, eps=recipe.epsilon, amsgrad=True)

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return six halvings, for the discriminator from where its training begins."""
        recipe = self.recipe
        start = recipe.pretraining_share if turn == "discriminator" else 0.0
        halvings = MultiStepLR(optimizer, range(1, HALVINGS + 1), gamma=0.5)
        return Schedule(halvings, "budget", recipe.halving_share, start)
