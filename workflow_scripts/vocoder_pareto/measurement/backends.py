"""The registry of the meter's backends, in order of preference: the first that serves a device is taken.

A new backend is one entry here, beside its own file (docs/extending.md).
"""

import torch

from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.nvml import NvmlSensor
from vocoder_pareto.measurement.powercap import RaplSensor
from vocoder_pareto.measurement.sensor import Sensor

BACKENDS: tuple[type[Sensor], ...] = (
    NvmlSensor,
    RaplSensor,
    CpuTimeSensor,
)


def backends_for(device: torch.device) -> list[type[Sensor]]:
    """The backends that serve `device`, the best first."""
    return [backend for backend in BACKENDS if backend.serves(device)]
