"""Work before anything is measured, until the time of a pass and the power of the device have settled."""

import statistics
from collections.abc import Sequence
from typing import NamedTuple

from vocoder_pareto.measurement.clocks import Clock
from vocoder_pareto.measurement.meter import Meter, Reading
from vocoder_pareto.measurement.work import Work
from vocoder_pareto.study.sections.measurement import EnergySettings

# The time of a pass has settled when the last passes differ by no more than this share of their median.
STABLE_PASSES = 5
STABLE_SPREAD = 0.1
# Power has settled when the last stretches do. A counter that steps every 100 ms tells that of 5 s to 0.8 % (standard
# deviation); three such differ by 3 % one time in 25.
STRETCH_SECONDS = 5.0
STABLE_STRETCHES = 3
STABLE_POWER_SPREAD = 0.03


class WarmUp(NamedTuple):
    """What came of it.

    Attributes:
        passes: is how many were done.
        stable: tells whether the time of a pass had settled; None if there were too few passes to tell.
        power_stable: tells whether the power had; None if there was no counter or too little time to tell.
    """

    passes: int
    stable: bool | None
    power_stable: bool | None


def warm_up(work: Work, meter: Meter, settings: EnergySettings, clock: Clock) -> WarmUp:
    """Work for `warmup_passes` passes whatever their time, then on until all has settled or the time is over."""
    begin = clock.seconds()
    times: list[float] = []
    watched = _Power(meter)
    stable = None
    while True:
        start = clock.seconds()
        work.passes[len(times) % len(work.passes)]()
        clock.synchronise()
        times.append(clock.seconds() - start)
        watched.look(clock.seconds())
        stable = _settled(times, STABLE_PASSES, STABLE_SPREAD)
        settled = stable is True and (meter.is_estimate or watched.stable is True)
        if len(times) >= settings.warmup_passes and (settled or clock.seconds() - begin > settings.max_warmup_seconds):
            return WarmUp(len(times), stable, watched.stable)


class _Power:
    """The mean power of stretches of time, one after the other, by a meter that measures."""

    def __init__(self, meter: Meter):
        self._meter = meter
        self._last: Reading | None = None if meter.is_estimate else meter.read()
        self._watts: list[float] = []

    @property
    def stable(self) -> bool | None:
        return _settled(self._watts, STABLE_STRETCHES, STABLE_POWER_SPREAD)

    def look(self, now: float) -> None:
        """Close a stretch if it is long enough."""
        if self._last is None or now - self._last.monotonic_seconds < STRETCH_SECONDS:
            return
        reading = self._meter.read()
        watts = self._meter.energy_between(self._last, reading).mean_power_watts
        self._watts = [*self._watts, watts] if watts is not None else []
        self._last = reading


def _settled(values: Sequence[float], last: int, spread: float) -> bool | None:
    if len(values) < last:
        return None
    recent = values[-last:]
    return max(recent) - min(recent) <= spread * statistics.median(recent)
