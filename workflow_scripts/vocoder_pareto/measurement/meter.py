"""Energy in joules: two readings of a meter, and what was used between them, with its source."""

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import torch

from vocoder_pareto.measurement.backends import backends_for
from vocoder_pareto.measurement.clocks import seconds_asleep
from vocoder_pareto.measurement.sensor import BackendPassedOver, Domain, MeterUnavailable, Sensor
from vocoder_pareto.study.provenance import installed_version
from vocoder_pareto.study.sections.measurement import MeterSettings

log = logging.getLogger(__name__)

# A counter that moves in steps may count at one reading what was used up to so long before: NVML's moves every 100 ms,
# averages of power lag by up to a second.
COUNTS_LATE_SECONDS = 1.0
# A machine that was suspended for less was not: so far apart are two clocks that are read one after the other.
ASLEEP_SECONDS = 0.5


@dataclass(frozen=True)
class Reading:
    """All counters at one time.

    Attributes:
        utc: the wall time, in ISO 8601.
        monotonic_seconds: the time of a clock that nobody sets.
        counters: as read, in the unit of each domain; None where the counter could not be read.
        totals: the same with all wraps since the meter was opened added.
        faults: for each domain, all that went wrong since the meter was opened.
        asleep_seconds: for how long the machine had been suspended, since whenever.
    """

    utc: str
    monotonic_seconds: float
    counters: dict[str, float | None]
    totals: dict[str, float | None]
    faults: dict[str, tuple[str, ...]]
    asleep_seconds: float = 0.0


@dataclass(frozen=True)
class Energy:
    """What was used between two readings.

    Attributes:
        joules: the headline, all domains of the meter's sensor together. None if not valid.
        seconds: the time between the readings.
        by_domain: the joules of each domain, those beside the headline too; None where one could not be measured.
        source: where the headline comes from, see `Sensor`.
        valid: whether every domain of the headline was measured.
        reasons: what went wrong, in words.
        stood_still: whether a counter of the headline did not move, and should have.
    """

    joules: float | None
    seconds: float
    by_domain: dict[str, float | None]
    source: str
    valid: bool
    reasons: tuple[str, ...] = field(default=())
    stood_still: bool = False

    @property
    def mean_power_watts(self) -> float | None:
        """The mean power of the headline; None if not valid."""
        return None if self.joules is None else self.joules / self.seconds


