"""WaveGrad's recipe (Chen et al., 2021, Algorithm 1): a continuous noise level, drawn from the training schedule.

The loss is the paper's L1. Of the learning rate the paper says nothing. lmnt-com/wavegrad takes 2e-4 throughout,
ivanvovk/WaveGrad 1e-3 and a factor of 0.9 after each epoch, and the study of Douwes et al. (2023) 1e-3 and 0.9 after
every 10 epochs, so that it is under 1e-5 from epoch 440 on; how much of 120 hours comes after that depends on the GPU
and the batch. Ours decays with the used share of the budget, to 1.6e-5 at its end, whatever the budget, the GPU and the
batch; `decay_every: 10, decay_interval: epoch` is the study's. Both public codes clip the norm of the gradients at 1,
and so do we (`gradient_clip`); the study does not.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vocoder_pareto.training.objectives.decay import DecayingRate
from vocoder_pareto.training.objectives.denoising import DenoisingObjective


@dataclass(frozen=True)
class WaveGradRecipe(DecayingRate):
    """The hyper-parameters of the recipe, see `DecayingRate`."""

    learning_rate: float = 1.0e-3
    decay: float = 0.9


class WaveGradObjective(DenoisingObjective):
    """The objective of section 3.1: a step is drawn, then a noise level between its own and that of the step before."""

    Recipe = WaveGradRecipe

    def draw_levels(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the scales (B,), which are the levels that WaveGrad is told, too."""
        steps = torch.randint(1, len(self.scales), (len(audio),), device=audio.device)
        low, high = self.scales[steps], self.scales[steps - 1]
        levels = low + (high - low) * torch.rand_like(low)
        return levels, levels
