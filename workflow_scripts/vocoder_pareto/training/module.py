"""The training step under Lightning: it drives any `Objective` by its turns, and never asks which family runs."""

import lightning
import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.training.objectives.objective import Batch, Objective, Schedule
from vocoder_pareto.training.run_settings import RunSettings


class TrainingModule(lightning.LightningModule):
    """An objective and its optimisers.

    The noise of a step depends on the seed and the number of the step alone, so a resumed run repeats an undisturbed
    one without any saved state of random generators.

    Args:
        objective: what is minimised.
        run: precision, clipping and compilation.
        seed: of the noise.
    """

    def __init__(self, objective: Objective, run: RunSettings, seed: int):
        super().__init__()
        self.automatic_optimization = False
        self.objective = objective
        self.run = run
        self.seed = seed
        self.step = 0
        self.steps_per_epoch = 1
        self.losses: dict[str, torch.Tensor] = {}
        self.schedules: list[Schedule | None] = []
        self.register_buffer("first_bad_step", torch.tensor(-1), persistent=False)
        self._loss = torch.compile(objective.loss) if run.compile else objective.loss

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """One optimiser per turn; schedules are advanced by `training_step`."""
        optimizers = [self.objective.optimizer(turn) for turn in self.objective.turns]
        self.schedules = [
            self.objective.schedule(turn, optimizer)
            for turn, optimizer in zip(self.objective.turns, optimizers, strict=True)
        ]
        return optimizers

    def training_step(self, batch: Batch, index: int) -> None:
        """One update per turn."""
        torch.manual_seed((self.seed * 1_000_003 + self.step) % 2**63)
        self.losses = {}
        batch = self._segment(batch)
        for turn, optimizer in zip(self.objective.turns, self._optimizers(), strict=True):
            loss, parts = self._loss(turn, batch)
            self.losses |= parts
            self._watch(loss)
            optimizer.zero_grad()
            self.manual_backward(loss)
            if self.run.gradient_clip is not None:
                self.clip_gradients(optimizer, self.run.gradient_clip, "norm")
            optimizer.step()
        self.step += 1
        for schedule in filter(None, self.schedules):
            if schedule.interval == "step" or self.step % self.steps_per_epoch == 0:
                schedule.scheduler.step()

    def check_losses(self, last_good: str) -> None:
        """Stop if a loss since the last check was NaN or infinite. Waits for the device.

        Raises:
            UserError: naming the step, the losses and `last_good`, the checkpoint to go back to.
        """
        step = int(self.first_bad_step)
        if step >= 0:
            losses = ", ".join(f"{name} {float(value):g}" for name, value in self.losses.items())
            raise UserError(
                f"training diverged: the loss of step {step + 1} is not finite (now {losses}); last good state: "
                f"{last_good}. Lower training.learning_rate or set training.gradient_clip for this system"
            )

    def state(self) -> dict:
        """All that the next step depends on, but for the budget."""
        return {
            "objective": self.objective.state_dict(),
            "optimizers": [optimizer.optimizer.state_dict() for optimizer in self._optimizers()],
            "schedules": [schedule and schedule.scheduler.state_dict() for schedule in self.schedules],
            "precision": self.trainer.precision_plugin.state_dict(),
        }

    def load_state(self, state: dict, step: int) -> None:
        """Go on from `state` at `step`."""
        self.step = step
        self.objective.load_state_dict(state["objective"])
        for optimizer, saved in zip(self._optimizers(), state["optimizers"], strict=True):
            optimizer.optimizer.load_state_dict(saved)
        for schedule, saved in zip(self.schedules, state["schedules"], strict=True):
            if schedule is not None:
                schedule.scheduler.load_state_dict(saved)
        self.trainer.precision_plugin.load_state_dict(state["precision"])

    def _optimizers(self) -> list:
        optimizers = self.optimizers()
        return optimizers if isinstance(optimizers, list) else [optimizers]

    def _segment(self, batch: Batch) -> Batch:
        """The same random frames of all clips of a batch, if segments are configured."""
        frames, hop_length = self.run.segment_frames, self.objective.vocoder.hop_length
        if frames is None or frames >= batch.mel.shape[2]:
            return batch
        first = int(torch.randint(batch.mel.shape[2] - frames + 1, ()))
        audio = batch.audio[:, first * hop_length : (first + frames) * hop_length]
        return Batch(audio, batch.mel[:, :, first : first + frames])

    def _watch(self, loss: torch.Tensor) -> None:
        # Kept on the device: reading it at every step would make the GPU wait.
        fine = torch.isfinite(loss.detach()) | (self.first_bad_step >= 0)
        self.first_bad_step = torch.where(fine, self.first_bad_step, self.step)
