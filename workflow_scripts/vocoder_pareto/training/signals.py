"""Signals that ask a training to stop."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from vocoder_pareto.errors import UserError

# SIGHUP comes when a terminal closes or a connection breaks.
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1, signal.SIGHUP)


class StopSignals:
    """Remembers the first signal, so that the step can end and the state be saved; the second one ends all at once.

    Attributes:
        received: The first signal that came, or None.
    """

    def __init__(self):
        self.received: signal.Signals | None = None

    def listen(self) -> None:
        """Take the signals from now on. Lightning takes some when it sets up a fit, so this comes after that.

        A SIGHUP that the process was started to ignore, as by `nohup`, stays ignored.
        """
        for each in STOP_SIGNALS:
            if each is not signal.SIGHUP or signal.getsignal(each) is not signal.SIG_IGN:
                signal.signal(each, self._on_signal)

    @contextmanager
    def handlers_restored(self) -> Iterator[None]:
        """After the block, leave the signals to those who took them before it."""
        handlers = {each: signal.getsignal(each) for each in STOP_SIGNALS}
        try:
            yield
        finally:
            for each, handler in handlers.items():
                signal.signal(each, handler)

    def _on_signal(self, number: int, frame: Any) -> None:
        if self.received is not None:  # the second one does not wait for the step to end
            raise UserError(f"stopped by {signal.Signals(number).name} without saving; run again to resume")
        self.received = signal.Signals(number)
