"""Flow2GAN's recipe (Yao et al., 2025): flow matching first, then the sampler as a generator against discriminators.

In the first stage the network tells the end x₁ of a line from a random point on it, x_t = (1 − t) x₀ + t x₁, t uniform
from 0 to 1. Its error is judged by spectra, and counts for more where the audio is quieter: with S the power in 256
linear, triangular bands, in Hann windows of 1,024 samples with a hop of 256,

    loss = mean of S(g(x_t, t, mel) − x₁) · w,    w = (S(x₁) + 1e-7)^−½, held within 0.01 and 100.                   (1)

In the second stage, all steps of the sampler together are a generator, and a hinge loss, feature matching and a
mel-spectrogram loss of seven scales train it, as the official code (github.com/k2-fsa/Flow2GAN) does: discriminators by
period with the weight 1, by resolution (Vocos' of bands) with 0.1, both without weight norm; the first layer of each,
or of its bands, matches no features. In both stages a twentieth of the clips do without one of the branches, for which
the others weigh more.

Deviations from the official code:

- The stages share the budget of one training, seven tenths and three, about as the generator's steps of its 200 epochs
  of flow matching and 20 of the second stage on LibriTTS. Its discriminators begin 1,000 steps before the generator
  goes on.
- Adam in the place of ScaledAdam, with learning rates of Adam's scale, which fall as there, but with the share of the
  budget: as 1 / √(1 + (18 s)²) over the first stage, 1 / √(1 + (2.8 s)²) (generator) and 1 / √(1 + (11 s)²)
  (discriminators) over the second. There is no warm-up.
- Shortcuts of blocks are held within 0.5 and 1, and the logarithmic scales of normalisations within ±1.5, by clipping
  them before each step; there gradients that lead out are turned around in three steps of five.
- The weights are those of the last step, not a mean over many.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import torch
import torchaudio
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from torch.optim.lr_scheduler import LambdaLR

from vocoder_pareto.models.band_split_discriminator import MultiResolutionDiscriminator
from vocoder_pareto.models.discriminators import JointDiscriminator, Judgement, MultiPeriodDiscriminator
from vocoder_pareto.models.flow2gan import Flow2GAN
from vocoder_pareto.models.layers import without_autocast
from vocoder_pareto.models.spectral_branch import BiasNorm, ConvNeXtBlock
from vocoder_pareto.reflection import reflection_padded
from vocoder_pareto.training.objectives.adversarial import AdversarialObjective, feature_matching
from vocoder_pareto.training.objectives.mel_distance import HTK_LN, multi_scale_mel_distance
from vocoder_pareto.training.objectives.objective import ROUNDING, Batch, Progress, Schedule

SHORTCUTS = (0.5, 1.0)
LOG_SCALES = (-1.5, 1.5)
_ADVANCES = 1000  # of the learning rates in a training
_WINDOW, _HOP, _BANDS = 1024, 256, 256
_FALL_OF_FLOW_MATCHING, _FALL_OF_GENERATOR, _FALL_OF_DISCRIMINATORS = 18.0, 2.8, 11.0


@dataclass(frozen=True)
class Flow2GANRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        flow_matching_share: The share of the budget of the first stage, from 0 to 1.
        learning_rate: The learning rate of Adam at the start of the first stage.
        finetuning_learning_rate: That of the generator at the start of the second.
        discriminator_learning_rate: That of the discriminators at the start of the second.
        betas: The decay rates of Adam's moments.
        unrolled_steps: The number of steps of the sampler in the second stage, at least 1; that of `sampling.steps`.
        branch_dropout: The share of clips in a step that do without a branch, at least 0 and less than 1.
        mel_weight: The weight of the mel-spectrogram loss.
        resolution_weight: The weight of the multi-resolution discriminator, where the multi-period one has 1.
        period_channels: The channels of the widest layers of the multi-period discriminator, a multiple of 32.
        band_channels: The channels of the multi-resolution discriminator, at least 1.

    Raises:
        ValueError: A setting is out of its range.
    """

    flow_matching_share: float = 0.7
    learning_rate: float = 1.0e-3
    finetuning_learning_rate: float = 1.0e-4
    discriminator_learning_rate: float = 2.0e-4
    betas: tuple[float, float] = (0.8, 0.99)
    unrolled_steps: int = 1
    branch_dropout: float = 0.05
    mel_weight: float = 45.0
    resolution_weight: float = 0.1
    period_channels: int = 1024
    band_channels: int = 32

    def __post_init__(self):
        if not 0 <= self.flow_matching_share <= 1:
            raise ValueError(f"flow_matching_share is {self.flow_matching_share}; must be from 0 to 1")
        if not 0 <= self.branch_dropout < 1:
            raise ValueError(f"branch_dropout is {self.branch_dropout}; must be at least 0 and less than 1")
        if self.period_channels < 32 or self.period_channels % 32:
            raise ValueError(f"period_channels is {self.period_channels}; must be a multiple of 32")
        for name in ("unrolled_steps", "band_channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; must be at least 1")


