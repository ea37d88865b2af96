"""What happens around the steps of one piece of a training: counting, logging, validating, saving, stopping."""

import logging
import time
from contextlib import ExitStack, suppress
from functools import partial
from typing import Any

import lightning

from vocoder_pareto.errors import UserError
from vocoder_pareto.training.bands import Bands
from vocoder_pareto.training.budget import predicted
from vocoder_pareto.training.clock import TrainingClock
from vocoder_pareto.training.curve import TrainingCurve
from vocoder_pareto.training.job import TrainingJob
from vocoder_pareto.training.journal import Journal
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.objectives.objective import Progress
from vocoder_pareto.training.progress import ProgressBar
from vocoder_pareto.training.rates import foreseen_rate, tell
from vocoder_pareto.training.record import TrainingRecord
from vocoder_pareto.training.signals import StopSignals
from vocoder_pareto.training.state import StateFolder
from vocoder_pareto.training.validation import Judged, Validation

log = logging.getLogger(__name__)


class TrainingLoop(lightning.Callback):
    """Counts what the steps use, and stops when the budget is used up or a signal comes.

    Args:
        job: The training, for its name, settings, budget and emissions.
        states: The folder that holds its states, its curve and its samples.
        record: The record of the training, which is brought up to date after every step.
        clock: The clock that counts time and energy into `record`.
        stop: The signals that end the piece.
        validation: What to resynthesise, or None.
        bands: What is known of the curve of a run that went well.
        state: The state to go on from, or None.
    """

    def __init__(
        self,
        job: TrainingJob,
        states: StateFolder,
        record: TrainingRecord,
        clock: TrainingClock,
        stop: StopSignals,
        validation: Validation | None,
        bands: Bands,
        state: dict[str, Any] | None,
    ):
        self.job, self.states, self.record = job, states, record
        self.clock, self.stop, self.validation, self.bands = clock, stop, validation, bands
        self._state = state
        self._rate_is_told = False
        self._journal = Journal(states.folder)
        self._to_close = ExitStack()

    # ------------------------------------------------------------------ hooks of Lightning

    def on_train_start(self, trainer: lightning.Trainer, module: lightning.LightningModule) -> None:
        """Take up the state, now that all is set up, then start the clocks."""
        assert isinstance(module, TrainingModule)  # Lightning hands back what `fit` was given
        if self._state:
            module.load_state(self._state["module"])
            self._state = None
        self._curve = TrainingCurve(self.states.folder, self.record.steps)
        self._to_close.callback(self._curve.close)
        self.stop.listen()
        self._progress = ProgressBar(self.job.system.name, self.job.budget, self.record)
        self._to_close.callback(self._progress.close)
        share = self.job.budget.share(self.record.used)
        self._shares_ahead = [each for each in sorted(self.job.settings.validation_shares) if each > share]
        self._saved_at = time.monotonic()
        self._journal.write(self.record)
        self._foresee_rate(module)
        self.clock.start()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        """Count the step; log, validate and save when it is due; stop when the budget is used up."""
        record, settings = self.record, self.job.settings
        record.steps += 1
        if self.clock.count():
            self._journal.write(record)
            self._refuse_unknown_energy()
            self._progress.show()
        self._predict(module)
        save = self.stop.received is not None or time.monotonic() - self._saved_at >= 60 * settings.checkpoint_minutes
        if save:
            self.clock.catch_up()  # or the state would be beyond a share, or the end, that was not yet reached here
        over = self.job.budget.used_up(record.used) is not None
        ending = over or self.stop.received is not None
        every = settings.validation_every_steps
        reached = self._reached_shares()
        validate = over or bool(reached) or bool(every and record.steps % every == 0)
        if ending or validate or record.steps % settings.log_every_steps == 0:
            self._log(module, validate, reached)
        elif module.must_check:
            module.check_losses(self.states.last_good)
        if ending or save:
            self._save(module, ending)
        trainer.should_stop = ending

    def on_train_end(self, trainer, module) -> None:
        """Close what is open."""
        self._to_close.close()

    def on_exception(self, trainer, module, exception) -> None:
        """Close what is open, and note how far the training came."""
        for last_act in (self._to_close.close, partial(self._journal.write, self.record)):
            with suppress(OSError, UserError):  # on a full disk; the error that matters is on its way
                last_act()

    # ------------------------------------------------------------------ parts of a step's end

    def _refuse_unknown_energy(self) -> None:
        energy = self.record.energy
        if self.job.settings.energy_kwh is not None and energy.joules is None:
            raise UserError(
                f"config key training.energy_kwh: the energy is not known ({energy.why_unknown}); mend that or set "
                "steps or hours instead, then run again to resume"
            )

    def _predict(self, module: TrainingModule) -> None:
        record, budget, kg_per_joule = self.record, self.job.budget, self.job.carbon.kg_per_joule
        if record.prediction is None and predicted(record.used, budget, kg_per_joule) is not None:
            self.clock.catch_up()
            record.prediction = predicted(record.used, budget, kg_per_joule)
            if record.prediction is not None:
                log.info("predicted for the whole run: %s", record.prediction.in_words())
            with self.clock.stopped():
                self._foresee_rate(module)

    def _foresee_rate(self, module: TrainingModule) -> None:
        """Tell the learning rate of the whole training, as soon as its end is known in what the schedule counts."""
        if self._rate_is_told:
            return
        prediction, budget = self.record.prediction, self.job.budget
        in_steps = budget.hours is None and budget.energy_kwh is None
        steps: float | None = prediction.steps if prediction else budget.steps if in_steps else None
        end = Progress(steps, None if steps is None else steps / self.record.steps_per_epoch, 1.0)
        rate = foreseen_rate(module.objective, module.objective.turns[-1], module.first_learning_rate, end)
        if rate is not None:
            tell(rate, f"{self.job.system.config_key}.training")
            self._rate_is_told = True

    def _reached_shares(self) -> list[float]:
        """The shares of the budget for validations that this step has reached."""
        share = self.job.budget.share(self.record.used)
        reached = [each for each in self._shares_ahead if each <= share]
        self._shares_ahead = [each for each in self._shares_ahead if each > share]
        return reached

    def _log(self, module: TrainingModule, validate: bool, shares: list[float]) -> None:
        module.check_losses(self.states.last_good)
        self.record.losses = {name: float(value) for name, value in module.losses.items()}
        values: dict[str, float | None] = {}
        if validate and self.validation:
            with self.clock.stopped():
                values = self._validate(self.validation, module).values
                self.bands.tell(shares, values)
        self._curve.add(self.record.curve_row(module.learning_rate, values))
        self._progress.show()

    def _validate(self, validation: Validation, module: TrainingModule) -> Judged:
        steps = self.record.steps
        judged = validation.judge(module.objective.vocoder, self.states.folder / "samples" / f"step_{steps:08d}")
        self.record.note_validation(judged.d_stft, bool(judged.collapsed))
        if judged.collapsed:
            names = ", ".join(judged.collapsed)
            log.warning(
                "step %d: the generator has collapsed: silent, constant or not finite audio for %s", steps, names
            )
        return judged

    def _save(self, module: TrainingModule, ending: bool) -> None:
        with self.clock.stopped():
            module.check_losses(self.states.last_good)
            module.check_weights(self.states.last_good)
            self._curve.sync()
            self.states.save({"record": {**self.record.as_dict(), "ended": ending}, "module": module.state()})
            self.record.ended = ending
            self._journal.write(self.record)
            self._saved_at = time.monotonic()
