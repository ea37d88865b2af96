"""What happens around the steps of one piece of a run: budget, energy, curve, validation, state, signals."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import lightning
from tqdm import tqdm

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.clocks import clock_of
from vocoder_pareto.training.accounting import EnergyAccount
from vocoder_pareto.training.budget import Budget, predicted
from vocoder_pareto.training.curve import TrainingCurve
from vocoder_pareto.training.data import STOP_SIGNALS
from vocoder_pareto.training.module import TrainingModule
from vocoder_pareto.training.record import RunRecord
from vocoder_pareto.training.run_settings import RunSettings
from vocoder_pareto.training.state import StateFolder
from vocoder_pareto.training.validation import Validation
from vocoder_pareto.units import JOULES_PER_KWH

log = logging.getLogger(__name__)


class TrainingLoop(lightning.Callback):
    """Counts what the steps use, and stops when the budget is used up or a signal comes.

    Args:
        name: of the system, for the progress bar.
        run: settings of the loop.
        folder: holds state, curve and samples.
        record: of the run; brought up to date.
        account: of its energy.
        kg_per_joule: emissions.
        validation: what to resynthesise, or None.
        state: to go on from, or None.

    Attributes:
        stop_signal: the signal that ended the piece, or None.
    """

    def __init__(
        self,
        name: str,
        run: RunSettings,
        folder: StateFolder,
        record: RunRecord,
        account: EnergyAccount,
        kg_per_joule: float,
        validation: Validation | None,
        state: dict[str, Any] | None,
    ):
        self.name, self.run, self.folder, self.record = name, run, folder, record
        self.account, self.kg_per_joule, self.validation, self.state = account, kg_per_joule, validation, state
        self.budget = Budget.of(run)
        self.stop_signal: int | None = None
        self.curve: TrainingCurve | None = None
        self.bar: tqdm | None = None
        if record.prediction and record.prediction.budget != vars(self.budget):
            record.prediction = None

    # ------------------------------------------------------------------ hooks of Lightning

    def on_train_start(self, trainer: lightning.Trainer, module: TrainingModule) -> None:
        """Set-up is over: take up the state, then start the clocks."""
        if self.state:
            module.load_state(self.state["module"])
            self.state = None
        self.curve = TrainingCurve(self.folder.folder, self.record.steps)
        for each in STOP_SIGNALS:
            signal.signal(each, self._on_signal)
        self.bar = tqdm(
            total=100, initial=self._percent(), desc=self.name, miniters=0,
            mininterval=1.0 if sys.stderr.isatty() else 60.0,  # else it fills the log
            bar_format="{desc}: {percentage:.1f}% |{bar}| {elapsed}, {remaining} left{postfix}",
        )  # fmt: skip
        self.device_clock = clock_of(module.device)
        self.last_saved = time.monotonic()
        self.first_step, self.first_second = self.record.steps, self.record.seconds
        self._start_clocks()

    def on_train_batch_end(self, trainer, module, outputs, batch, batch_idx) -> None:
        """Count the step; log, validate and save when it is due; stop when the budget is used up."""
        record, run = self.record, self.run
        record.steps += 1
        self._count_seconds()
        if self.account.update():
            self._refuse_unknown_energy()
            self._show()
        self._predict()
        over = self.budget.used_up(record.used) is not None
        ending = over or self.stop_signal is not None
        every = run.validation_every_steps
        validate = over or bool(every and record.steps % every == 0)
        if ending or validate or record.steps % run.log_every_steps == 0:
            self._log(module, validate)
        elif module.must_check:
            module.check_losses(self._last_good())
        if ending or time.monotonic() - self.last_saved >= 60 * run.checkpoint_minutes:
            self._save(module)
        trainer.should_stop = ending

    def on_train_end(self, trainer, module) -> None:
        """Close what is open."""
        self._close()

    def on_exception(self, trainer, module, exception) -> None:
        """Close what is open."""
        with suppress(OSError):  # on a full disk; the error that matters is on its way
            self._close()

    # ------------------------------------------------------------------ clocks

    def _start_clocks(self) -> None:
        self.account.resume()
        self.counted_until = time.monotonic()

    def _count_seconds(self) -> None:
        now = time.monotonic()
        self.record.seconds += now - self.counted_until
        self.counted_until = now

    @contextmanager
    def _outside_training(self) -> Iterator[None]:
        """Time and energy of the block do not count."""
        self.device_clock.synchronise()
        self._count_seconds()
        self.account.pause()
        yield
        self._start_clocks()

    # ------------------------------------------------------------------ parts of a step's end

    def _log(self, module: TrainingModule, validate: bool) -> None:
        module.check_losses(self._last_good())
        record = self.record
        record.losses = {name: float(value) for name, value in module.losses.items()}
        distance = None
        if validate and self.validation:
            with self._outside_training():
                distance = self._validate(module)
        self.curve.add({
            "step": record.steps, "epoch": record.epochs, "seconds": record.seconds, "joules": record.energy.joules,
            "learning_rate": module.learning_rate, "d_stft": distance, **record.losses,
        })  # fmt: skip
        self._show()

    def _validate(self, module: TrainingModule) -> float | None:
        record = self.record
        folder = self.folder.folder / "samples" / f"step_{record.steps:08d}"
        judged = self.validation.run(module.objective.vocoder, folder)
        record.validation_d_stft, record.collapsed = judged.d_stft, bool(judged.collapsed)
        if judged.collapsed:
            log.warning(
                "step %d: the generator has collapsed: silent, constant or not finite audio for %s",
                record.steps, ", ".join(judged.collapsed),
            )  # fmt: skip
        return judged.d_stft

    def _predict(self) -> None:
        record = self.record
        if record.prediction is None and predicted(record.used, self.budget, self.kg_per_joule) is not None:
            with self._outside_training():
                pass  # brings time and energy up to this step
            record.prediction = predicted(record.used, self.budget, self.kg_per_joule)
            log.info("predicted for the whole run: %s", vars(record.prediction))

    def _save(self, module: TrainingModule) -> None:
        with self._outside_training():
            module.check_losses(self._last_good())
            module.check_weights(self._last_good())
            self.curve.sync()
            self.folder.save({"record": self.record.as_dict(), "module": module.state()})
            self.last_saved = time.monotonic()

    def _refuse_unknown_energy(self) -> None:
        energy = self.record.energy
        if self.run.energy_kwh is not None and energy.joules is None:
            reason = "; ".join(energy.faults[-3:]) or f"pieces were measured by {' and '.join(energy.sources)}"
            raise UserError(
                f"config key training.energy_kwh: the energy is not known ({reason}); mend that or set steps or hours "
                "instead, then run again to resume"
            )

    def _last_good(self) -> Path | str:
        return self.folder.newest if self.folder.newest.exists() else "none yet"

    # ------------------------------------------------------------------ what a user sees

    def _show(self) -> None:
        record = self.record
        speed = (record.steps - self.first_step) / max(record.seconds - self.first_second, 1.0e-9)
        losses = "".join(f", {name} {value:.4g}" for name, value in list(record.losses.items())[:1])
        shown = f"step {record.steps}, {speed:.3g} steps/s{losses}, {_shown(record.energy.joules)}"
        self.bar.set_postfix_str(shown, refresh=False)
        self.bar.update(self._percent() - self.bar.n)

    def _percent(self) -> float:
        return round(100 * self.budget.share(self.record.used), 2)

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.stop_signal is not None:  # the second one does not wait for the step to end
            raise UserError(f"stopped by {signal.Signals(number).name} without saving; run again to resume")
        self.stop_signal = number

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()
        if self.curve is not None:
            self.curve.close()
            self.curve = None


def _shown(joules: float | None) -> str:
    if joules is None:
        return "energy unknown"
    return f"{joules:.3g} J" if joules < 0.01 * JOULES_PER_KWH else f"{joules / JOULES_PER_KWH:.3g} kWh"
