"""A vocoder of two layers and recipes for it, which the tests of training take through everything in milliseconds."""

import multiprocessing
import os
import resource
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.vocoder import NoSettings, Vocoder
from vocoder_pareto.training.objectives.objective import Batch, Objective, Schedule

N_MELS, HOP_LENGTH, FRAMES = 4, 16, 64


class TinyVocoder(Vocoder):
    Architecture = NoSettings

    def __init__(self, architecture=None, sampling=None, n_mels=N_MELS, hop_length=HOP_LENGTH):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)
        self.input = nn.Conv1d(n_mels, 8, 3, padding=1)
        self.output = nn.ConvTranspose1d(8, 1, hop_length, hop_length)

    def forward(self, mel: Tensor) -> Tensor:
        return torch.tanh(self.output(torch.tanh(self.input(mel)))).squeeze(1)

    def generate(self, mel, generator=None):
        return self(mel)


class TinyWithWeights(TinyVocoder):
    """As if it had loaded them itself."""

    brings_weights = True


@dataclass(frozen=True)
class TinyRecipe:
    """`at_step` (from 1) is when the misfortune of an objective happens; `marker`: only if this file does not exist."""

    learning_rate: float = 1.0e-2
    noise: float = 0.1
    at_step: int = 0
    marker: str = ""
    seconds_per_step: float = 0.0


class TinyObjective(Objective):
    """L1 distance to noised audio, whose learning rate decays per epoch."""

    Recipe = TinyRecipe

    def __init__(self, vocoder, recipe, sample_rate=16000):
        super().__init__(vocoder, recipe, sample_rate)
        self.calls = 0

    def loss(self, turn: str, batch: Batch):
        self.calls += 1
        if self.recipe.seconds_per_step:
            time.sleep(self.recipe.seconds_per_step)
        target = batch.audio + self.recipe.noise * torch.randn_like(batch.audio)
        loss = functional.l1_loss(self.vocoder(batch.mel), target)
        return loss, {"l1_loss": loss.detach()}

    def optimizer(self, turn: str):
        return torch.optim.Adam(self.vocoder.parameters(), self.recipe.learning_rate)

    def schedule(self, turn: str, optimizer):
        return Schedule(torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9), "epoch")

    @property
    def due(self) -> bool:
        if self.calls != self.recipe.at_step or (self.recipe.marker and Path(self.recipe.marker).exists()):
            return False
        if self.recipe.marker:
            Path(self.recipe.marker).touch()
        return True


class DoubtingObjective(TinyObjective):
    """Says how many clips it was shown."""

    def doubts(self, audio: Tensor):
        yield f"{len(audio)} clips of {audio.shape[1]} samples are too many"


class AdversarialTinyObjective(TinyObjective):
    """Two turns with an optimiser each."""

    turns = ("discriminator", "generator")

    def __init__(self, vocoder, recipe, sample_rate=16000):
        super().__init__(vocoder, recipe, sample_rate)
        self.discriminator = nn.Conv1d(1, 1, 8, stride=4)

    def begin_turn(self, turn: str):
        self.discriminator.requires_grad_(turn == "discriminator")

    def loss(self, turn: str, batch: Batch):
        generated = self.discriminator(self.vocoder(batch.mel)[:, None]).mean()
        if turn == "generator":
            loss, parts = super().loss(turn, batch)
            return loss - generated, {"generator_loss": (loss - generated).detach(), **parts}
        loss = functional.relu(1 - self.discriminator(batch.audio[:, None])).mean() + functional.relu(1 + generated)
        return loss, {"discriminator_loss": loss.detach()}

    def optimizer(self, turn: str):
        network = self.discriminator if turn == "discriminator" else self.vocoder
        return torch.optim.Adam(network.parameters(), self.recipe.learning_rate)

    def schedule(self, turn: str, optimizer):
        return Schedule(torch.optim.lr_scheduler.StepLR(optimizer, 2, 0.5), "step") if turn == "generator" else None


class DivergingObjective(TinyObjective):
    """Its loss is NaN."""

    def loss(self, turn: str, batch: Batch):
        loss, parts = super().loss(turn, batch)
        return (loss * float("nan"), parts) if self.due else (loss, parts)


class ExplodingObjective(TinyObjective):
    """Its loss is finite, and its gradient is not."""

    def loss(self, turn: str, batch: Batch):
        loss, parts = super().loss(turn, batch)
        return (loss + torch.sqrt(0 * self.vocoder.output.bias.sum()), parts) if self.due else (loss, parts)


class SilencedObjective(TinyObjective):
    """Its vocoder collapses to silence."""

    def loss(self, turn: str, batch: Batch):
        loss = sum(weight.square().sum() for weight in self.vocoder.parameters())
        return loss, {"l1_loss": loss.detach()}

    def optimizer(self, turn: str):
        return torch.optim.SGD(self.vocoder.parameters(), 0.5)


class InterruptedObjective(TinyObjective):
    """Its process gets SIGTERM."""

    def loss(self, turn: str, batch: Batch):
        result = super().loss(turn, batch)
        if self.due:
            os.kill(os.getpid(), signal.SIGTERM)
        return result


class ObjectiveByTheBudget(InterruptedObjective):
    """Its learning rate decays with the budget."""

    def schedule(self, turn: str, optimizer):
        return Schedule(torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.5), "budget", 0.15)


class CosineObjective(TinyObjective):
    """Its learning rate falls by half a cosine over the budget, in a hundred steps."""

    def schedule(self, turn: str, optimizer):
        return Schedule(torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, 100), "budget", 0.01)


class ImpatientObjective(TinyObjective):
    """Its process gets SIGINT twice in a step."""

    def loss(self, turn: str, batch: Batch):
        result = super().loss(turn, batch)
        if self.due:
            os.kill(os.getpid(), signal.SIGINT)
            os.kill(os.getpid(), signal.SIGINT)
        return result


class HungryObjective(TinyObjective):
    """It needs more memory than there is for batches of more than `at_step` clips."""

    def loss(self, turn: str, batch: Batch):
        if len(batch.audio) > self.recipe.at_step:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().loss(turn, batch)


class FullDiskObjective(TinyObjective):
    """No file can grow beyond 600 bytes any more."""

    def loss(self, turn: str, batch: Batch):
        if self.due:
            resource.setrlimit(resource.RLIMIT_FSIZE, (600, resource.getrlimit(resource.RLIMIT_FSIZE)[1]))
        return super().loss(turn, batch)


class WorkerKillingObjective(TinyObjective):
    """A process that loads data dies."""

    def loss(self, turn: str, batch: Batch):
        if self.due:
            os.kill(multiprocessing.active_children()[0].pid, signal.SIGKILL)
        return super().loss(turn, batch)


class BrokenPipeObjective(TinyObjective):
    """The connection to a process that loads data ends, as it does when that dies while it sends a batch."""

    def loss(self, turn: str, batch: Batch):
        if self.due:
            raise ConnectionResetError(104, "Connection reset by peer")
        return super().loss(turn, batch)
