"""UnivNet's recipe (Jang et al., 2021, section 2.3): least squares and a multi-resolution STFT loss, without matching.

The discriminators judge magnitudes of three resolutions and waveforms folded by five periods (figure 1); all stacks
together count as one, since the adversarial losses are means over them. The numbers are those of the code whose
weights people use (github.com/maum-ai/univnet, which is not its authors'): Adam at 1e-4 with moments of 0.5 and 0.9, λ
= 2.5, no schedule, and in the folding stacks 64, 128, 256 and 512 channels, where HiFi-GAN's have 32, 128, 512, 1024.

Deviations from that code: its configuration says Adam, and it decays weights by AdamW's default; here is no decay. It
updates the generator first, and both networks with audio of the same noise; here the discriminator comes first, as in
all recipes of this package, and each turn draws its own.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vocoder_pareto.models.discriminators import JointDiscriminator, MultiPeriodDiscriminator
from vocoder_pareto.models.resolution_discriminator import UNIVNET_RESOLUTIONS, MultiResolutionDiscriminator
from vocoder_pareto.training.objectives.adversarial import (
    GanObjective,
    least_squares_discriminator_loss,
    least_squares_generator_loss,
)
from vocoder_pareto.training.objectives.objective import Batch
from vocoder_pareto.training.objectives.stft_loss import multi_resolution_stft_loss

SLOPE = 0.2  # of the leaky ReLUs of the discriminators


@dataclass(frozen=True)
class UnivNetRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of Adam, for both networks.
        betas: The decay rates of Adam's moments.
        stft_weight: The weight λ of the multi-resolution STFT loss.
        resolution_channels: The channels of the layers that judge magnitudes, at least 1; 32 in the public code.
        period_channels: The channels of the widest layers that judge folded waveforms, a multiple of 16; 1024 there.

    Raises:
        ValueError: A number of channels is out of its range.
    """

    learning_rate: float = 1.0e-4
    betas: tuple[float, float] = (0.5, 0.9)
    stft_weight: float = 2.5
    resolution_channels: int = 32
    period_channels: int = 1024

    def __post_init__(self):
        if self.resolution_channels < 1:
            raise ValueError(f"resolution_channels is {self.resolution_channels}; must be at least 1")
        if self.period_channels < 16 or self.period_channels % 16:
            raise ValueError(f"period_channels is {self.period_channels}; must be a multiple of 16")


class UnivNetObjective(GanObjective):
    """The objective of section 2.3."""

    Recipe = UnivNetRecipe

    def __init__(self, vocoder, recipe: UnivNetRecipe, sample_rate: int = 16000):
        discriminator = JointDiscriminator(
            MultiResolutionDiscriminator(UNIVNET_RESOLUTIONS, SLOPE, recipe.resolution_channels),
            MultiPeriodDiscriminator(slope=SLOPE, channels=recipe.period_channels, parts=(16, 8, 4, 2)),
        )
        super().__init__(vocoder, recipe, discriminator, sample_rate)

    def discriminator_loss(self, real, generated) -> Tensor:
        """Return the least squares of all stacks."""
        return least_squares_discriminator_loss(real, generated)

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return the least squares of all stacks and the weighted STFT loss, of the discriminators' resolutions."""
        generated = self.vocoder(batch.mel)
        distance = multi_resolution_stft_loss(batch.audio, generated, UNIVNET_RESOLUTIONS)
        return {
            "adversarial_loss": least_squares_generator_loss(self.discriminator(generated)),
            "stft_loss": self.recipe.stft_weight * distance,
        }

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return Adam, with the same hyper-parameters for both networks."""
        return torch.optim.Adam(self.parameters_of(turn), self.recipe.learning_rate, self.recipe.betas)
