"""The measurement protocol: warm up, idle, windows of repeated work, idle again.

Time and energy come from the same windows. Sources: docs/measurement.md.
"""

import logging
import random
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from vocoder_pareto.intervals import mean_with_interval
from vocoder_pareto.measurement.clocks import Clock
from vocoder_pareto.measurement.meter import Energy, Meter, Reading

log = logging.getLogger(__name__)

# A pass time is stable when the last passes differ by no more than this share of their median.
STABLE_PASSES = 5
STABLE_SPREAD = 0.1


# The least values that make sense, and those that a result needs to be published.
_LEAST = {
    **dict.fromkeys(("clips", "batch_size", "warmup_passes", "windows", "min_repeats"), 1),
    **dict.fromkeys(("max_warmup_seconds", "cooldown_seconds", "idle_seconds", "min_window_seconds"), 0),
    **dict.fromkeys(("max_pause_seconds", "max_retries"), 0),
}
_PUBLISHABLE = {"warmup_passes": 10, "idle_seconds": 30, "windows": 5, "min_window_seconds": 10, "min_repeats": 32}
_PUBLISHABLE_AUDIO_SECONDS = 100  # the paper's 10 clips of 10 s


@dataclass(frozen=True)
class EnergySettings:
    """The section `energy` of the configuration.

    Attributes:
        clips: different clips in the unit of work.
        clip_seconds: length of each.
        batch_size: clips generated together.
        precision: `float32`, `tf32` (NVIDIA GPUs from Ampere on) or `bf16` (autocast).
        warmup_passes: calls of the vocoder before anything is measured, at least; more until their time is stable.
        max_warmup_seconds: the warm-up ends after the pass in which this is exceeded, stable or not.
        cooldown_seconds: rest before the measurement, so that systems do not heat each other.
        idle_seconds: how long idle power is measured, before and after; 0 leaves it out.
        windows: independent measurements that the mean and its interval come from.
        min_window_seconds: the unit of work is repeated in a window until this has passed, …
        min_repeats: … and until the vocoder was called so many times.
        max_pause_seconds: windows begin after a random pause up to this, so that they meet the counter of energy in
            different phases.
        max_relative_interval: half-width of the 95 % interval over the mean; wider ones are measured again.
        max_retries: how often, before the result is flagged.
        cross_check: `zeus` measures one window more by Zeus (an optional package) at the same time.
    """

    clips: int = 10
    clip_seconds: float = 10.0
    batch_size: int = 1
    precision: Literal["float32", "tf32", "bf16"] = "float32"
    warmup_passes: int = 10
    max_warmup_seconds: float = 120.0
    cooldown_seconds: float = 30.0
    idle_seconds: float = 30.0
    windows: int = 5
    min_window_seconds: float = 30.0
    min_repeats: int = 32
    max_pause_seconds: float = 2.0
    max_relative_interval: float = 0.05
    max_retries: int = 2
    cross_check: Literal["none", "zeus"] = "none"

    def __post_init__(self):
        for name, minimum in _LEAST.items():
            if getattr(self, name) < minimum:
                raise ValueError(f"{name} is {getattr(self, name):g}; must be at least {minimum:g}")
        for name in ("clip_seconds", "max_relative_interval"):
            if getattr(self, name) <= 0:
                raise ValueError(f"{name} is {getattr(self, name):g}; must be greater than 0")

    def shortfalls(self) -> list[str]:
        """In what these settings fall short of a publishable measurement."""
        audio_seconds = self.clips * self.clip_seconds
        given = {name: getattr(self, name) for name in _PUBLISHABLE} | {"seconds of audio": audio_seconds}
        needed = _PUBLISHABLE | {"seconds of audio": _PUBLISHABLE_AUDIO_SECONDS}
        return [f"{name} {given[name]:g}, needed {needed[name]:g}" for name in needed if given[name] < needed[name]]


@dataclass(frozen=True)
class Work:
    """The unit of work.

    Attributes:
        passes: each calls the vocoder once.
        audio_seconds: what each of them makes.
    """

    passes: Sequence[Callable[[], None]]
    audio_seconds: Sequence[float]


@dataclass(frozen=True)
class Window:
    """One window.

    Attributes:
        attempt: the first or a later try for a narrower interval.
        audio_seconds: made in it.
        latencies: seconds of each pass.
        state_before, state_after: of the device, see `hardware.device_state`.
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
        """Gross; None if the energy is not valid."""
        return None if self.energy.joules is None else self.energy.joules / self.audio_seconds


@dataclass(frozen=True)
class Measured:
    """All that was observed.

    Attributes:
        windows: in their order, those of earlier attempts too.
        idle: energies of the device doing nothing with the model loaded, before and after.
        warmup_passes: done.
        stable: whether the time of a pass had settled; None if there were too few passes to tell.
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
    """Run the protocol.

    Args:
        work: the unit of work; the vocoder is loaded, folded and in evaluation mode.
        meter: of the device that works.
        settings: how long and how often.
        clock: of the device.
        device_state: called before and after each window.
        draw: of the pauses.
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
        found = [window.joules_per_audio_second for window in windows[-settings.windows :]]
        if None in found:
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
        for run, seconds in zip(work.passes, work.audio_seconds, strict=True):
            run()
            marks.append(clock.mark())
            audio_seconds += seconds
            last_reading = _keep_up(meter, clock, last_reading)
        clock.synchronise()  # once per unit of work, so that the host does not run ahead of the device
    end = meter.read()
    energy = meter.energy_between(start, end)
    latencies = tuple(clock.intervals(marks))
    return Window(attempt, start, end, energy, audio_seconds, latencies, before, device_state())


def _idle(meter: Meter, settings: EnergySettings, clock: Clock) -> Energy | None:
    if settings.idle_seconds <= 0 or meter.source == "estimated":  # CPU time tells nothing of an idle device
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