class Flow2GANObjective(AdversarialObjective):
    """Both stages; in the first, the discriminators rest.

    Attributes:
        is_matching_flows: Whether the training is in its first stage, by its progress; before it begins, it is not,
            so that a search for the largest batch meets the stage that takes most memory.
    """

    Recipe = Flow2GANRecipe
    trains = Flow2GAN
    vocoder: Flow2GAN
    recipe: Flow2GANRecipe

    def __init__(self, vocoder: Flow2GAN, recipe: Flow2GANRecipe, sample_rate: int = 16000):
        by_period = MultiPeriodDiscriminator(channels=recipe.period_channels)
        by_resolution = MultiResolutionDiscriminator(channels=recipe.band_channels)
        discriminator = _without_weight_norm(JointDiscriminator(by_period, by_resolution))
        super().__init__(vocoder, recipe, discriminator, sample_rate)
        self.periods = len(by_period.stacks)
        self.weights = [1.0] * self.periods + [recipe.resolution_weight] * len(by_resolution.stacks)
        self.is_matching_flows = False

    def begin_step(self, progress: Progress) -> tuple[str, ...]:
        """See `Objective.begin_step`: the stage follows from the used share of the budget."""
        self.is_matching_flows = progress.budget_share < self.recipe.flow_matching_share
        return ("generator",) if self.is_matching_flows else self.turns

    @torch.no_grad()
    def begin_turn(self, turn: str) -> None:
        """See `Objective.begin_turn`; weights that must stay within bounds are brought back to them."""
        super().begin_turn(turn)
        for part in self.vocoder.modules():
            if isinstance(part, ConvNeXtBlock):
                part.shortcut.clamp_(*SHORTCUTS)
            if isinstance(part, BiasNorm):
                part.log_scale.clamp_(*LOG_SCALES)

    def loss(self, turn: str, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective.loss`."""
        if self.is_matching_flows:
            return self._flow_matching_loss(batch)
        if turn == "discriminator":
            with torch.no_grad():
                generated = self.vocoder(batch.mel, steps=self.recipe.unrolled_steps)
            loss = self.discriminator_loss(self.discriminator(batch.audio), self.discriminator(generated))
            return loss, {"discriminator_loss": loss.detach()}
        generated = self.vocoder(batch.mel, steps=self.recipe.unrolled_steps, fuse=self.fused)
        with torch.no_grad():
            real = self.discriminator(batch.audio)
        parts = self.generator_losses(batch, generated, real, self.discriminator(generated))
        loss = torch.stack(list(parts.values())).sum()
        return loss, {"generator_loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}

    def _flow_matching_loss(self, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        noise = self.vocoder.noise(batch.mel)
        times = torch.rand(len(noise), device=noise.device, dtype=noise.dtype)
        noisy = noise + times[:, None] * (batch.audio - noise)
        estimates = self.vocoder.estimates(noisy, times, self.vocoder.conditions(batch.mel))
        loss = spectral_loss(self.fused(estimates) - batch.audio, batch.audio, self.sample_rate)
        return loss, {"flow_matching_loss": loss.detach()}

    def fused(self, estimates: Tensor) -> Tensor:
        """The mean (B, T) of the estimates (B, branches, T) of all branches, or of some clips of all but one."""
        clips, branches, _ = estimates.shape
        if branches == 1:
            return estimates.squeeze(1)
        left_out = functional.one_hot(torch.randint(branches, (clips,), device=estimates.device), branches)
        is_thinned = torch.rand(clips, 1, device=estimates.device) < self.recipe.branch_dropout
        weights = torch.where(is_thinned, (1 - left_out) * (branches / (branches - 1)), 1.0)
        return (estimates * weights.to(estimates.dtype).unsqueeze(2)).mean(dim=1)

    def discriminator_loss(self, real: Sequence[Judgement], generated: Sequence[Judgement]) -> Tensor:
        """Return the weighted hinge loss."""
        return self._weighted([
            functional.relu(1 - truth.scores).mean() + functional.relu(1 + guess.scores).mean()
            for truth, guess in zip(real, generated, strict=True)
        ])  # fmt: skip

    def generator_losses(
        self, batch: Batch, generated: Tensor, real: Sequence[Judgement], judged: Sequence[Judgement]
    ) -> dict[str, Tensor]:
        """Return the terms of the second stage."""
        pairs = zip(self._matched(real), self._matched(judged), strict=True)
        mel_distance = multi_scale_mel_distance(batch.audio, generated, self.sample_rate, HTK_LN)
        return {
            "adversarial_loss": self._weighted([functional.relu(1 - guess.scores).mean() for guess in judged]),
            "feature_matching_loss": self._weighted([feature_matching([one], [other]) for one, other in pairs]),
            "mel_loss": self.recipe.mel_weight * mel_distance,
        }

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return Adam."""
        recipe = self.recipe
        rate = recipe.discriminator_learning_rate if turn == "discriminator" else recipe.learning_rate
        return torch.optim.Adam(self.parameters_of(turn), rate, recipe.betas)

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return the fall of the learning rate with the budget: of the generator in each stage, else in the second."""
        first = self.recipe.flow_matching_share
        if turn == "discriminator":  # counts from where its optimiser begins
            fall = LambdaLR(optimizer, lambda advances: _fallen(advances / _ADVANCES, _FALL_OF_DISCRIMINATORS))
            return _OfSecondStage(fall, "budget", max(1 - first, 1 / _ADVANCES) / _ADVANCES, start=first)
        at_second = self.recipe.finetuning_learning_rate / self.recipe.learning_rate
        of_first = math.floor(first * _ADVANCES + ROUNDING)  # the advances of the first stage

        def factor(advances: int) -> float:
            if advances < of_first:
                return _fallen(advances / _ADVANCES / first, _FALL_OF_FLOW_MATCHING)
            return at_second * _fallen((advances - of_first) / max(_ADVANCES - of_first, 1), _FALL_OF_GENERATOR)

        return Schedule(LambdaLR(optimizer, factor), "budget", 1 / _ADVANCES)

    def _weighted(self, terms: list[Tensor]) -> Tensor:
        """The sum over sub-discriminators, each with its weight."""
        return torch.stack([weight * term for weight, term in zip(self.weights, terms, strict=True)]).sum()

    def _matched(self, judgements: Sequence[Judgement]) -> list[tuple[Tensor, ...]]:
        """The outputs of layers that match features; judgements of bands leave their first layers out by themselves."""
        by_period, by_resolution = judgements[: self.periods], judgements[self.periods :]
        return [each.layers[1:] for each in by_period] + [each.layers for each in by_resolution]


class _OfSecondStage(Schedule):
    """Waits for its optimiser, whose first step comes after the share where it begins to count, by up to a step."""

    def follow(self, progress: Progress) -> None:
        if self.scheduler.optimizer.state:
            super().follow(progress)


def spectral_loss(error: Tensor, audio: Tensor, sample_rate: int) -> Tensor:
    """Return equation 1 for an error (B, T) of audio (B, T), a scalar."""
    with without_autocast(audio):
        weights = (_band_powers(audio.float(), sample_rate) + 1e-7).rsqrt().clamp(1e-2, 1e2)
        return (_band_powers(error.float(), sample_rate) * weights).mean()


def _without_weight_norm(discriminator: nn.Module) -> nn.Module:
    for part in discriminator.modules():
        if parametrize.is_parametrized(part, "weight"):
            parametrize.remove_parametrizations(part, "weight")
    return discriminator


def _fallen(share: float, ratio: float) -> float:
    return (1 + (ratio * share) ** 2) ** -0.5


def _band_powers(signal: Tensor, sample_rate: int) -> Tensor:
    """(B, T) → (B, T / 256 + 1, 256); the ends are reflected."""
    window, filters = _analysis(sample_rate, signal.device)
    frames = reflection_padded(signal.unsqueeze(1), _WINDOW // 2).squeeze(1).unfold(-1, _WINDOW, _HOP)
    spectra = torch.view_as_real(torch.fft.rfft(frames * window)).square()
    return spectra.sum(dim=-1) @ filters


@cache
@torch.inference_mode(False)  # a tensor made in inference mode could not be used in training afterwards
def _analysis(sample_rate: int, device: torch.device) -> tuple[Tensor, Tensor]:
    """Window (1024,) and filters (513, 256)."""
    filters = torchaudio.functional.linear_fbanks(_WINDOW // 2 + 1, 0.0, float(sample_rate // 2), _BANDS, sample_rate)
    return torch.hann_window(_WINDOW, device=device), filters.to(device)