class Meter:
    """Reads one sensor for the headline, and others beside it, which are never added to it.

    Counters may wrap: read at least every `longest_gap_seconds` while something runs, or the energy is not valid. A
    counter that falls has wrapped only if the joules that follow from that are fewer than its domain can draw in the
    time between the readings; else it was set back, or jumped, and the energy around it is not valid.

    Args:
        sensor: counts the headline.
        beside: are further sensors, told by domain.
        notes: are flags of the way this meter was chosen, each with its sentence.
        clock: gives the seconds of a monotonic clock.
        asleep: gives the seconds for which the machine was suspended.

    Raises:
        ValueError: the sensor has no domain, or two domains have one name.
    """

    def __init__(
        self,
        sensor: Sensor,
        beside: Sequence[Sensor] = (),
        notes: Mapping[str, str] = MappingProxyType({}),
        clock: Callable[[], float] = time.monotonic,
        asleep: Callable[[], float] = seconds_asleep,
    ):
        self.sensor = sensor
        self._notes = dict(notes)
        self._clock = clock
        self._asleep = asleep
        self._lock = threading.Lock()
        self._sensors = (sensor, *beside)
        self._sensor_of = {domain: each for each in self._sensors for domain in each.domains}
        names = [domain.name for each in self._sensors for domain in each.domains]
        if not sensor.domains or len(set(names)) < len(names):
            raise ValueError(f"the domains of a meter are {names}; its sensor needs one, and each a name of its own")
        self._last: dict[str, tuple[float, float, float]] = {}  # name -> (seconds, counter, total)
        self._faults: dict[str, tuple[str, ...]] = {domain.name: () for domain in self._sensor_of}

    @property
    def source(self) -> str:
        """Where the headline comes from, see `Sensor`."""
        return self.sensor.source

    @property
    def is_estimate(self) -> bool:
        """Whether the headline is estimated, not measured."""
        return self.sensor.estimated_from is not None

    @property
    def watts_per_core(self) -> float | None:
        """What an estimate takes a busy core to draw; None where energy is measured."""
        if not self.is_estimate:
            return None
        return next(iter(self.sensor.domains)).joules_per_unit  # of its one counter, CPU seconds

    @property
    def notes(self) -> tuple[str, ...]:
        """The flags of the way this meter was chosen."""
        return tuple(self._notes)

    @property
    def flags(self) -> dict[str, str]:
        """The flags, as flag → sentence, of every result of this meter: its notes, and that it only estimates."""
        if not self.is_estimate:
            return dict(self._notes)
        return {
            "energy_estimated": f"energy is estimated from {self.sensor.estimated_from}, not measured",
            **self._notes,
        }

    @property
    def power_limit_watts(self) -> float | None:
        """What the domains of the headline may draw for long, or None if unknown."""
        return self.sensor.power_limit_watts

    @property
    def settling_seconds(self) -> float:
        """How long the headline's counters may show what was before, see `Sensor`."""
        return self.sensor.settling_seconds

    @property
    def longest_gap_seconds(self) -> float | None:
        """The longest time between two readings in which no counter wraps twice; None if none wraps."""
        gaps = [domain.longest_gap_seconds for domain in self._sensor_of if domain.longest_gap_seconds]
        return min(gaps, default=None)

    def read(self) -> Reading:
        """All counters now. A counter that cannot be read is None, and makes the energy around it invalid.

        Threads may read one meter at a time.
        """
        with self._lock:
            return self._read()

    def _read(self) -> Reading:
        counters: dict[str, float | None] = {}
        totals: dict[str, float | None] = {}
        for domain, sensor in self._sensor_of.items():
            try:
                counter = sensor.read(domain)
            except OSError as error:
                counters[domain.name] = totals[domain.name] = None
                self._fault(domain, f"could not be read ({error})")
            else:
                counters[domain.name] = counter
                totals[domain.name] = self._total(domain, self._clock(), counter)
        utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Reading(utc, self._clock(), counters, totals, dict(self._faults), self._asleep())

    def energy_between(self, start: Reading, end: Reading, may_stand_seconds: float = 0.0) -> Energy:
        """The energy from `start` to `end`, both of this meter.

        Args:
            start, end: enclose what is measured.
            may_stand_seconds: a counter that stands still for no longer is believed. NVML's moves every 100 ms, so a
                sum over many stretches, some of them short, should allow a second; a single measurement nothing.

        Raises:
            ValueError: `end` is not later than `start`.
        """
        seconds = end.monotonic_seconds - start.monotonic_seconds
        if seconds <= 0:
            raise ValueError(f"the reading at the end is {seconds:g} s after the one at the start; swap them")
        joules: dict[str, float | None] = {}
        reasons: list[str] = []
        still = False
        for domain, sensor in self._sensor_of.items():
            faults = _faults_between(domain, start, end, seconds, may_stand_seconds)
            if (asleep := end.asleep_seconds - start.asleep_seconds) > ASLEEP_SECONDS and not sensor.estimated_from:
                faults = (*faults, f"counted on while the machine was suspended for {asleep:.3g} s")
            reasons += [f"{domain.name} {fault}" for fault in faults]
            first, last = start.totals[domain.name], end.totals[domain.name]
            if faults or first is None or last is None:
                joules[domain.name] = None
            else:
                joules[domain.name] = (last - first) * domain.joules_per_unit
            still |= sensor is self.sensor and _stood_still(domain, start, end, seconds, may_stand_seconds)
        headline = [joules[domain.name] for domain in self.sensor.domains]
        measured = [each for each in headline if each is not None]
        valid = len(measured) == len(headline)
        return Energy(sum(measured) if valid else None, seconds, joules, self.source, valid, tuple(reasons), still)

    def description(self) -> dict[str, Any]:
        """How this meter measures, for the record: domains, units, where each counter comes from, versions."""
        return {
            "source": self.source,
            "boundary": self.sensor.boundary,
            "pyjoules": installed_version("pyJoules"),
            "readers": {each.reader: installed_version(each.reader) for each in self._sensors if each.reader},
            "findings": {name: found for each in self._sensors for name, found in each.findings.items()},
            "headline": [domain.name for domain in self.sensor.domains],
            "domains": {
                domain.name: {
                    "unit": domain.unit,
                    "joules_per_unit": domain.joules_per_unit,
                    "wraps_at": domain.wraps_at,
                    "highest_watts": domain.highest_watts,
                    "where": domain.where,
                }
                for domain in self._sensor_of
            },
            "power_limit_watts": self.power_limit_watts,
            "notes": list(self.notes),
        }

    def _total(self, domain: Domain, now: float, counter: float) -> float:
        if domain.name not in self._last:
            total = counter
        else:
            then, before, total = self._last[domain.name]
            if domain.longest_gap_seconds and now - then > domain.longest_gap_seconds:
                self._fault(
                    domain,
                    f"may have wrapped more than once in {now - then:.0f} s without a reading; "
                    f"read it at least every {domain.longest_gap_seconds:.0f} s",
                )
            counts = counter - before
            if counts < 0 and domain.wraps_at:
                counts += domain.wraps_at
            if counts < 0 or _too_many(domain, counts, now - then):
                self._fault(domain, _implausible(domain, before, counter, now - then))
            else:
                total += counts
        self._last[domain.name] = (now, counter, total)
        return total

    def _fault(self, domain: Domain, words: str) -> None:
        self._faults[domain.name] = (*self._faults[domain.name], words)


