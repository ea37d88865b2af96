"""The estimate of last resort: CPU seconds of this process and its children times watts per core."""

import resource
import time
from typing import ClassVar, Self

import psutil
import torch

from vocoder_pareto.measurement.sensor import Domain, Sensor
from vocoder_pareto.study.sections.measurement import MeterSettings


class CpuTimeSensor(Sensor):
    """Counts CPU seconds of all threads of this process, of its children that live and of those that have ended.

    It knows neither clock frequencies, nor memory, nor a GPU: its joules are marked `estimated` wherever they go.

    Args:
        watts_per_core: what a busy core draws.
    """

    source = "estimated"
    boundary = "CPU seconds of this process and its children"
    estimated_from: ClassVar[str | None] = "CPU time"

    def __init__(self, watts_per_core: float):
        self.watts_per_core = watts_per_core
        method = f"CPU seconds of the process tree × {watts_per_core:g} W"
        self.domains = (Domain("cpu_time", "CPU seconds", watts_per_core, method, may_stand_still=True),)

    @classmethod
    def serves(cls, device: torch.device) -> bool:
        """Whether the device is a CPU, any."""
        return device.type == "cpu"

    @classmethod
    def open(cls, device: torch.device, settings: MeterSettings) -> Self:
        """The estimate with the configured watts per core."""
        return cls(settings.cpu_watts_per_core)

    def read(self, domain: Domain) -> float:
        """The CPU seconds, user and system, since the processes began."""
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return time.process_time() + ended.ru_utime + ended.ru_stime + _seconds_of_living_children()

    @property
    def power_limit_watts(self) -> float | None:
        """What all cores draw when they are busy."""
        return self.watts_per_core * (psutil.cpu_count() or 1)


def _seconds_of_living_children() -> float:
    seconds = 0.0
    for child in psutil.Process().children(recursive=True):
        try:
            times = child.cpu_times()
        except psutil.Error:
            continue  # it has just ended
        # Its own ended children are not among the living ones, nor among ours.
        seconds += times.user + times.system + times.children_user + times.children_system
    return seconds
