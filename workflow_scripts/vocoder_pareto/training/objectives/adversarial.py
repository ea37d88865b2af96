"""The turns and losses that adversarial recipes share."""

from abc import abstractmethod
from collections.abc import Iterable, Sequence
from typing import ClassVar

import torch
from torch import Tensor, nn

from vocoder_pareto.models.discriminators import Judgement
from vocoder_pareto.training.objectives.objective import Batch, Objective


def feature_matching(real: Iterable[Sequence[Tensor]], generated: Iterable[Sequence[Tensor]]) -> Tensor:
    """Return the mean absolute difference of the outputs of layers, summed over layers and sub-discriminators.

    Args:
        real: For each sub-discriminator, what its layers put out for real audio; no gradient flows into it.
        generated: The same for generated audio.

    Source: MelGAN, equation 3; HiFi-GAN, equation 4.
    """
    distances = [
        (one.detach() - other).abs().mean()
        for truth, guess in zip(real, generated, strict=True)
        for one, other in zip(truth, guess, strict=True)
    ]
    return torch.stack(distances).sum()


def least_squares_discriminator_loss(real: Sequence[Judgement], generated: Sequence[Judgement]) -> Tensor:
    """Return the squared distances of the scores from 1 for real and 0 for generated audio, a mean over all stacks.

    Source: LSGAN (Mao et al., 2017).
    """
    return torch.stack([
        (truth.scores - 1).square().mean() + guess.scores.square().mean()
        for truth, guess in zip(real, generated, strict=True)
    ]).mean()  # fmt: skip


def least_squares_generator_loss(judged: Sequence[Judgement]) -> Tensor:
    """Return the squared distance of the scores of generated audio from 1, a mean over all stacks."""
    return torch.stack([(guess.scores - 1).square().mean() for guess in judged]).mean()


class GanObjective(Objective):
    """A generator trains against a discriminator: one update each per batch, the discriminator first."""

    turns: ClassVar[tuple[str, ...]] = ("discriminator", "generator")

    def __init__(self, vocoder, recipe, discriminator: nn.Module, sample_rate: int = 16000):
        super().__init__(vocoder, recipe, sample_rate)
        self.discriminator = discriminator

    def begin_turn(self, turn: str) -> None:
        """See `Objective.begin_turn`."""
        self.discriminator.requires_grad_(turn == "discriminator")  # no gradients of weights that do not move

    def loss(self, turn: str, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective.loss`."""
        if turn == "discriminator":
            generated = self.generated_to_judge(batch).detach()
            loss = self.discriminator_loss(self.discriminator(batch.audio), self.discriminator(generated))
            return loss, {"discriminator_loss": loss.detach()}
        parts = self.terms(batch)
        loss = torch.stack(list(parts.values())).sum()
        return loss, {"generator_loss": loss.detach(), **{name: part.detach() for name, part in parts.items()}}

    def generated_to_judge(self, batch: Batch) -> Tensor:
        """Return audio (B, T) of the generator for the discriminator's turn; no gradient flows into it."""
        with torch.no_grad():
            return self.vocoder(batch.mel)

    @abstractmethod
    def discriminator_loss(self, real: Sequence[Judgement], generated: Sequence[Judgement]) -> Tensor:
        """Return what the discriminator minimises, a scalar."""

    @abstractmethod
    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """Return the weighted terms, by name, whose sum the generator minimises."""

    def parameters_of(self, turn: str):
        """Return the parameters that `turn` updates."""
        return (self.discriminator if turn == "discriminator" else self.vocoder).parameters()


class AdversarialObjective(GanObjective):
    """One whose generator also compares what the discriminator makes of real and of generated audio.

    The generator runs once a step: its weights and its input are the same in both turns, and nothing in it is random. A
    compiled loss, which must keep nothing from one call to the next, runs it in each turn.
    """

    _kept: tuple[Tensor, Tensor] | None = None  # the mel-spectrograms of the discriminator's turn, and their audio

    def generated_to_judge(self, batch: Batch) -> Tensor:
        """See `GanObjective.generated_to_judge`."""
        if torch.compiler.is_compiling():
            return super().generated_to_judge(batch)
        self._kept = batch.mel, self.vocoder(batch.mel)
        return self._kept[1]

    def terms(self, batch: Batch) -> dict[str, Tensor]:
        """See `GanObjective.terms`."""
        if torch.compiler.is_compiling():
            generated = self.vocoder(batch.mel)
        else:
            kept, self._kept = self._kept, None
            generated = kept[1] if kept is not None and kept[0] is batch.mel else self.vocoder(batch.mel)
        with torch.no_grad():
            real = self.discriminator(batch.audio)
        return self.generator_losses(batch, generated, real, self.discriminator(generated))

    @abstractmethod
    def generator_losses(
        self, batch: Batch, generated: Tensor, real: Sequence[Judgement], judged: Sequence[Judgement]
    ) -> dict[str, Tensor]:
        """Return the weighted terms, by name, whose sum the generator minimises; `generated` is (B, T)."""
