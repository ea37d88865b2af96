"""The contract of a training recipe: losses, optimisers and schedules, without a loop and without Lightning."""

from abc import ABC, abstractmethod
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NamedTuple

from torch import Tensor, nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from vocoder_pareto.models.vocoder import Vocoder

ROUNDING = 1e-9  # of a quotient of steps, epochs or shares


class Batch(NamedTuple):
    """Clips and their normalised mel-spectrograms: audio (B, T) in [-1, 1], mel (B, M, L)."""

    audio: Tensor
    mel: Tensor


class Progress(NamedTuple):
    """How far a training is, or how far it will come.

    Attributes:
        steps: The number of steps; None where it is not known.
        epochs: The number of passes through the training set; None where it is not known.
        budget_share: The used share of the budget, 0 to 1.
    """

    steps: float | None
    epochs: float | None
    budget_share: float


@dataclass(frozen=True)
class Schedule:
    """A learning-rate scheduler, and when it advances.

    Attributes:
        scheduler: The scheduler of PyTorch; any that counts its advances as `last_epoch`.
        interval: What it counts: steps, epochs or the used share of the budget.
        every: It advances after every so many steps or epochs, or after every such share of the budget; greater than 0.
        start: After how many of these, or after which share, it begins to count; at least 0.
    """

    scheduler: LRScheduler
    interval: Literal["step", "epoch", "budget"]
    every: float = 1.0
    start: float = 0.0

    def advances(self, progress: Progress) -> float | None:
        """Return how often `every` has passed since `start`, negative before it; None where that is unknown.

        The whole part has brought an advance.
        """
        passed = {"step": progress.steps, "epoch": progress.epochs, "budget": progress.budget_share}[self.interval]
        return None if passed is None else (passed - self.start) / self.every

    def follow(self, progress: Progress) -> None:
        """Advance the scheduler as often as is due. What is only rounding short of an advance counts as one."""
        due = self.advances(progress)
        while due is not None and self.scheduler.last_epoch + 1 <= due + ROUNDING:
            self.scheduler.step()

    def is_ahead_of(self, progress: Progress) -> bool:
        """Whether the scheduler has advanced farther than is due, as when a budget that it follows has grown."""
        due = self.advances(progress)
        return due is not None and self.scheduler.last_epoch > max(0.0, due) + ROUNDING


class Objective(nn.Module, ABC):
    """What is minimised: the vocoder, whatever is trained beside it (discriminators), and its losses.

    The training step takes, for every batch, the turns that `begin_step` gives, by default all `turns`, in order: it
    calls `begin_turn(turn)` and `loss(turn, batch)`, clears the gradients of `optimizer(turn)`, goes backward, clips
    and steps. So a GAN has the turns ("discriminator", "generator"), all other families the one turn ("generator",).

    Attributes:
        Recipe: The dataclass of this objective's hyper-parameters (learning rate, weights of losses), which are read
            from the configuration key `training` of a system.
        trains: The class of vocoders that it can train.
        turns: The names of the turns, in their order.
    """

    Recipe: ClassVar[type[Any]]
    trains: ClassVar[type] = Vocoder
    turns: ClassVar[tuple[str, ...]] = ("generator",)

    def __init__(self, vocoder: Vocoder, recipe, sample_rate: int = 16000):
        super().__init__()
        self.vocoder = vocoder
        self.recipe = recipe
        self.sample_rate = sample_rate

    def doubts(self, audio: Tensor) -> Iterable[str]:
        """Say in a line each what of training clips, audio (B, T), the recipe is not made for; by default, nothing."""
        return ()

    def begin_step(self, progress: Progress) -> tuple[str, ...]:
        """Prepare for a step, where `progress` tells what is done before it, and return its turns; by default, all."""
        return self.turns

    def begin_turn(self, turn: str) -> None:
        """Prepare the networks for `turn`, by freezing what it does not train, say; by default, do nothing.

        `loss` must leave them alone: it may be compiled, and of such changes PyTorch 2.11 loses all but the first on
        some versions of Python.
        """

    @abstractmethod
    def loss(self, turn: str, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """Return the scalar to minimise in `turn`, and its detached parts by name for the log."""

    @abstractmethod
    def optimizer(self, turn: str) -> Optimizer:
        """Return a new optimiser over the parameters that `turn` updates, and no others."""

    def schedule(self, turn: str, optimizer: Optimizer) -> Schedule | None:
        """Return the learning-rate schedule of `turn`, None by default."""
        return None
