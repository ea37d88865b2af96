"""The measurement protocol: idle, warm-up, windows of repeated work, idle again.

A measurement has one or more attempts, an attempt several windows, a window many passes; a pass is one call of the
vocoder. Time and energy come from the same windows. Sources: docs/measurement.md.
"""

import logging
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from vocoder_pareto.intervals import mean_with_interval
from vocoder_pareto.measurement.clocks import Clock
from vocoder_pareto.measurement.meter import Energy, Meter, Reading
from vocoder_pareto.study.sections.measurement import EnergySettings

log = logging.getLogger(__name__)

# A pass time is stable when the last passes differ by no more than this share of their median.
STABLE_PASSES = 5
STABLE_SPREAD = 0.1


@dataclass(frozen=True)
class Work:
    """The unit of work.

    Attributes:
        passes: call the vocoder once each.
        audio_seconds: is how much audio each of them makes.
    """

    passes: Sequence[Callable[[], None]]
    audio_seconds: Sequence[float]


@dataclass(frozen=True)
class Window:
    """One window.

    Attributes:
        attempt: counts the tries for a narrower interval, from 0.
        start, end: are the readings of the meter that enclose it.
        energy: was used between them.
        audio_seconds: is how much audio was made in it.
        latencies: are the seconds of each pass.
        state_before, state_after: describe the device, see `hardware.device_state`.
    """

    attempt: int
    start: Reading
    end: Reading
    energy: Energy
    audio_seconds: float
    latencies: tuple[float, ...]
    state_before: dict[str, Any] = field(default_factory=dict)
    state_after: dict[str, Any] = field(default_factory=dict)

    @property
    def joules_per_audio_second(self) -> float | None:
        """The gross energy per audio; None if the energy is not valid."""
        return None if self.energy.joules is None else self.energy.joules / self.audio_seconds


@dataclass(frozen=True)
class Measured:
    """All that was observed.

    Attributes:
        windows: stand in their order, those of earlier attempts too.
        idle: are the energies of the device doing nothing with the model loaded, before and after.
        warmup_passes: is how many were done.
        stable: tells whether the time of a pass had settled; None if there were too few passes to tell.
    """

    windows: tuple[Window, ...]
    idle: tuple[Energy, ...]
    warmup_passes: int
    stable: bool | None

    @property
    def counted(self) -> tuple[Window, ...]:
        """The windows of the last attempt: the result."""
        return tuple(window for window in self.windows if window.attempt == self.windows[-1].attempt)


def observe(
    work: Work,
    meter: Meter,
    settings: EnergySettings,
    clock: Clock,
    device_state: Callable[[], dict[str, Any]] = dict,
    draw: random.Random | None = None,
) -> Measured:
    """Follow the protocol: one measurement.

    Args:
        work: is repeated; the vocoder is loaded, folded and in evaluation mode.
        meter: counts the energy of the device that works.
        settings: say how long and how often.
        clock: is that of the device.
        device_state: is called before and after each window.
        draw: decides the lengths of the pauses.
    """
    draw = draw or random.Random(0)
    clock.sleep(settings.cooldown_seconds)
    idle = [_idle(meter, settings, clock)]
    done, stable = _warm_up(work, settings, clock)
    windows: list[Window] = []
    for attempt in range(settings.max_retries + 1):
        for index in range(settings.windows):
            clock.sleep(draw.uniform(0.0, settings.max_pause_seconds))
            windows.append(measure_window(_turned(work, index), meter, settings, clock, device_state, attempt))
        latest = windows[-settings.windows :]
        found = [joules for window in latest if (joules := window.joules_per_audio_second) is not None]
        if len(found) < len(latest):
            log.warning("attempt %d: a window is not valid: %s", attempt + 1, windows[-1].energy.reasons)
        elif (mean_with_interval(found).relative or 0.0) <= settings.max_relative_interval:
            break
    idle.append(_idle(meter, settings, clock))
    return Measured(tuple(windows), tuple(each for each in idle if each is not None), done, stable)


def measure_window(
    work: Work,
    meter: Meter,
    settings: EnergySettings,
    clock: Clock,
    device_state: Callable[[], dict[str, Any]] = dict,
    attempt: int = 0,
) -> Window:
    """Repeat the unit of work until the window is long enough; the counters are read when the device is at rest."""
    before = device_state()
    audio_seconds = 0.0
    clock.synchronise()
    start = meter.read()
    begin = last_reading = clock.seconds()
    marks = [clock.mark()]
    while len(marks) <= settings.min_repeats or clock.seconds() - begin < settings.min_window_seconds:
        for one_pass, seconds in zip(work.passes, work.audio_seconds, strict=True):
            one_pass()
            marks.append(clock.mark())
            audio_seconds += seconds
            last_reading = _keep_up(meter, clock, last_reading)
        clock.synchronise()  # once per unit of work, so that the host does not hurry ahead of the device
    end = meter.read()
    energy = meter.energy_between(start, end)
    latencies = tuple(clock.intervals(marks))
    return Window(attempt, start, end, energy, audio_seconds, latencies, before, device_state())


def _idle(meter: Meter, settings: EnergySettings, clock: Clock) -> Energy | None:
    if settings.idle_seconds <= 0 or meter.is_estimate:  # which tells nothing of an idle device
        return None
    clock.synchronise()
    start = meter.read()
    clock.sleep(settings.idle_seconds)
    return meter.energy_between(start, meter.read())


def _warm_up(work: Work, settings: EnergySettings, clock: Clock) -> tuple[int, bool | None]:
    begin = clock.seconds()
    times: list[float] = []
    stable = None
    while len(times) < settings.warmup_passes or stable is False:
        start = clock.seconds()
        work.passes[len(times) % len(work.passes)]()
        clock.synchronise()
        times.append(clock.seconds() - start)
        if len(times) >= STABLE_PASSES:
            last = times[-STABLE_PASSES:]
            stable = max(last) - min(last) <= STABLE_SPREAD * statistics.median(last)
        if clock.seconds() - begin > settings.max_warmup_seconds:
            break
    return len(times), stable


def _turned(work: Work, turns: int) -> Work:
    """The same work, begun with another clip."""
    turns %= len(work.passes)
    return Work(
        [*work.passes[turns:], *work.passes[:turns]], [*work.audio_seconds[turns:], *work.audio_seconds[:turns]]
    )


def _keep_up(meter: Meter, clock: Clock, last_reading: float) -> float:
    """Read the meter in a long window before a counter can wrap twice; the time of the last reading."""
    now = clock.seconds()
    if meter.longest_gap_seconds is None or now - last_reading < meter.longest_gap_seconds / 4:
        return last_reading
    meter.read()
    return now
