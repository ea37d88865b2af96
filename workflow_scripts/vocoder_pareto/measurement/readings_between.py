"""Readings of a meter while something runs, so that no counter wraps twice unseen, however long a single pass takes."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from vocoder_pareto.measurement.meter import Meter

# Of the longest gap: a thread of a busy machine may be late.
_SHARE = 0.25


@contextmanager
def readings_between(meter: Meter) -> Iterator[None]:
    """Read `meter` now and then in a thread of its own; not at all if none of its counters wraps."""
    longest = meter.longest_gap_seconds
    if longest is None:
        yield
        return
    over = threading.Event()

    def read_on() -> None:
        while not over.wait(_SHARE * longest):
            meter.read()

    thread = threading.Thread(target=read_on, name="readings between", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
