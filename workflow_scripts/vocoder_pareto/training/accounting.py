"""Energy of a training: the meter is read often enough, steps are summed, and joules become emissions."""

import logging
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from vocoder_pareto.measurement.meter import Meter, Reading
from vocoder_pareto.measurement.waiting_threads import threads_spin

log = logging.getLogger(__name__)
# NVML's counter moves every 100 ms: a stretch that is shorter may count nothing, and its energy falls to the next one.
COUNTER_MAY_STAND_SECONDS = 1.0
# Up to this share of the time may lack a valid reading; its energy is filled in at the mean power, and flagged.
LARGEST_GAP_SHARE = 0.01
MOST_FAULTS = 20


@dataclass
class EnergyTotals:
    """Energy of a training over all its pieces. A missing sensor is no zero, so what was not measured is told apart.

    Attributes:
        measured_joules, measured_seconds: The sums over the stretches with a valid reading at both ends.
        missing_seconds: The sum over all other stretches.
        by_domain: The joules of each counter in the valid stretches; None if one of them could not be read.
        watts_per_core: What an estimate took a busy core to draw; None for what was measured.
        sources: The sources of the pieces, each once: `nvml`, `rapl`, `estimated`, or `none` for one without a meter.
        notes: The flags of the way the meter was chosen and how it may err, each once.
        faults: What went wrong, in words, each once: the first twenty.
    """

    measured_joules: float = 0.0
    measured_seconds: float = 0.0
    missing_seconds: float = 0.0
    by_domain: dict[str, float | None] = field(default_factory=dict)
    watts_per_core: float | None = None
    sources: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    @property
    def joules(self) -> float | None:
        """The energy of the whole; None if more than a hundredth of its time lacks or sources differ (never summed)."""
        seconds = self.measured_seconds + self.missing_seconds
        if len(self.sources) > 1 or self.missing_seconds > LARGEST_GAP_SHARE * seconds:
            return None
        return self.measured_joules * (seconds / self.measured_seconds) if self.measured_seconds else 0.0

    def restate(self, watts_per_core: float) -> None:
        """Take a busy core to draw `watts_per_core`, in what is estimated so far and from now on."""
        factor = watts_per_core / self.watts_per_core if self.watts_per_core else 1.0
        self.measured_joules *= factor
        self.by_domain = {name: None if joules is None else joules * factor for name, joules in self.by_domain.items()}
        self.watts_per_core = watts_per_core

    def plus(self, other: Self) -> Self:
        """Return both together, in this one's watts of a busy core."""
        other = other._in_watts(self.watts_per_core)
        names = self.by_domain | other.by_domain
        return replace(
            self,
            measured_joules=self.measured_joules + other.measured_joules,
            measured_seconds=self.measured_seconds + other.measured_seconds,
            missing_seconds=self.missing_seconds + other.missing_seconds,
            by_domain={name: _sum(self.by_domain.get(name, 0.0), other.by_domain.get(name, 0.0)) for name in names},
            watts_per_core=self.watts_per_core or other.watts_per_core,
            sources=_each_once(self.sources, other.sources),
            notes=_each_once(self.notes, other.notes),
            faults=_each_once(self.faults, other.faults)[:MOST_FAULTS],
        )

    def since(self, earlier: Self) -> Self:
        """Return what came to these totals after they were as in `earlier`."""
        earlier = earlier._in_watts(self.watts_per_core)
        before = {name: None if joules is None else -joules for name, joules in earlier.by_domain.items()}
        part = replace(
            self,
            measured_joules=max(0.0, self.measured_joules - earlier.measured_joules),
            measured_seconds=max(0.0, self.measured_seconds - earlier.measured_seconds),
            missing_seconds=max(0.0, self.missing_seconds - earlier.missing_seconds),
            by_domain={name: _sum(joules, before.get(name, 0.0)) for name, joules in self.by_domain.items()},
        )
        return part if part.measured_seconds or part.missing_seconds else type(self)(watts_per_core=self.watts_per_core)

    def _in_watts(self, watts_per_core: float | None) -> Self:
        copy = replace(self)
        if watts_per_core is not None:
            copy.restate(watts_per_core)
        return copy

    @property
    def source(self) -> str | None:
        """The source of `joules`; None where those are unknown."""
        return self.sources[0] if self.sources and self.joules is not None else None

    @property
    def why_unknown(self) -> str:
        """The reasons for which `joules` may be unknown, in words."""
        return "; ".join(self.faults[-3:]) or f"pieces were measured by {' and '.join(self.sources)}"

    @property
    def flags(self) -> list[str]:
        """One of `energy_sources_differ`, `energy_unknown` and `energy_has_gaps` if it holds, and the notes."""
        if len(self.sources) > 1:
            return ["energy_sources_differ", *self.notes]
        if self.joules is None:
            return ["energy_unknown", *self.notes]
        return ["energy_has_gaps", *self.notes] if self.missing_seconds else self.notes


class EnergyAccount:
    """Adds the meter's joules between `resume` and `pause` to `totals`, in stretches so short that no counter wraps
    unseen.

    Args:
        meter: The meter to read.
        totals: The totals of the training, which are added to.
        interval_seconds: The length from which `update` closes a stretch.
        clock: The meter's clock, in seconds.
    """

    def __init__(
        self,
        meter: Meter,
        totals: EnergyTotals,
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ):
        longest = meter.longest_gap_seconds
        self.meter, self.totals, self._clock = meter, totals, clock
        self.interval_seconds = min(interval_seconds, longest / 2) if longest else interval_seconds
        self._start: Reading | None = None
        if meter.watts_per_core is not None:
            totals.restate(meter.watts_per_core)
        spinning = ["threads_spin"] if meter.is_estimate and threads_spin() else []
        totals.sources = _each_once(totals.sources, [meter.source])
        totals.notes = _each_once(totals.notes, [*meter.notes, *spinning])

    def resume(self) -> None:
        """Begin a stretch."""
        self._start = self.meter.read()

    def update(self) -> bool:
        """Close the stretch if it is long enough, and begin the next; return whether it was. This is cheap."""
        if self._start is None or self._clock() - self._start.monotonic_seconds < self.interval_seconds:
            return False
        self._start = self._close(self._start)
        return True

    def pause(self) -> None:
        """Close the stretch; nothing is counted until `resume`."""
        if self._start is not None:
            self._close(self._start)
        self._start = None

    def _close(self, start: Reading) -> Reading:
        end = self.meter.read()
        if end.monotonic_seconds <= start.monotonic_seconds:  # no time has passed
            return start
        energy = self.meter.energy_between(start, end, COUNTER_MAY_STAND_SECONDS)
        totals = self.totals
        if energy.joules is not None:
            totals.measured_joules += energy.joules
            totals.measured_seconds += energy.seconds
        else:
            totals.missing_seconds += energy.seconds
        for reason in energy.reasons:
            if reason not in totals.faults and len(totals.faults) < MOST_FAULTS:
                log.warning("energy: %s", reason)
                totals.faults.append(reason)
        for domain, joules in energy.by_domain.items():
            before = totals.by_domain.get(domain, 0.0)
            if before is None or (joules is None and energy.valid):
                totals.by_domain[domain] = None
            else:
                totals.by_domain[domain] = before + (joules or 0.0)
        return end


def _sum(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else one + other


def _each_once(one: Iterable[str], other: Iterable[str]) -> list[str]:
    return list(dict.fromkeys([*one, *other]))
