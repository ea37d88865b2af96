"""NVIDIA GPUs without a counter of energy (before Volta, virtual GPUs): readings of their power, added up."""

from typing import ClassVar, Self

import torch

from vocoder_pareto.measurement import nvml
from vocoder_pareto.measurement.power_integral import PowerIntegral
from vocoder_pareto.measurement.sensor import Domain, MeterUnavailable, Sensor
from vocoder_pareto.study.sections.measurement import MeterSettings


class NvmlPowerSensor(Sensor):
    """The power of the GPU that PyTorch calls `device`, read every 20 ms and integrated.

    Less certain than a counter: NVML averages power over a second on most GPUs since Ampere, and what lies between two
    of its own samples is not seen. How GPUs are described is the business of `nvml.NvmlSensor`.

    Raises:
        MeterUnavailable: as for `nvml.NvmlSensor`, and where the GPU does not tell its power either.
    """

    source = "nvml_power"
    settling_seconds = 1.1  # a mean of the last second, which moves every 100 ms
    boundary = "the board of the GPU alone"
    reader: ClassVar[str | None] = "nvidia-ml-py"

    def __init__(self, device: torch.device):
        self._handle = nvml.gpu_handle(device)
        self.domains = (
            Domain(
                name=f"nvidia_gpu_{nvml.gpu_index(device)}",
                unit="J",
                joules_per_unit=1.0,
                where=f"power of {nvml.gpu_uuid(device)}, integrated",
                highest_watts=nvml.highest_watts(self._handle),
            ),
        )
        self._integral = PowerIntegral(self._watts)
        try:
            self._integral.sample()
        except OSError as error:
            raise MeterUnavailable(
                f"{device}: NVML tells neither its energy nor its power ({error}); choose another GPU, or device: cpu"
            ) from error
        self._integral.start()

    @classmethod
    def serves(cls, device: torch.device) -> bool:
        """As `nvml.NvmlSensor`, which is asked first."""
        return nvml.NvmlSensor.serves(device)

    @classmethod
    def open(cls, device: torch.device, settings: MeterSettings) -> Self:
        """The power of the GPU that PyTorch calls `device`, which is read from now on."""
        return cls(device)

    def read(self, domain: Domain) -> float:
        """The joules since the sensor was opened."""
        return self._integral.joules()

    @property
    def power_limit_watts(self) -> float | None:
        """The limit that the driver enforces."""
        return nvml.enforced_limit_watts(self._handle)

    def _watts(self) -> float:
        return nvml.power_watts(self._handle)
