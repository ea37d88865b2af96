"""MelGAN's recipe (Kumar et al., 2019, section 2.4): hinge losses and feature matching.

Equation 4 adds up the distances of feature maps over layers and scales. The official code
(github.com/descriptinc/melgan-neurips) and that of the study's authors multiply the sum by 4 / (layers + 1) / scales,
and so do we: with the published four layers and three scales, by 1 / 3.75. A `feature_matching_weight` of 37.5 gives
equation 4 as it is printed.

Those codes take the features of real audio from before the discriminator's update, which spares them a pass; here both
sides come from after it.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from vocoder_pareto.models.discriminators import melgan_discriminator
from vocoder_pareto.training.objectives.adversarial import AdversarialObjective, feature_matching


@dataclass(frozen=True)
class MelGANRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of Adam, for both networks.
        betas: The decay rates of Adam's moments.
        feature_matching_weight: The weight λ of equation 4, beside the factor 4 / (layers + 1) / scales.
        discriminator_channels: The channels of the discriminator's first layer (`ndf`), a multiple of 4, the size of
            its groups.
        discriminator_scales, discriminator_layers, discriminator_factor: The number of scales, that of downsampling
            layers per scale, and the factor of each layer.
        discriminator_most_channels: The channels of the widest layers, a multiple of 4.

    Raises:
        ValueError: The sizes of the discriminator are impossible.
    """

    learning_rate: float = 1.0e-4
    betas: tuple[float, float] = (0.5, 0.9)
    feature_matching_weight: float = 10.0
    discriminator_channels: int = 16
    discriminator_scales: int = 3
    discriminator_layers: int = 4
    discriminator_factor: int = 4
    discriminator_most_channels: int = 1024

    def __post_init__(self):
        for name in ("discriminator_channels", "discriminator_most_channels"):
            if getattr(self, name) < 4 or getattr(self, name) % 4:
                raise ValueError(f"{name} is {getattr(self, name)}; must be a multiple of 4")
        for name in ("discriminator_scales", "discriminator_layers", "discriminator_factor"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; must be at least 1")


class MelGANObjective(AdversarialObjective):
    """The objective of equations 1 to 4."""

    Recipe = MelGANRecipe

    def __init__(self, vocoder, recipe: MelGANRecipe, sample_rate: int = 16000):
        discriminator = melgan_discriminator(
            recipe.discriminator_channels,
            recipe.discriminator_scales,
            recipe.discriminator_layers,
            recipe.discriminator_factor,
            recipe.discriminator_most_channels,
        )
        super().__init__(vocoder, recipe, discriminator, sample_rate)

    def discriminator_loss(self, real, generated) -> Tensor:
        """Return the hinge loss of equation 1, summed over scales."""
        return torch.stack([
            functional.relu(1 - truth.scores).mean() + functional.relu(1 + guess.scores).mean()
            for truth, guess in zip(real, generated, strict=True)
        ]).sum()  # fmt: skip

    def generator_losses(self, batch, generated, real, judged) -> dict[str, Tensor]:
        """Return the terms of equations 2 to 4."""
        matching = feature_matching((each.features for each in real), (each.features for each in judged))
        factor = 4 / (self.recipe.discriminator_layers + 1) / self.recipe.discriminator_scales
        return {
            "adversarial_loss": -torch.stack([guess.scores.mean() for guess in judged]).sum(),
            "feature_matching_loss": self.recipe.feature_matching_weight * factor * matching,
        }

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return Adam, with the same hyper-parameters for both networks."""
        return torch.optim.Adam(self.parameters_of(turn), self.recipe.learning_rate, self.recipe.betas)
