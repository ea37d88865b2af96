"""WaveGrad's recipe (Chen et al., 2021, Algorithm 1): a continuous noise level, drawn from the training schedule."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.optim.lr_scheduler import StepLR

from vocoder_pareto.models.diffusion import DiffusionVocoder, NoiseSchedule
from vocoder_pareto.training.objectives.denoising import DenoisingObjective
from vocoder_pareto.training.objectives.objective import Schedule


@dataclass(frozen=True)
class WaveGradRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of Adam.
        decay: The factor of the learning rate after every `decay_epochs` epochs.
        decay_epochs: The number of epochs from one decay to the next.
        first_beta, last_beta, diffusion_steps: The linear noise schedule whose levels bound the intervals to draw from.
    """

    learning_rate: float = 1.0e-3
    decay: float = 0.9
    decay_epochs: int = 10
    first_beta: float = 1.0e-6
    last_beta: float = 0.01
    diffusion_steps: int = 1000


class WaveGradObjective(DenoisingObjective):
    """The objective of section 3.1: a step is drawn, then a noise level between its own and that of the step before."""

    Recipe = WaveGradRecipe
    scales: Tensor  # √ᾱ of all steps from 0, float64

    def __init__(self, vocoder: DiffusionVocoder, recipe: WaveGradRecipe, sample_rate: int = 16000):
        super().__init__(vocoder, recipe, sample_rate)
        schedule = NoiseSchedule.linear(recipe.first_beta, recipe.last_beta, recipe.diffusion_steps)
        self.register_buffer("scales", torch.tensor(schedule.signal_scales, dtype=torch.float64), persistent=False)

    def draw_levels(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the scales (B,), which are the levels that WaveGrad is told, too."""
        steps = torch.randint(1, len(self.scales), (len(audio),), device=audio.device)
        low, high = self.scales[steps], self.scales[steps - 1]
        levels = low + (high - low) * torch.rand_like(low)
        return levels, levels

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return a decay in steps of epochs."""
        return Schedule(StepLR(optimizer, self.recipe.decay_epochs, self.recipe.decay), "epoch")
