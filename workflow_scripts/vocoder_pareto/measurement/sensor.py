"""What a meter reads: counters of energy, each with its unit and with where it wraps."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar

from vocoder_pareto.errors import UserError


class MeterUnavailable(UserError):
    """The energy of the device cannot be metered here; the message says why and how to mend it."""


@dataclass(frozen=True)
class Domain:
    """One counter.

    Attributes:
        name: as pyJoules calls it: `nvidia_gpu_0`, `package_0`, `dram_0`; `cpu_time` for the estimate.
        unit: in which it counts: `mJ`, `µJ`, `CPU seconds`.
        joules_per_unit: what a count is worth.
        where: the file, the UUID of the GPU or the method behind it.
        wraps_at: the counter falls back to 0 from here (in its unit); None if it never does.
        longest_gap_seconds: between two readings at most, so that it wraps once at most; None if it never wraps.
        may_stand_still: whether an unchanged counter is a plausible reading (an idle process uses no CPU time).
    """

    name: str
    unit: str
    joules_per_unit: float
    where: str
    wraps_at: float | None = None
    longest_gap_seconds: float | None = None
    may_stand_still: bool = False


class Sensor(ABC):
    """Counters of one source.

    Attributes:
        source: `nvml`, `rapl` or `estimated`; `none` of `NoSensor`.
    """

    source: ClassVar[str]
    domains: tuple[Domain, ...]

    @abstractmethod
    def read(self, domain: Domain) -> float:
        """The counter of `domain` in its own unit.

        Raises:
            OSError: it cannot be read now.
        """

    @property
    @abstractmethod
    def power_limit_watts(self) -> float | None:
        """What the domains together may draw for long, or None if unknown."""


class NoSensor(Sensor):
    """In the place of a sensor where there is none: a counter that can never be read.

    Args:
        reason: why there is none.
    """

    source = "none"

    def __init__(self, reason: str):
        self.reason = reason
        self.domains = (Domain("unmetered", "J", 1.0, where=reason),)

    def read(self, domain: Domain) -> float:
        """See `Sensor`."""
        raise OSError(self.reason)

    @property
    def power_limit_watts(self) -> None:
        """See `Sensor`."""
        return None
