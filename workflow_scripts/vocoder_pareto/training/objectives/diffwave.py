"""DiffWave's recipe (Kong et al., 2021, Algorithm 1): a step of the training schedule, drawn at random.

Deviation: the paper minimises the squared error of the noise (L2); its usual code (lmnt-com/diffwave), the study of
Douwes et al. (2023) and we the absolute error (L1). Adam at 2e-4, without decay and without clipping of gradients, is
everyone's.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from vocoder_pareto.training.objectives.decay import DecayingRate
from vocoder_pareto.training.objectives.denoising import DenoisingObjective


@dataclass(frozen=True)
class DiffWaveRecipe(DecayingRate):
    """The hyper-parameters of the recipe, see `DecayingRate`; by default nothing decays."""


class DiffWaveObjective(DenoisingObjective):
    """The objective of section 2 and Algorithm 1, with the schedule of the vocoder's architecture."""

    Recipe = DiffWaveRecipe

    def draw_levels(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the scales, and the steps that DiffWave is told, counted from 1 as in Algorithm 1."""
        steps = torch.randint(1, len(self.scales), (len(audio),), device=audio.device)
        return self.scales[steps], steps
