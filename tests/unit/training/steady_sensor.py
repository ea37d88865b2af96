"""A sensor of constant power on a clock that only moves when it is told to, and trainings that go by both."""

import functools
from types import SimpleNamespace

from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.sensor import Domain, Sensor
from vocoder_pareto.training import clock as clock_module
from vocoder_pareto.training import loop as loop_module
from vocoder_pareto.training import train as train_module
from vocoder_pareto.training.accounting import EnergyAccount
from vocoder_pareto.training.loop import TrainingLoop


class HandClock:
    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class SteadySensor(Sensor):
    """Counts joules; `wraps_at` joules it falls back to 0; while `broken` it cannot be read."""

    source = "nvml"

    def __init__(self, clock, watts: float = 100.0, wraps_at: float | None = None, longest_gap: float | None = None):
        self.clock, self.watts, self.broken = clock, watts, False
        self.domains = (Domain("gpu", "J", 1.0, "a simulation", wraps_at, longest_gap),)

    @property
    def power_limit_watts(self) -> None:
        return None

    def read(self, domain: Domain) -> float:
        if self.broken:
            raise OSError("no answer")
        counter = self.watts * self.clock()
        return counter % domain.wraps_at if domain.wraps_at else counter


def let_trainings_go_by(clock: HandClock, sensor: SteadySensor, seconds_per_step: float, replace=setattr) -> None:
    """Let each step of a training take so many seconds of `clock`, and its energy be read from `sensor`.

    `replace` is what puts something in the place of an attribute: that of `monkeypatch`, or for good.
    """
    end_of_step = TrainingLoop.on_train_batch_end

    def end_of_long_step(*arguments):
        clock.now += seconds_per_step
        end_of_step(*arguments)

    replace(TrainingLoop, "on_train_batch_end", end_of_long_step)
    for module in (clock_module, loop_module):
        replace(module, "time", SimpleNamespace(monotonic=clock))
    replace(train_module, "open_meter", lambda device, settings: Meter(sensor, clock=clock))
    replace(train_module, "EnergyAccount", functools.partial(EnergyAccount, clock=clock))
