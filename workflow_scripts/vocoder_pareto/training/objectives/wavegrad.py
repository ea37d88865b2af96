"""WaveGrad's recipe (Chen et al., 2021, Algorithm 1): a continuous noise level, drawn from the training schedule.

The loss is the paper's L1. Of the learning rate the paper says nothing. lmnt-com/wavegrad takes 2e-4 throughout,
ivanvovk/WaveGrad 1e-3 and a factor of 0.9 after each epoch, and the study of Douwes et al. (2023) 1e-3 and 0.9 after
every 10 epochs, so that it is under 1e-5 from epoch 440 on; how much of 120 hours comes after that depends on the GPU
and the batch. Ours decays with the used share of the budget, to 1.6e-5 at its end, whatever the budget, the GPU and the
batch; `decay_every: 10, decay_interval: epoch` is the study's. Both public codes clip the norm of the gradients at 1,
and so do we (`gradient_clip`); the study does not.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR

from vocoder_pareto.training.objectives.denoising import DenoisingObjective
from vocoder_pareto.training.objectives.objective import Schedule


@dataclass(frozen=True)
class WaveGradRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of Adam.
        decay: The factor of the learning rate after every `decay_every`, in (0, 1]; 1 is no decay.
        decay_every: After how many steps or epochs, or after which share of the budget; greater than 0.
        decay_interval: What `decay_every` counts: step, epoch or budget.
    """

    learning_rate: float = 1.0e-3
    decay: float = 0.9
    decay_every: float = 0.025
    decay_interval: Literal["step", "epoch", "budget"] = "budget"

    def __post_init__(self):
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay is {self.decay}; must be greater than 0 and at most 1")
        if self.decay_every <= 0:
            raise ValueError(f"decay_every is {self.decay_every}; must be greater than 0")
        if self.decay_interval == "budget" and self.decay_every > 1:
            raise ValueError(
                f"decay_every is {self.decay_every}, more than the whole budget; give a share of it, at most 1, or set "
                "decay_interval: step or epoch"
            )


class WaveGradObjective(DenoisingObjective):
    """The objective of section 3.1: a step is drawn, then a noise level between its own and that of the step before."""

    Recipe = WaveGradRecipe

    def draw_levels(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the scales (B,), which are the levels that WaveGrad is told, too."""
        steps = torch.randint(1, len(self.scales), (len(audio),), device=audio.device)
        low, high = self.scales[steps], self.scales[steps - 1]
        levels = low + (high - low) * torch.rand_like(low)
        return levels, levels

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return the decay of the recipe."""
        recipe = self.recipe
        return Schedule(ExponentialLR(optimizer, recipe.decay), recipe.decay_interval, recipe.decay_every)
