"""The registry of the meter's backends, in order of preference: the first that serves a device is taken.

A new backend is one entry here, beside its own file (docs/extending.md).
"""

import torch

from vocoder_pareto.measurement.cpu_time import CpuTimeSensor
from vocoder_pareto.measurement.nvml import NvmlSensor
from vocoder_pareto.measurement.nvml_power import NvmlPowerSensor
from vocoder_pareto.measurement.powercap import RaplSensor
from vocoder_pareto.measurement.sensor import Sensor
from vocoder_pareto.measurement.zeus_meter import ZeusSensor

BACKENDS: tuple[type[Sensor], ...] = (
    NvmlSensor,
    NvmlPowerSensor,
    RaplSensor,
    ZeusSensor,
    CpuTimeSensor,
)


def backends_for(device: torch.device, choice: str | None = None) -> list[type[Sensor]]:
    """The backends that serve `device`, the best first; those of `choice`, a value of `meter.backend`, or all."""
    return [backend for backend in BACKENDS if backend.serves(device) and (choice in (None, *backend.chosen_by))]
