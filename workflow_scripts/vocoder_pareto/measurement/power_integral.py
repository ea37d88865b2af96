"""Joules from readings of power: what is left where a device has no counter of energy."""

import threading
import time
from collections.abc import Callable

PERIOD_SECONDS = 0.02
# Readings that lie further apart say nothing of what was drawn between them.
LONGEST_GAP_SECONDS = 1.0


class PowerIntegral:
    """Adds the trapezoids between readings of power, which a thread of its own takes from `start` to `stop`.

    Args:
        read_watts: reads the power now; raises OSError where it cannot.
        clock: gives the seconds of a monotonic clock.
    """

    def __init__(self, read_watts: Callable[[], float], clock: Callable[[], float] = time.monotonic):
        self._read_watts = read_watts
        self._clock = clock
        self._lock = threading.Lock()
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="power readings", daemon=True)
        self._last: tuple[float, float] | None = None  # (seconds, watts)
        self._joules = 0.0
        self._gap = 0.0  # the longest since the joules were asked for

    def start(self) -> None:
        """Begin to read, every 20 ms, until `stop` or the end of the process."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread; the last reading is over when this returns."""
        self._stopped.set()
        self._thread.join()

    def sample(self) -> None:
        """Read once, and add the trapezoid since the last reading.

        Raises:
            OSError: the power cannot be read.
        """
        with self._lock:
            begin = self._clock()
            watts = self._read_watts()
            now = (begin + self._clock()) / 2.0
            if self._last is not None:
                then, before = self._last
                self._joules += (before + watts) / 2.0 * (now - then)
                self._gap = max(self._gap, now - then)
            self._last = (now, watts)

    def joules(self) -> float:
        """The joules up to now.

        Raises:
            OSError: the power cannot be read, or was not for longer than a second since the last call.
        """
        self.sample()
        gap, self._gap = self._gap, 0.0
        if gap > LONGEST_GAP_SECONDS:
            raise OSError(f"its power was not read for {gap:.3g} s, so that what it used is not known")
        return self._joules

    def _run(self) -> None:
        while not self._stopped.wait(PERIOD_SECONDS):
            try:
                self.sample()
            except OSError:
                continue  # the gap that follows tells
