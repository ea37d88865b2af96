"""What a user sees of a training while it goes on."""

import sys
from contextlib import suppress

from tqdm import tqdm

from vocoder_pareto.training.budget import Budget, energy_in_words
from vocoder_pareto.training.record import TrainingRecord


class ProgressBar:
    """A bar of the used share of the budget, with the speed of this piece, the first loss and the energy.

    Args:
        name: The name of the system.
        budget: The budget whose use is shown.
        record: The record that is shown, as it is at the beginning of this piece.
    """

    def __init__(self, name: str, budget: Budget, record: TrainingRecord):
        self._budget, self._record = budget, record
        self._first_step, self._first_second = record.steps, record.seconds
        self._bar = tqdm(
            total=100, initial=self._percent(), desc=name, miniters=0,
            mininterval=1.0 if sys.stderr.isatty() else 60.0,  # else it fills the log
            bar_format="{desc}: {percentage:.1f}% |{bar}| {elapsed}, {remaining} left{postfix}",
        )  # fmt: skip

    def show(self) -> None:
        """Bring the bar up to date with the record."""
        record = self._record
        speed = (record.steps - self._first_step) / max(record.seconds - self._first_second, 1.0e-9)
        losses = "".join(f", {name} {value:.4g}" for name, value in list(record.losses.items())[:1])
        shown = f"step {record.steps}, {speed:.3g} steps/s{losses}, {energy_in_words(record.energy.joules)}"
        self._bar.set_postfix_str(shown, refresh=False)
        with suppress(OSError):  # of a terminal that is closed
            self._bar.update(self._percent() - self._bar.n)

    def close(self) -> None:
        """End the line of the bar."""
        with suppress(OSError):
            self._bar.close()

    def _percent(self) -> float:
        return round(100 * self._budget.share(self._record.used), 2)
