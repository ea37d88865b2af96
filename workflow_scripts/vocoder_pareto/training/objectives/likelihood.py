"""The recipe of both flows: the likelihood of the audio under white noise, through the change of variables.

Digital silence, as of synthetic speech or of recordings that a gate has cut, has a likelihood without bound, and the
network spends its training on it. Noise that is added to the audio in training, as flows for images add some to whole
numbers (Theis et al., 2016, section 3.1), bounds it: `dither`. The recordings of the papers have noise of their own,
and their recipes add none; that is the default.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor

from vocoder_pareto.models.flow import Encoding, FlowVocoder
from vocoder_pareto.models.vocoder import draw_noise
from vocoder_pareto.training.objectives.decay import AdamObjective, DecayingRate
from vocoder_pareto.training.objectives.objective import Batch

_ROUNDING_TO_16_BITS = 2**-15 / math.sqrt(12)  # the standard deviation of its error
_STRETCH = 256  # samples that are silent together
_MUCH_SILENCE = 0.005  # of all stretches


@dataclass(frozen=True)
class LikelihoodRecipe(DecayingRate):
    """The hyper-parameters of the recipe, and those of `DecayingRate`; by default nothing decays.

    Attributes:
        sigma: The standard deviation of the latent in training, greater than 0.
        dither: The standard deviation of white noise that is added to the audio in training, 0 to 1.
    """

    sigma: float = 1.0
    dither: float = 0.0

    def __post_init__(self):
        super().__post_init__()
        if not 0 <= self.dither <= 1:
            raise ValueError(f"dither is {self.dither}; must be 0 to 1")
        if not 0 < self.sigma < math.inf:
            raise ValueError(f"sigma is {self.sigma}; must be greater than 0, and finite")


def negative_log_likelihood(encoding: Encoding, sigma: float) -> Tensor:
    """Return nats per sample, the mean over the batch; of a density, so they may be negative.

    Source: WaveFlow, equation 2; WaveGlow, equation 4.
    """
    samples = encoding.latent.shape[1]
    energy = encoding.latent.square().sum(dim=1) / (2 * sigma**2)
    constant = samples * (math.log(sigma) + 0.5 * math.log(2 * math.pi))
    return (energy + constant - encoding.log_determinant).mean() / samples


class LikelihoodObjective(AdamObjective):
    """Adam minimises the negative log-likelihood."""

    Recipe = LikelihoodRecipe
    trains = FlowVocoder
    vocoder: FlowVocoder
    recipe: LikelihoodRecipe

    def loss(self, turn: str, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective.loss`."""
        audio = batch.audio
        if self.recipe.dither:
            audio = audio + self.recipe.dither * draw_noise(audio.shape, audio)
        scale = self.vocoder.audio_scale
        of_scaled = negative_log_likelihood(self.vocoder.encode(scale * audio, batch.mel), self.recipe.sigma)
        loss = of_scaled - math.log(scale)  # the density of the audio itself
        return loss, {"negative_log_likelihood": loss.detach()}

    def doubts(self, audio: Tensor) -> Iterator[str]:
        """See `Objective.doubts`: digital silence without dither."""
        stretches = audio[:, : audio.shape[1] // _STRETCH * _STRETCH].reshape(-1, _STRETCH)
        silence = float((stretches.std(dim=1) < _ROUNDING_TO_16_BITS).float().mean())
        if silence > _MUCH_SILENCE and not self.recipe.dither:
            yield (
                f"{100 * silence:.1f} % of the training audio is digital silence, whose likelihood has no bound, so "
                "that it is learnt before speech: set dither: 1.0e-3, say, beside the learning_rate of this model"
            )
