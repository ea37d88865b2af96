"""Time on the host and on the device that works."""

import time
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Protocol

import torch


def seconds_asleep() -> float:
    """For how long the machine has been suspended since it began, in seconds; 0 where the system does not tell.

    Linux's monotonic clock stands still then, while counters go on, or begin anew.
    """
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)


class Clock(Protocol):
    """Tells the time on the host, and on the device between two points in its work."""

    def seconds(self) -> float:
        """The time on the host, in seconds of a clock that nobody sets."""

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long."""

    def synchronise(self) -> None:
        """Wait until the device has done all its work."""

    def mark(self) -> Any:
        """Note the present point in the device's work."""

    def intervals(self, marks: Sequence[Any]) -> list[float]:
        """The seconds between successive marks; the device has been synchronised since."""


class _HostTime:
    """What is the same whichever device works."""

    def seconds(self) -> float:
        """The time in seconds of a clock that nobody sets."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Do nothing for so long."""
        time.sleep(seconds)


class HostClock(_HostTime):
    """The clock of work on a CPU, which is done when a call returns."""

    def synchronise(self) -> None:
        """Go on, since there is nothing to wait for."""

    def mark(self) -> float:
        """Note the present time, in fine steps."""
        return time.perf_counter()

    def intervals(self, marks: Sequence[float]) -> list[float]:
        """The seconds between successive marks."""
        return [later - earlier for earlier, later in pairwise(marks)]


class CudaClock(_HostTime):
    """The clock of work on a GPU: marks are events in its stream, so that timing a pass does not hold up the next."""

    def __init__(self, device: torch.device):
        self._device = device

    def synchronise(self) -> None:
        """Wait until the GPU has done all its work."""
        torch.cuda.synchronize(self._device)

    def mark(self) -> torch.cuda.Event:
        """Put an event behind all work given to the GPU so far."""
        event = torch.cuda.Event(enable_timing=True)
        event.record(torch.cuda.current_stream(self._device))
        return event

    def intervals(self, marks: Sequence[torch.cuda.Event]) -> list[float]:
        """The seconds of the GPU between successive events."""
        return [earlier.elapsed_time(later) * 1.0e-3 for earlier, later in pairwise(marks)]


def clock_of(device: torch.device) -> Clock:
    """The clock of work on `device`."""
    return CudaClock(device) if device.type == "cuda" else HostClock()
