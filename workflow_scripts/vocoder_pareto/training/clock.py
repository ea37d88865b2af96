"""The time and the energy of the steps of a training, and of nothing that happens between them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from vocoder_pareto.measurement.clocks import Clock
from vocoder_pareto.training.accounting import EnergyAccount
from vocoder_pareto.training.record import TrainingRecord


class TrainingClock:
    """Adds the seconds and the joules of steps to the record of a training.

    Args:
        record: The record whose seconds grow.
        account: The account that adds to the energy of that record.
        device_clock: The clock of the device, which may still work on a step when the call of that step has returned.
    """

    def __init__(self, record: TrainingRecord, account: EnergyAccount, device_clock: Clock):
        self._record, self._account, self._device_clock = record, account, device_clock
        self._counted_until = 0.0

    def start(self) -> None:
        """Count from now on."""
        self._account.resume()
        self._counted_until = time.monotonic()

    def count(self) -> bool:
        """Count the time up to now, and the energy too if its meter is due to be read; return whether it was."""
        self._count_seconds()
        return self._account.update()

    def catch_up(self) -> None:
        """Count time and energy up to now, whether or not the meter is due to be read."""
        with self.stopped():
            pass

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Count time and energy up to the block, which does not count itself."""
        self._device_clock.synchronise()
        self._count_seconds()
        self._account.pause()
        yield
        self.start()

    def _count_seconds(self) -> None:
        now = time.monotonic()
        self._record.seconds += now - self._counted_until
        self._counted_until = now
