"""Energy in joules: two readings of a meter, and what was used between them, with its source."""

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import torch

from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.nvml import NvmlSensor
from vocoder_pareto.measurement.powercap import POWERCAP, RaplSensor, rapl_exists
from vocoder_pareto.measurement.sensor import Domain, MeterUnavailable, Sensor
from vocoder_pareto.measurement.units import pyjoules_version
from vocoder_pareto.study.sections.measurement import MeterSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Reading:
    """All counters at one time.

    Attributes:
        utc: wall time, ISO 8601.
        monotonic_seconds: of a clock that nobody sets.
        counters: as read, in the unit of each domain; None where the counter could not be read.
        totals: the same with all wraps since the meter was opened added.
        faults: for each domain, all that went wrong since the meter was opened.
    """

    utc: str
    monotonic_seconds: float
    counters: dict[str, float | None]
    totals: dict[str, float | None]
    faults: dict[str, tuple[str, ...]]


@dataclass(frozen=True)
class Energy:
    """What was used between two readings.

    Attributes:
        joules: of the headline: the GPU alone, or packages and memory, or the estimate. None if not valid.
        seconds: between the readings.
        by_domain: joules of each domain, those beside the headline too; None where one could not be measured.
        source: of the headline, `nvml`, `rapl` or `estimated`.
        valid: whether every domain of the headline was measured.
        reasons: what went wrong, in words.
    """

    joules: float | None
    seconds: float
    by_domain: dict[str, float | None]
    source: str
    valid: bool
    reasons: tuple[str, ...] = field(default=())

    @property
    def mean_power_watts(self) -> float | None:
        """Of the headline; None if not valid."""
        return None if self.joules is None else self.joules / self.seconds


class Meter:
    """Reads one sensor for the headline, and others beside it, which are never added to it.

    Counters of RAPL wrap: read at least every `longest_gap_seconds` while something runs, or the energy is not valid.

    Args:
        sensor: of the headline.
        beside: further sensors, told by domain.
        notes: flags of the way this meter was chosen.
        clock: seconds of a monotonic clock.
    """

    def __init__(
        self,
        sensor: Sensor,
        beside: Sequence[Sensor] = (),
        notes: Sequence[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ):
        self.sensor = sensor
        self.notes = tuple(notes)
        self._clock = clock
        self._sensor_of = {domain: each for each in (sensor, *beside) for domain in each.domains}
        self._last: dict[str, tuple[float, float, float]] = {}  # name -> (seconds, counter, total)
        self._faults: dict[str, tuple[str, ...]] = {domain.name: () for domain in self._sensor_of}

    @property
    def source(self) -> str:
        """`nvml`, `rapl` or `estimated`."""
        return self.sensor.source

    @property
    def power_limit_watts(self) -> float | None:
        """What the domains of the headline may draw for long, or None if unknown."""
        return self.sensor.power_limit_watts

    @property
    def longest_gap_seconds(self) -> float | None:
        """Between two readings at most, so that no counter wraps twice; None if none wraps."""
        gaps = [domain.longest_gap_seconds for domain in self._sensor_of if domain.longest_gap_seconds]
        return min(gaps, default=None)

    def read(self) -> Reading:
        """All counters now. A counter that cannot be read is None, and makes the energy around it invalid."""
        counters: dict[str, float | None] = {}
        totals: dict[str, float | None] = {}
        for domain, sensor in self._sensor_of.items():
            try:
                counters[domain.name] = sensor.read(domain)
            except OSError as error:
                counters[domain.name] = totals[domain.name] = None
                self._fault(domain, f"could not be read ({error})")
            else:
                totals[domain.name] = self._total(domain, self._clock(), counters[domain.name])
        utc = datetime.now(UTC).isoformat(timespec="milliseconds")
        return Reading(utc, self._clock(), counters, totals, dict(self._faults))

    def energy_between(self, start: Reading, end: Reading, may_stand_seconds: float = 0.0) -> Energy:
        """The energy from `start` to `end`, both of this meter.

        Args:
            start, end: what to measure between.
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
        for domain in self._sensor_of:
            faults = _faults_between(domain, start, end, seconds, may_stand_seconds)
            reasons += [f"{domain.name} {fault}" for fault in faults]
            counts = None if faults else end.totals[domain.name] - start.totals[domain.name]
            joules[domain.name] = None if counts is None else counts * domain.joules_per_unit
        headline = [joules[domain.name] for domain in self.sensor.domains]
        valid = None not in headline
        return Energy(sum(headline) if valid else None, seconds, joules, self.source, valid, tuple(reasons))

    def description(self) -> dict[str, Any]:
        """How this meter measures, for the record: domains, units, where each counter comes from, versions."""
        return {
            "source": self.source,
            "pyjoules": pyjoules_version(),
            "headline": [domain.name for domain in self.sensor.domains],
            "domains": {
                domain.name: {
                    "unit": domain.unit,
                    "joules_per_unit": domain.joules_per_unit,
                    "wraps_at": domain.wraps_at,
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
            if counts < 0:
                self._fault(domain, f"went backwards, from {before:g} to {counter:g} {domain.unit}")
            total += max(counts, 0.0)
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
    stands = end.totals[domain.name] == start.totals[domain.name] and not domain.may_stand_still
    if not faults and stands and seconds > may_stand_seconds:
        return (f"stood still for {seconds:.3g} s",)
    return faults


def open_meter(device: torch.device, settings: MeterSettings, powercap: Path = POWERCAP) -> Meter:
    """The best meter for work on `device`: its NVML counter; for a CPU RAPL, or the estimate where there is no RAPL.

    For a GPU the headline is the GPU alone; packages and memory are told beside it where they can be read.

    Raises:
        MeterUnavailable: the counter exists but cannot be used (no permission, a MIG slice, an old GPU).
    """
    if device.type == "cuda":
        return Meter(NvmlSensor(device), beside=_readable_rapl(powercap))
    if not rapl_exists(powercap):
        return Meter(CpuTimeSensor(settings.cpu_watts_per_core))
    try:
        return Meter(RaplSensor(powercap))
    except MeterUnavailable as error:
        if settings.unreadable_rapl == "error":
            raise
        log.warning("%s. Until then energy is estimated from CPU time.", error)
        return Meter(CpuTimeSensor(settings.cpu_watts_per_core), notes=["rapl_unreadable"])


def _readable_rapl(powercap: Path) -> list[RaplSensor]:
    try:
        return [RaplSensor(powercap)] if rapl_exists(powercap) else []
    except MeterUnavailable as error:
        log.info("%s. The GPU is measured all the same.", error)
        return []
