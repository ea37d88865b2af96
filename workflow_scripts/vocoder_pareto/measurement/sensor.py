"""What a meter reads, and the one interface that a backend of the meter writes: `Sensor`.

A backend is a subclass of `Sensor` in a file of its own and an entry of `backends.py`. Everything else of this folder
asks the class or its instance, and knows no source by name. How to add one: docs/extending.md.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Self

import torch

from vocoder_pareto.errors import UserError

if TYPE_CHECKING:  # the meter imports the backends
    from vocoder_pareto.study.sections.measurement import MeterSettings


class MeterUnavailable(UserError):
    """The energy of the device cannot be metered here; the message says why and how to mend it."""


class BackendPassedOver(MeterUnavailable):
    """The counter cannot be used, and the settings allow the next backend to take its place.

    Args:
        message: why, and how to mend it.
        flag: which every result of the meter that is taken instead bears; none if its own source says enough.
        reason: the flag in words.
    """

    def __init__(self, message: str, flag: str | None = None, reason: str = ""):
        super().__init__(message)
        self.flag = flag
        self.reason = reason


@dataclass(frozen=True)
class Domain:
    """One counter.

    Attributes:
        name: as pyJoules calls it: `nvidia_gpu_0`, `package_0`, `dram_0`; `cpu_time` for the estimate. No two domains
            of a meter share a name.
        unit: in which it counts: `mJ`, `µJ`, `CPU seconds`.
        joules_per_unit: what a count is worth.
        where: the file, the UUID of the GPU or the method behind it.
        wraps_at: the counter falls back to 0 from here (in its unit); None if it never does.
        longest_gap_seconds: between two readings at most, so that it wraps once at most; None if it never wraps.
        may_stand_still: whether an unchanged counter is a plausible reading (an idle process uses no CPU time).
        highest_watts: more than what is counted here can ever draw, so that joules above it tell of a counter that was
            set back or jumped; None leaves the check out.
    """

    name: str
    unit: str
    joules_per_unit: float
    where: str
    wraps_at: float | None = None
    longest_gap_seconds: float | None = None
    may_stand_still: bool = False
    highest_watts: float | None = None


class Sensor(ABC):
    """Counters of one source: a backend of the meter.

    The class tells what it can do before anything is opened (`serves`, `open`) and what it knows of a device beside
    its energy (`describe`, `state`, `peak_flops_per_second`); an instance reads. A backend writes `serves`, `open`,
    `read` and `power_limit_watts`; the rest where it has something to say.

    Attributes:
        source: the word for the origin of the joules in every record, as in `tables.sources`; `none` of `NoSensor`.
        boundary: what the domains together count, in words.
        findings: what was found out about the counters when they were opened, for the record.
        chosen_by: the values of the key `meter.backend` under which the backend is considered.
        reader: the distribution through which the counters are read, as pip calls it, whose version goes into the
            record; None if there is no such package.
        estimated_from: what an estimate is made of; None for a measurement. An estimate is flagged wherever it goes,
            tells nothing of an idle device, and is never put beside a measurement.
        settling_seconds: for how long after a change of power the counters may still show what was before: means of
            the last second, or counters that move so seldom. A protocol waits at least so long before a first reading.
        domains: the counters of the headline, at least one; their joules are added.
    """

    source: str
    boundary: str = ""
    findings: Mapping[str, Any] = MappingProxyType({})
    chosen_by: ClassVar[tuple[str, ...]] = ("pyjoules", "auto")
    reader: ClassVar[str | None] = None
    estimated_from: ClassVar[str | None] = None
    settling_seconds: float = 0.0
    domains: tuple[Domain, ...]

    @classmethod
    def serves(cls, device: torch.device) -> bool:
        """Whether this backend is the one to ask for work on `device`: there is such a counter, readable or not.

        A sensor that is made by hand alone serves nothing.
        """
        return False

    @classmethod
    def open(cls, device: torch.device, settings: "MeterSettings") -> Self:
        """The sensor for work on `device`, which it serves.

        Raises:
            MeterUnavailable: the counter cannot be used; the message says how to mend it.
            BackendPassedOver: so it is, and `settings` allow the next backend to take its place.
        """
        raise MeterUnavailable(f"{device}: {cls.__name__} is not a backend of the meter")

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

    @classmethod
    def describe(cls, device: torch.device) -> Mapping[str, Any] | None:
        """What does not change of an accelerator while it is measured: `name`, `uuid`, `driver`, limits.

        None where this backend knows nothing of `device`.
        """
        return None

    @classmethod
    def state(cls, device: torch.device) -> Mapping[str, Any]:
        """What changes of an accelerator while it is measured: clocks, temperature, load.

        Three keys have a meaning beyond the record. These flag the result: more than one of `processes` (their numbers,
        this one's included); any of `throttle_reasons` but `power_cap`, which is normal at full load; and
        `throttled_seconds`, counters by reason of how long clocks have been held down, that rise by more than a
        hundredth of the time.
        """
        return {}

    @classmethod
    def peak_flops_per_second(cls, device: torch.device, precision: str) -> float | None:
        """What the arithmetic units of an accelerator do at most at `precision`, generously; None if unknown."""
        return None


class NoSensor(Sensor):
    """In the place of a sensor where there is none: a counter that can never be read.

    Args:
        reason: why there is none.
    """

    source = "none"
    boundary = "nothing"

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
