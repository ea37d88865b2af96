"""The training step under Lightning: it drives any `Objective` by its turns, and never asks which family runs."""

import random
import warnings
from collections.abc import Callable, Iterable
from typing import Protocol

import lightning
import numpy as np
import torch
from torch import Tensor

from vocoder_pareto.training.divergence import Diverged
from vocoder_pareto.training.objectives.objective import Batch, Objective, Progress, Schedule

MOST_UNCHECKED = 1000


class StepSettings(Protocol):
    """The settings of a training that its steps read.

    The class that holds them is not imported: the digest of a training covers the code that this module imports, and
    no edit of the configuration's code may make a finished training start afresh.
    """

    @property
    def segment_frames(self) -> int | None:
        """The frames of the random part of each clip that a step takes; None for whole clips."""

    @property
    def gradient_clip(self) -> float | None:
        """The largest norm of the gradients of a turn, or None."""

    @property
    def compile(self) -> bool:
        """Whether the loss is compiled."""


class TrainingModule(lightning.LightningModule):
    """An objective and its optimisers.

    The noise of a step depends on the seed and the number of the step alone, so a resumed training repeats an
    undisturbed one without any saved state of random generators.

    Args:
        objective: The objective that is minimised.
        settings: The length of segments, the clipping of gradients, and whether the loss is compiled.
        seed: The seed of the noise.
        steps_per_epoch: The number of steps of an epoch, which schedules may count.
        budget_share: The used share of the budget, 0 to 1, after a number of steps, which schedules may count.

    Attributes:
        step: The number of steps that are done.
        losses: The detached parts of the losses of the newest step, by name.
    """

    def __init__(
        self,
        objective: Objective,
        settings: StepSettings,
        seed: int,
        steps_per_epoch: int,
        budget_share: Callable[[int], float],
    ):
        super().__init__()
        self.automatic_optimization = False
        self.objective = objective
        self.settings = settings
        self.seed = seed
        self.steps_per_epoch = steps_per_epoch
        self.budget_share = budget_share
        self.step = 0
        self.losses: dict[str, Tensor] = {}
        self.schedules: list[Schedule | None] = []
        self._unchecked: list[tuple[int, str, Tensor]] = []
        self._loss = torch.compile(objective.loss) if settings.compile else objective.loss

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Make one optimiser per turn, and the schedules, which `training_step` advances."""
        optimizers = [self.objective.optimizer(turn) for turn in self.objective.turns]
        self._update_at_once(optimizers)
        self.schedules = [
            self.objective.schedule(turn, optimizer)
            for turn, optimizer in zip(self.objective.turns, optimizers, strict=True)
        ]
        return optimizers

    def training_step(self, batch: Batch, index: int) -> None:
        """Update the weights once per turn of the step."""
        seed_step(self.seed, self.step, self.device)
        batch = segment_of(batch, self.settings.segment_frames, self.objective.vocoder.hop_length)
        self.losses = {}
        optimizers = dict(zip(self.objective.turns, self._optimizers(), strict=True))
        for turn in self.objective.begin_step(self._progress()):
            optimizer = optimizers[turn]
            self.objective.begin_turn(turn)
            loss, parts = self._loss(turn, batch)
            self.losses |= parts
            self._unchecked.append((self.step + 1, turn, loss.detach()))
            optimizer.zero_grad()
            self.manual_backward(loss)
            optimizer.step()
        self.step += 1
        progress = self._progress()
        for schedule in filter(None, self.schedules):
            schedule.follow(progress)

    def on_before_optimizer_step(self, optimizer: torch.optim.Optimizer) -> None:
        """Clip the gradients; with 16-mixed they are unscaled by now."""
        if self.settings.gradient_clip is not None:
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            torch.nn.utils.clip_grad_norm_(weights, self.settings.gradient_clip)

    @property
    def must_check(self) -> bool:
        """Whether so many losses are unchecked that they should not become more."""
        return len(self._unchecked) >= MOST_UNCHECKED

    def check_losses(self, last_good: str) -> None:
        """Stop if a loss since the last check was NaN or infinite.

        Reading a loss makes a GPU wait, so they are kept there until they are needed.

        Raises:
            Diverged: There was one; the message names its step, its turn and `last_good`, the state to go back to.
        """
        unchecked, self._unchecked = self._unchecked, []
        if not unchecked:
            return
        values = torch.stack([loss.float() for _, _, loss in unchecked]).tolist()
        for (step, turn, _), value in zip(unchecked, values, strict=True):
            if not np.isfinite(value):
                raise Diverged(step, f"the {turn} loss of step {step} is {value}", last_good)

    def check_weights(self, last_good: str) -> None:
        """Stop if a weight is NaN or infinite: a gradient can be so where its loss is not.

        Raises:
            Diverged: There is one; the message names it, the step and `last_good`.
        """
        for name, weight in self.objective.named_parameters():
            if not torch.isfinite(weight).all():
                raise Diverged(self.step, f"{name} is not finite after step {self.step}", last_good)

    @property
    def learning_rate(self) -> float:
        """The learning rate of the last turn, the generator's."""
        return float(self._optimizers()[-1].param_groups[0]["lr"])

    @property
    def first_learning_rate(self) -> float:
        """The learning rate from which the schedule of the last turn starts."""
        group = self._optimizers()[-1].param_groups[0]
        return float(group.get("initial_lr", group["lr"]))

    def state(self) -> dict:
        """Return all that the next step depends on."""
        return {
            "step": self.step,
            "objective": self.objective.state_dict(),
            "optimizers": [optimizer.optimizer.state_dict() for optimizer in self._optimizers()],
            "schedules": [schedule and schedule.scheduler.state_dict() for schedule in self.schedules],
            "precision": self.trainer.precision_plugin.state_dict(),
        }

    def load_state(self, state: dict) -> None:
        """Go on from `state`, schedules as the budget of today has them. The trainer must have made the optimisers."""
        self.step = state["step"]
        self.objective.load_state_dict(state["objective"])
        for optimizer, saved in zip(self._optimizers(), state["optimizers"], strict=True):
            optimizer.optimizer.load_state_dict(saved)
        self._update_at_once(optimizer.optimizer for optimizer in self._optimizers())
        progress = self._progress()
        for index, (schedule, saved) in enumerate(zip(self.schedules, state["schedules"], strict=True)):
            if schedule is not None:
                schedule.scheduler.load_state_dict(saved)
                if schedule.is_ahead_of(progress):
                    self.schedules[index] = self._schedule_anew(index, progress)
        self.trainer.precision_plugin.load_state_dict(state["precision"])

    def _schedule_anew(self, index: int, progress: Progress) -> Schedule | None:
        """The schedule of a turn from its first rate on, advanced as far as is due."""
        optimizer = self._optimizers()[index].optimizer
        for group in optimizer.param_groups:
            group["lr"] = group["initial_lr"]
        schedule = self.objective.schedule(self.objective.turns[index], optimizer)
        if schedule is not None:
            with warnings.catch_warnings():
                warnings.filterwarnings("ignore", "Detected call of `lr_scheduler")  # steps were taken before the state
                schedule.follow(progress)
        return schedule

    def _update_at_once(self, optimizers: Iterable[torch.optim.Optimizer]) -> None:
        """Let Adam update a weight in one pass over it on a CPU, where PyTorch by default takes one per operation."""
        fused = True if self.device.type == "cpu" else None
        for optimizer in optimizers:
            if isinstance(optimizer, torch.optim.Adam):  # and AdamW
                for group in optimizer.param_groups:
                    group["fused"] = fused

    def _progress(self) -> Progress:
        return Progress(self.step, self.step / self.steps_per_epoch, self.budget_share(self.step))

    def _optimizers(self) -> list:
        optimizers = self.optimizers()
        return optimizers if isinstance(optimizers, list) else [optimizers]


def seed_step(seed: int, step: int, device: torch.device) -> None:
    """Seed the generators that the losses of a step on `device` may draw from.

    `torch.manual_seed` would visit all kinds of devices, there or not, for half a millisecond.
    """
    number = (seed * 1_000_003 + step) % 2**63
    torch.default_generator.manual_seed(number)
    if device.type == "cuda":
        torch.cuda.default_generators[device.index].manual_seed(number)
    np.random.seed(number % 2**32)
    random.seed(number)


def segment_of(batch: Batch, frames: int | None, hop_length: int) -> Batch:
    """Return the same random `frames` of all clips of a batch; whole clips if that is None or more than they have."""
    if frames is None or frames >= batch.mel.shape[2]:
        return batch
    first = int(torch.randint(batch.mel.shape[2] - frames + 1, ()))
    audio = batch.audio[:, first * hop_length : (first + frames) * hop_length]
    return Batch(audio, batch.mel[:, :, first : first + frames])
