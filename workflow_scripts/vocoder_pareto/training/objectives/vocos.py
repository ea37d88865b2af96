"""Vocos' recipe (Siuzdak, 2024, section 3): hinge losses, feature matching and a mel-spectrogram loss.

Losses and numbers are those of the official code (github.com/gemelo-ai/vocos: `vocos.yaml`, `experiment.py` and
`loss.py`): each term is the mean over the sub-discriminators of a kind, and the first layer of a sub-discriminator, or
of each of its bands, matches no features. After the paper and the published weights that code changed two things, which
are ours too: the multi-resolution discriminator (`models/band_split_discriminator.py`) and the settings of AdamW, until
then a learning rate of 2e-4 and moments of 0.9 and 0.999 (`learning_rate`, `betas`).

Deviations from the official code:

- The learning rate falls to 0 along half a cosine over the budget of the training, whatever that is, in a thousand
  steps of its used share; there over a million updates, at each.
- The mel-spectrogram of the loss lacks the frame on the very end of a clip, as all front ends here do. A power of
  1e-14 lies under its magnitudes, the square of the floor of their logarithm, so that silence has a finite gradient.
- Its hop is that of the vocoder, which there is 256 as well.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import CosineAnnealingLR

from vocoder_pareto.audio.features import features
from vocoder_pareto.models.band_split_discriminator import N_FFTS, MultiResolutionDiscriminator
from vocoder_pareto.models.discriminators import (
    PERIODS,
    JointDiscriminator,
    Judgement,
    MultiPeriodDiscriminator,
    require_periods,
)
from vocoder_pareto.models.layers import at_least_single, without_autocast
from vocoder_pareto.study.sections.front_ends import BUILT_IN
from vocoder_pareto.training.objectives.adversarial import AdversarialObjective, feature_matching
from vocoder_pareto.training.objectives.objective import Schedule

DECAYS = 1000  # of the learning rate in a training
LEAST_N_FFT = 32  # of fewer samples, a band of the multi-resolution discriminator has no bin


@dataclass(frozen=True)
class VocosRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of AdamW at the start, for both networks.
        betas: The decay rates of AdamW's moments.
        mel_weight: The weight of the mel-spectrogram loss.
        mel_bands: The number of bands that it compares, whatever the vocoder hears.
        resolution_weight: The weight of the multi-resolution discriminator, where the multi-period one has 1.
        period_channels: The channels of the widest layers of the multi-period discriminator, a multiple of 32.
        band_channels: The channels of the multi-resolution discriminator.
        periods: The periods by which the multi-period discriminator folds the audio, in samples.
        n_ffts: The samples of the frames that the multi-resolution discriminator judges, one or more.

    Raises:
        ValueError: The sizes of a discriminator are impossible.
    """

    learning_rate: float = 5.0e-4
    betas: tuple[float, float] = (0.8, 0.9)
    mel_weight: float = 45.0
    mel_bands: int = 100
    resolution_weight: float = 0.1
    period_channels: int = 1024
    band_channels: int = 32
    periods: tuple[int, ...] = PERIODS
    n_ffts: tuple[int, ...] = N_FFTS

    def __post_init__(self):
        if self.period_channels < 32 or self.period_channels % 32:
            raise ValueError(f"period_channels is {self.period_channels}; must be a multiple of 32")
        if self.band_channels < 1:
            raise ValueError(f"band_channels is {self.band_channels}; must be at least 1")
        require_periods(self.periods, "periods")
        if not self.n_ffts or min(self.n_ffts) < LEAST_N_FFT:
            raise ValueError(f"n_ffts is {list(self.n_ffts)}; must be one or more of at least {LEAST_N_FFT} samples")


class VocosObjective(AdversarialObjective):
    """Hinge losses of both kinds of discriminators, feature matching, and the distance of mel-spectrograms."""

    Recipe = VocosRecipe

    def __init__(self, vocoder, recipe: VocosRecipe, sample_rate: int = 16000):
        by_period = MultiPeriodDiscriminator(recipe.periods, channels=recipe.period_channels)
        by_resolution = MultiResolutionDiscriminator(recipe.n_ffts, recipe.band_channels)
        super().__init__(vocoder, recipe, JointDiscriminator(by_period, by_resolution), sample_rate)
        periods, resolutions = len(by_period.stacks), len(by_resolution.stacks)
        # Of each sub-discriminator: the mean of a kind, times the weight of that kind.
        self.weights = [1 / periods] * periods + [recipe.resolution_weight / resolutions] * resolutions
        self.periods = periods
        self.mel_front_end = replace(
            BUILT_IN["vocos_24k"],
            sample_rate=sample_rate,
            hop_length=vocoder.hop_length,
            n_mels=recipe.mel_bands,
            epsilon=BUILT_IN["vocos_24k"].floor ** 2,
        )

    def discriminator_loss(self, real, generated) -> Tensor:
        """Return the hinge loss, weighted over the sub-discriminators."""
        return self._weighted([
            functional.relu(1 - truth.scores).mean() + functional.relu(1 + guess.scores).mean()
            for truth, guess in zip(real, generated, strict=True)
        ])  # fmt: skip

    def generator_losses(self, batch, generated, real, judged) -> dict[str, Tensor]:
        """Return the terms that the generator minimises."""
        mel_distance = functional.l1_loss(self._log_mel(generated), self._log_mel(batch.audio))
        pairs = zip(self._matched(real), self._matched(judged), strict=True)
        return {
            "adversarial_loss": self._weighted([functional.relu(1 - guess.scores).mean() for guess in judged]),
            "feature_matching_loss": self._weighted([feature_matching([one], [other]) for one, other in pairs]),
            "mel_loss": self.recipe.mel_weight * mel_distance,
        }

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return AdamW, with the same hyper-parameters for both networks."""
        return torch.optim.AdamW(self.parameters_of(turn), self.recipe.learning_rate, self.recipe.betas)

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return half a cosine over the budget, from the learning rate to 0."""
        return Schedule(CosineAnnealingLR(optimizer, DECAYS), "budget", 1 / DECAYS)

    def _weighted(self, terms: list[Tensor]) -> Tensor:
        """The sum over sub-discriminators, each with its weight."""
        return torch.stack([weight * term for weight, term in zip(self.weights, terms, strict=True)]).sum()

    def _matched(self, judgements: Sequence[Judgement]) -> list[tuple[Tensor, ...]]:
        """The outputs of layers that match features; judgements of bands leave their first layers out by themselves."""
        by_period, by_resolution = judgements[: self.periods], judgements[self.periods :]
        return [each.layers[1:] for each in by_period] + [each.layers for each in by_resolution]

    def _log_mel(self, audio: Tensor) -> Tensor:
        with without_autocast(audio):
            return features(at_least_single(audio), self.mel_front_end)
