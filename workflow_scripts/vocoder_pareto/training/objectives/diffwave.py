"""DiffWave's recipe (Kong et al., 2021, Algorithm 1): a step of the training schedule, drawn at random."""

from dataclasses import dataclass

import torch
from torch import Tensor

from vocoder_pareto.models.diffusion import DiffusionVocoder
from vocoder_pareto.models.diffwave import training_schedule
from vocoder_pareto.training.objectives.denoising import DenoisingObjective


@dataclass(frozen=True)
class DiffWaveRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of Adam.
    """

    learning_rate: float = 2.0e-4


class DiffWaveObjective(DenoisingObjective):
    """The objective of section 2 and Algorithm 1, with the schedule of the vocoder's architecture."""

    Recipe = DiffWaveRecipe
    scales: Tensor  # √ᾱ of all steps from 0, float64

    def __init__(self, vocoder: DiffusionVocoder, recipe: DiffWaveRecipe, sample_rate: int = 16000):
        super().__init__(vocoder, recipe, sample_rate)
        scales = training_schedule(vocoder.architecture).signal_scales
        self.register_buffer("scales", torch.tensor(scales, dtype=torch.float64), persistent=False)

    def draw_levels(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Draw the scales, and the steps that DiffWave is told, counted from 1 as in Algorithm 1."""
        steps = torch.randint(1, len(self.scales), (len(audio),), device=audio.device)
        return self.scales[steps], steps
