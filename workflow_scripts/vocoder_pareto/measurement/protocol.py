"""The measurement protocol: idle, warm-up, windows of repeated work, idle again; in one process or in several.

A measurement has one or more attempts, an attempt several windows, a window many passes; a pass is one call of the
vocoder. Time and energy come from the same windows. Nothing here tells the time or the energy itself: clock and meter
are given, so that tests run the protocol in simulated time. Sources: docs/measurement.md.
"""

import logging
import random
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field, replace
from typing import Any

from vocoder_pareto.measurement.clocks import Clock
from vocoder_pareto.measurement.combined_windows import combined_windows
from vocoder_pareto.measurement.disturbances import disturbances
from vocoder_pareto.measurement.meter import Energy, Meter, Reading
from vocoder_pareto.measurement.readings_between import readings_between
from vocoder_pareto.measurement.warm_up import warm_up
from vocoder_pareto.measurement.work import Work, repeated
from vocoder_pareto.study.sections.measurement import EnergySettings

log = logging.getLogger(__name__)


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
        process: counts the processes that measured, from 0.
        lead_in: was used by the same work right before; None without any.
    """

    attempt: int
    start: Reading
    end: Reading
    energy: Energy
    audio_seconds: float
    latencies: tuple[float, ...]
    state_before: dict[str, Any] = field(default_factory=dict)
    state_after: dict[str, Any] = field(default_factory=dict)
    process: int = 0
    lead_in: Energy | None = None

    @property
    def joules_per_audio_second(self) -> float | None:
        """The gross energy per audio; None if the energy is not valid."""
        return None if self.energy.joules is None else self.energy.joules / self.audio_seconds

    @property
    def disturbances(self) -> dict[str, str]:
        """What else went on meanwhile, as flag → sentence."""
        return disturbances(self.state_before, self.state_after, self.energy.seconds, self.energy.source)

    @property
    def clean(self) -> bool:
        """Whether its energy is valid and nothing disturbed it."""
        return self.energy.valid and not self.disturbances


@dataclass(frozen=True)
class Measured:
    """All that was observed.

    Attributes:
        windows: stand in their order, those of earlier attempts too.
        idle: are the energies of the device doing nothing with the model loaded, before and after.
        warmup_passes: is how many were done, the fewest of any process.
        stable: tells whether the time of a pass had settled; None if there were too few passes to tell.
        power_stable: tells whether the power had settled; None if it cannot be told.
    """

    windows: tuple[Window, ...]
    idle: tuple[Energy, ...]
    warmup_passes: int
    stable: bool | None
    power_stable: bool | None = None

    @property
    def processes(self) -> list[tuple[Window, ...]]:
        """The windows of each process."""
        numbers = sorted({window.process for window in self.windows})
        return [tuple(window for window in self.windows if window.process == number) for number in numbers]

    @property
    def counted(self) -> tuple[Window, ...]:
        """The windows that the result is made of, of all processes: see `counted_windows`."""
        return tuple(window for process in self.processes for window in counted_windows(process))


def counted_windows(windows: Sequence[Window]) -> tuple[Window, ...]:
    """Those of one process that count: the clean ones if they are half an attempt at least, else all valid ones.

    A window is left out for what went on beside it, never for its energy, so the choice does not bend the result.
    """
    wanted = sum(window.attempt == 0 for window in windows)
    clean = tuple(window for window in windows if window.clean)
    if 2 * len(clean) >= wanted:
        return clean
    return tuple(window for window in windows if window.energy.valid) or tuple(windows)


def lacks_clean(windows: Sequence[Window]) -> bool:
    """Whether a process has fewer clean windows than its first attempt had windows, in spite of all others."""
    return sum(window.clean for window in windows) < sum(window.attempt == 0 for window in windows)


def joined(parts: Iterable[Measured]) -> Measured:
    """What several processes observed, one after the other."""
    parts = list(parts)
    windows = [replace(window, process=index) for index, part in enumerate(parts) for window in part.windows]
    return Measured(
        tuple(windows),
        tuple(idle for part in parts for idle in part.idle),
        min(part.warmup_passes for part in parts),
        _all_stable(part.stable for part in parts),
        _all_stable(part.power_stable for part in parts),
    )


def _all_stable(answers: Iterable[bool | None]) -> bool | None:
    known = [answer for answer in answers if answer is not None]
    return all(known) if known else None


def observe(
    work: Work,
    meter: Meter,
    settings: EnergySettings,
    clock: Clock,
    device_state: Callable[[], dict[str, Any]] = dict,
    draw: random.Random | None = None,
    earlier: Sequence[Measured] = (),
) -> Measured:
    """Follow the protocol: one measurement in this process.

    Args:
        work: is repeated; the vocoder is loaded, folded and in evaluation mode.
        meter: counts the energy of the device that works.
        settings: say how long and how often.
        clock: is that of the device.
        device_state: is called before and after each window.
        draw: decides the lengths of pauses and windows.
        earlier: is what processes before this one observed of the same work. The last of them measures on while the
            interval from all is wide.

    Returns:
        What this process observed, without `earlier`.
    """
    draw = draw or random.Random(0)
    clock.sleep(settings.cooldown_seconds)
    idle = [_idle(meter, settings, clock)]
    warm = warm_up(work, meter, settings, clock)
    windows: list[Window] = []
    needed = settings.windows
    for attempt in range(settings.max_retries + 1):
        for _ in range(needed):
            clock.sleep(draw.uniform(0.0, settings.max_pause_seconds))
            turned, longer = work.turned(len(windows)), draw.uniform(0.0, settings.max_pause_seconds)
            windows.append(measure_window(turned, meter, settings, clock, device_state, attempt, longer))
        needed = _windows_lacking(windows, settings, earlier)
        if not needed:
            break
    idle.append(_idle(meter, settings, clock))
    return Measured(tuple(windows), tuple(each for each in idle if each is not None), *warm)


def _windows_lacking(windows: Sequence[Window], settings: EnergySettings, earlier: Sequence[Measured]) -> int:
    """How many more to measure: those that lack, for whatever disturbed them; as many again for a wide interval.

    All clean windows count, those before a wide interval too: to keep only the attempt whose windows happen to agree
    would make intervals too narrow. Whether an interval is wide is asked once the last process has its windows: two
    windows alone have nearly always a wide one (Student's factor is 12.7), two of each of two processes seldom.
    """
    clean = _clean_values(windows)
    if len(clean) < settings.windows:
        why = {word for window in windows for word in (*window.energy.reasons, *window.disturbances)}
        log.warning("%d of %d windows were disturbed: %s", len(windows) - len(clean), len(windows), ", ".join(why))
        return settings.windows - len(clean)
    if len(earlier) + 1 < settings.processes:
        return 0
    before = [values for part in earlier if (values := _clean_values(part.windows))]
    found = combined_windows([*before, clean], settings.max_relative_interval, 0.0)
    wide = found.relative is not None and found.relative > settings.max_relative_interval
    return settings.windows if wide else 0


def _clean_values(windows: Sequence[Window]) -> list[float]:
    return [value for window in windows if window.clean and (value := window.joules_per_audio_second) is not None]


def measure_window(
    work: Work,
    meter: Meter,
    settings: EnergySettings,
    clock: Clock,
    device_state: Callable[[], dict[str, Any]] = dict,
    attempt: int = 0,
    longer_seconds: float = 0.0,
    beside: AbstractContextManager[Any] | None = None,
) -> Window:
    """Repeat the unit of work until the window is long enough; the counters are read when the device is at rest.

    The same work leads in, so that a counter that lags behind shows the power of this work at the first reading as it
    will at the last; rest leads in to what is measured idle. An estimate from CPU time does not lag. A window is
    `longer_seconds` longer than it must be: were all equally long, a counter that moves in steps could count as many in
    each, and their agreement mean nothing. What measures `beside` is open from the first reading to the last.
    """
    before, begin_of_lead_in = device_state(), None
    if not meter.is_estimate and _lead_in_seconds(meter, settings) > 0:
        begin_of_lead_in = meter.read()
        repeated(work, clock, _lead_in_seconds(meter, settings))
    audio_seconds, seconds_wanted = 0.0, settings.min_window_seconds + longer_seconds
    clock.synchronise()
    with readings_between(meter), beside or nullcontext():
        start = meter.read()
        begin = clock.seconds()
        marks = [clock.mark()]
        while len(marks) <= settings.min_repeats or clock.seconds() - begin < seconds_wanted:
            for one_pass, seconds in zip(work.passes, work.audio_seconds, strict=True):
                one_pass()
                marks.append(clock.mark())
                audio_seconds += seconds
            clock.synchronise()  # once per unit of work, so that the host does not hurry ahead of the device
        end = meter.read()
    energy = meter.energy_between(start, end)
    latencies = tuple(clock.intervals(marks))
    lead_in = None if begin_of_lead_in is None else meter.energy_between(begin_of_lead_in, start)
    return Window(attempt, start, end, energy, audio_seconds, latencies, before, device_state(), lead_in=lead_in)


def _idle(meter: Meter, settings: EnergySettings, clock: Clock) -> Energy | None:
    if settings.idle_seconds <= 0 or meter.is_estimate:  # which tells nothing of an idle device
        return None
    clock.synchronise()
    clock.sleep(_lead_in_seconds(meter, settings))
    start = meter.read()
    with readings_between(meter):
        clock.sleep(settings.idle_seconds)
    return meter.energy_between(start, meter.read())


def _lead_in_seconds(meter: Meter, settings: EnergySettings) -> float:
    return max(settings.lead_in_seconds, meter.settling_seconds)
