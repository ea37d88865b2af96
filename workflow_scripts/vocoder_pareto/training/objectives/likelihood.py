"""The recipe of both flows: the likelihood of the audio under white noise, through the change of variables."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from vocoder_pareto.models.flow import Encoding, FlowVocoder
from vocoder_pareto.training.objectives.objective import Batch, Objective


@dataclass(frozen=True)
class LikelihoodRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of Adam.
        sigma: The standard deviation of the latent in training, greater than 0.
    """

    learning_rate: float = 2.0e-4
    sigma: float = 1.0

    def __post_init__(self):
        if self.sigma <= 0:
            raise ValueError(f"sigma is {self.sigma}; must be greater than 0")


def negative_log_likelihood(encoding: Encoding, sigma: float) -> Tensor:
    """Return nats per sample, the mean over the batch; of a density, so they may be negative.

    Source: WaveFlow, equation 2; WaveGlow, equation 4.
    """
    samples = encoding.latent.shape[1]
    energy = encoding.latent.square().sum(dim=1) / (2 * sigma**2)
    constant = samples * (math.log(sigma) + 0.5 * math.log(2 * math.pi))
    return (energy + constant - encoding.log_determinant).mean() / samples


class LikelihoodObjective(Objective):
    """Adam minimises the negative log-likelihood."""

    Recipe = LikelihoodRecipe
    trains = FlowVocoder
    vocoder: FlowVocoder

    def loss(self, turn: str, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective.loss`."""
        loss = negative_log_likelihood(self.vocoder.encode(batch.audio, batch.mel), self.recipe.sigma)
        return loss, {"negative_log_likelihood": loss.detach()}

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return Adam with PyTorch's moments."""
        return torch.optim.Adam(self.vocoder.parameters(), self.recipe.learning_rate)