def _faults_between(
    domain: Domain, start: Reading, end: Reading, seconds: float, may_stand_seconds: float
) -> tuple[str, ...]:
    if start.totals[domain.name] is None:
        return start.faults[domain.name][-1:]
    faults = end.faults[domain.name][len(start.faults[domain.name]) :]
    first, last = start.totals[domain.name], end.totals[domain.name]
    if faults or first is None or last is None:
        return faults
    if _stood_still(domain, start, end, seconds, may_stand_seconds):
        return (f"stood still for {seconds:.3g} s",)
    if _too_many(domain, last - first, seconds):
        return (_implausible(domain, first, last, seconds),)
    return ()


def _stood_still(domain: Domain, start: Reading, end: Reading, seconds: float, may_stand_seconds: float) -> bool:
    if domain.may_stand_still or seconds <= may_stand_seconds or start.counters[domain.name] is None:
        return False
    unfaulty = end.faults[domain.name] == start.faults[domain.name]
    return unfaulty and end.totals[domain.name] == start.totals[domain.name]


def _too_many(domain: Domain, counts: float, seconds: float) -> bool:
    """Whether what `domain` stands for cannot draw so much in `seconds`."""
    if domain.highest_watts is None:
        return False
    return counts * domain.joules_per_unit > domain.highest_watts * (seconds + COUNTS_LATE_SECONDS)


def _implausible(domain: Domain, before: float, counter: float, seconds: float) -> str:
    """What is wrong with two readings of a counter, in words."""
    if counter >= before:
        joules = (counter - before) * domain.joules_per_unit
        return f"jumped by {joules:.4g} J in {seconds:.3g} s; no more than {domain.highest_watts:.4g} W are possible"
    words = f"went backwards, from {before:g} to {counter:g} {domain.unit}"
    if not domain.wraps_at:
        return words
    watts = f"{domain.highest_watts:.4g} W" if domain.highest_watts is not None else "what is possible"
    return f"{words}; a wrap in {seconds:.3g} s would take more than {watts}"


def open_meter(device: torch.device, settings: MeterSettings) -> Meter:
    """The best meter for work on `device`: the first of `backends.BACKENDS` that serves it and that `settings` choose.

    For an accelerator the headline is the accelerator alone; what measures the CPU is told beside it where it can be
    read.

    Raises:
        MeterUnavailable: the counter exists but cannot be used (no permission, a MIG slice), or no backend that
            `settings` choose serves the device.
    """
    passed_over: list[BackendPassedOver] = []
    for backend in backends_for(device, settings.backend):
        try:
            sensor = backend.open(device, settings)
        except BackendPassedOver as refusal:
            passed_over.append(refusal)
            continue
        origin = f"estimated from {sensor.estimated_from}" if sensor.estimated_from else f"read from {sensor.source}"
        for each in passed_over:
            log.warning("%s. Until then energy is %s.", each, origin)
        notes = {each.flag: each.reason for each in passed_over if each.flag}
        return Meter(sensor, [] if device.type == "cpu" else _sensors_of_the_cpu(settings, sensor), notes)
    if passed_over:
        raise passed_over[0]
    raise MeterUnavailable(_no_backend(device, settings))


def _no_backend(device: torch.device, settings: MeterSettings) -> str:
    """Why `device` cannot be metered, and how to mend it."""
    others = backends_for(device)
    if not others:
        return (
            f"{device}: no backend of the meter counts its energy; choose another device, "
            "or write one (docs/extending.md)"
        )
    package = f", after `pip install {others[0].reader}`" if others[0].reader else ""
    return (
        f"{device}: meter.backend: {settings.backend} does not count its energy, "
        f"{others[0].__name__} does; set meter.backend: auto{package} (docs/measurement.md)"
    )


def _sensors_of_the_cpu(settings: MeterSettings, headline: Sensor) -> list[Sensor]:
    """The first that measures; an estimate is never put beside a measurement, nor a counter beside itself."""
    cpu = torch.device("cpu")
    choice = "auto" if settings.backend == "zeus" else settings.backend
    for backend in backends_for(cpu, choice):
        if backend.estimated_from is None:
            try:
                sensor = backend.open(cpu, settings)
            except MeterUnavailable as error:
                log.info("%s. The accelerator is measured all the same.", error)
            else:
                return [] if sensor.source == headline.source else [sensor]
    return []
