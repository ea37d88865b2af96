"""A device in simulated time whose true energy is known, and a counter that lags behind it and moves in steps."""

import math
import random
from bisect import bisect_right
from dataclasses import dataclass
from statistics import fmean

from simulated_counters import FakeClock, FakeSensor

from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.work import Work

AVERAGED_POINTS = 20


@dataclass(frozen=True)
class Nature:
    """How a device and its counter behave.

    Attributes:
        step_seconds: lie between two moves of the counter.
        lag_seconds: is how old what it then shows is.
        averaged_seconds: is the time over which it adds up mean power, as where power is read that is a mean itself.
        jitter: is the standard deviation of the time of a pass over its mean.
        drift: is by how much the power rises as the device gets warm, over the power when cold.
        pass_seconds: is the mean time of a pass, which makes a second of audio.
    """

    step_seconds: float = 0.1
    lag_seconds: float = 0.0
    averaged_seconds: float = 0.0
    jitter: float = 0.01
    drift: float = 0.0
    pass_seconds: float = 0.0437
    idle_watts: float = 60.0
    busy_watts: float = 200.0
    warm_after_seconds: float = 40.0


class SimulatedDevice:
    """Draws idle or busy power; each change of it is a point of the true energy over time."""

    def __init__(self, nature: Nature, seed: str):
        self.nature = nature
        self.clock = FakeClock(now=100.0)
        self.draw = random.Random(seed)
        self.phase = self.draw.uniform(0, nature.step_seconds)
        self.warmth = 0.0  # 0 cold, 1 as warm as it gets
        self._times, self._joules = [0.0], [0.0]
        self.clock.sleep = self._rest
        self.meter = Meter(FakeSensor(counter=self._millijoules), clock=self.clock.seconds)
        self.work = Work([self._pass], [1.0])

    def true_joules(self, time: float) -> float:
        """All that was used until `time`, which is not in the future."""
        index = bisect_right(self._times, time) - 1
        if index + 1 == len(self._times):
            return self._joules[index] + self.nature.idle_watts * (time - self._times[index])
        share = (time - self._times[index]) / (self._times[index + 1] - self._times[index])
        return self._joules[index] + share * (self._joules[index + 1] - self._joules[index])

    def _millijoules(self) -> float:
        nature = self.nature
        seen = self.clock.now - nature.lag_seconds
        if nature.step_seconds:
            seen = self.phase + math.floor((seen - self.phase) / nature.step_seconds) * nature.step_seconds
        ages = [nature.averaged_seconds * (point + 0.5) / AVERAGED_POINTS for point in range(AVERAGED_POINTS)]
        return round(1000 * fmean(self.true_joules(seen - age) for age in (ages if nature.averaged_seconds else [0.0])))

    def _rest(self, seconds: float) -> None:
        if seconds:
            self._spend(seconds, self.nature.idle_watts)
            self.warmth *= math.exp(-seconds / self.nature.warm_after_seconds)

    def _pass(self) -> None:
        nature = self.nature
        seconds = nature.pass_seconds * max(1 + nature.jitter * self.draw.gauss(0, 1), 0.1)
        self._spend(seconds, nature.busy_watts * (1 + nature.drift * self.warmth))
        self.warmth += (1 - self.warmth) * (1 - math.exp(-seconds / nature.warm_after_seconds))

    def _spend(self, seconds: float, watts: float) -> None:
        before = self.true_joules(self.clock.now)
        self._times += [self.clock.now, self.clock.now + seconds]
        self._joules += [before, before + watts * seconds]
        self.clock.now += seconds
