"""What recipes after HiFi-GAN share: least squares, feature matching and a mel-spectrogram loss."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn

from vocoder_pareto.models.discriminators import Judgement
from vocoder_pareto.training.objectives.adversarial import AdversarialObjective, feature_matching
from vocoder_pareto.training.objectives.objective import Batch


class LeastSquaresRecipe(Protocol):
    """What the `Recipe` of such an objective holds."""

    @property
    def learning_rate(self) -> float:
        """The learning rate of AdamW, for both networks."""

    @property
    def betas(self) -> tuple[float, float]:
        """The decay rates of AdamW's moments."""

    @property
    def feature_matching_weight(self) -> float:
        """The weight λ_fm of HiFi-GAN's equation 5."""

    @property
    def mel_weight(self) -> float:
        """The weight λ_mel of the same."""


class LeastSquaresObjective(AdversarialObjective):
    """HiFi-GAN, equations 1 to 6; feature matching goes over all layers of the discriminators, the scores included."""

    recipe: LeastSquaresRecipe

    def __init__(self, vocoder, recipe: LeastSquaresRecipe, discriminator: nn.Module, sample_rate: int = 16000):
        super().__init__(vocoder, recipe, discriminator, sample_rate)

    @abstractmethod
    def mel_distance(self, audio: Tensor, generated: Tensor) -> Tensor:
        """Return the distance of the mel-spectrograms of two signals (B, T), before its weight."""

    def discriminator_loss(self, real: Sequence[Judgement], generated: Sequence[Judgement]) -> Tensor:
        """Return the least squares of equation 1, summed over sub-discriminators."""
        return torch.stack([
            (truth.scores - 1).square().mean() + guess.scores.square().mean()
            for truth, guess in zip(real, generated, strict=True)
        ]).sum()  # fmt: skip

    def generator_losses(
        self, batch: Batch, generated: Tensor, real: Sequence[Judgement], judged: Sequence[Judgement]
    ) -> dict[str, Tensor]:
        """Return the terms of equations 2 to 5."""
        matching = feature_matching((each.layers for each in real), (each.layers for each in judged))
        return {
            "adversarial_loss": torch.stack([(guess.scores - 1).square().mean() for guess in judged]).sum(),
            "feature_matching_loss": self.recipe.feature_matching_weight * matching,
            "mel_loss": self.recipe.mel_weight * self.mel_distance(batch.audio, generated),
        }

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return AdamW, with the same hyper-parameters for both networks."""
        return torch.optim.AdamW(self.parameters_of(turn), self.recipe.learning_rate, self.recipe.betas)
