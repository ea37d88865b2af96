"""What pyJoules does not read, by Zeus (You et al. 2023), which is optional: AMD GPUs, Apple Silicon, Jetson."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty
from typing import Any, ClassVar, Self

import torch

from vocoder_pareto.measurement.gpu_makers import is_apple_silicon, is_jetson
from vocoder_pareto.measurement.power_integral import PowerIntegral
from vocoder_pareto.measurement.sensor import BackendPassedOver, Domain, MeterUnavailable, Sensor
from vocoder_pareto.study.sections.measurement import MeterSettings

# Joules over seconds that no device reaches, as for GPUs of NVIDIA (nvml.py).
_ABOVE_THE_LIMIT = 1.5
_WATTS_AT_MOST = 3000.0


class ZeusSensor(Sensor):
    """Counters that Zeus reads, in millijoules, or the power of an AMD GPU without one, integrated.

    Args:
        source, boundary: see `Sensor`.
        counters: reads each counter, by the name of its domain.
        where: is the method of Zeus behind them.
        limit_watts: is what the device may draw for long, or None.
    """

    source = "zeus_amd"  # or that of a chip
    boundary = "what Zeus counts of a device"
    reader: ClassVar[str | None] = "zeus"
    chosen_by: ClassVar[tuple[str, ...]] = ("zeus", "auto")

    def __init__(
        self,
        source: str,
        boundary: str,
        counters: dict[str, Callable[[], float]],
        where: str,
        limit_watts: float | None = None,
    ):
        self.source, self.boundary = source, boundary
        self._counters = counters
        self._limit_watts = limit_watts
        highest_watts = _ABOVE_THE_LIMIT * limit_watts if limit_watts else _WATTS_AT_MOST
        self.domains = tuple(Domain(name, "mJ", 1.0e-3, where, highest_watts=highest_watts) for name in counters)

    @classmethod
    def serves(cls, device: torch.device) -> bool:
        """Whether the device is an AMD GPU, or part of Apple Silicon or of a Jetson, with Zeus installed or not."""
        if device.type == "cuda":
            return torch.version.hip is not None or is_jetson()
        return device.type == "cpu" and (is_apple_silicon() or is_jetson())

    @classmethod
    def open(cls, device: torch.device, settings: MeterSettings) -> Self:
        """The counters of `device`; passed over where Zeus is not installed or finds none, unless it was asked for."""
        try:
            with _errors_as_oserror():
                return cls._of_gpu(device) if torch.version.hip else cls._of_chip()
        except (ImportError, OSError) as error:
            mend = "run `pip install zeus`" if isinstance(error, ImportError) else "see docs/measurement.md"
            message = f"{device}: Zeus cannot read its energy ({error}); {mend}"
            if settings.backend == "zeus":
                raise MeterUnavailable(message) from error
            raise BackendPassedOver(message) from error

    def read(self, domain: Domain) -> float:
        """The millijoules since the driver was loaded, or since Zeus began to count."""
        with _errors_as_oserror():
            return float(self._counters[domain.name]())

    @property
    def power_limit_watts(self) -> float | None:
        """The limit that the driver sets on a GPU; None for a chip."""
        return self._limit_watts

    @classmethod
    def _of_gpu(cls, device: torch.device) -> Self:
        from zeus.device import get_gpus

        gpus, index = get_gpus(), device.index or 0  # Zeus numbers GPUs as PyTorch does
        limit = _limit_watts(gpus, index)
        boundary = "the socket of the GPU; on MI250 that of both its dies"
        name = f"amd_gpu_{index}"
        if gpus.supports_get_total_energy_consumption(index):
            read = {name: lambda: gpus.get_total_energy_consumption(index)}
            return cls("zeus_amd", boundary, read, "get_total_energy_consumption", limit)

        def watts() -> float:
            with _errors_as_oserror():
                return gpus.get_instant_power_usage(index) * 1.0e-3

        integral = PowerIntegral(watts)
        integral.sample()
        integral.start()
        read = {name: lambda: integral.joules() * 1.0e3}
        return cls("zeus_amd", boundary, read, "get_instant_power_usage, integrated", limit)

    @classmethod
    def _of_chip(cls) -> Self:
        from zeus.device import get_soc

        chip = get_soc()
        fields = _fields_of_chip(chip.get_total_energy_consumption())

        def counter(field: str) -> Callable[[], float]:
            return lambda: getattr(chip.get_total_energy_consumption(), field)

        counters = {f"soc_{field.removesuffix('_mj')}": counter(field) for field in fields}
        source = "zeus_jetson" if is_jetson() else "zeus_apple"
        parts = ", ".join(field.removesuffix("_mj").replace("_", " ") for field in fields)
        return cls(source, f"the chip: {parts}", counters, "get_total_energy_consumption")


def _limit_watts(gpus: Any, index: int) -> float | None:
    """What the driver lets a GPU draw; None where it does not tell, which does not keep its energy from being read."""
    try:
        with _errors_as_oserror():
            return gpus.get_power_management_limit(index) * 1.0e-3 or None
    except OSError:
        return None


def _fields_of_chip(measurement: Any) -> list[str]:
    """The fields whose sum is the energy of a chip: what overlaps is left out, and so is what the chip does not tell.

    Raises:
        OSError: it tells none of them.
    """
    for fields in (["total_energy_mj"], ["cpu_energy_mj", "gpu_energy_mj"], ["cpu_total_mj", "gpu_mj", "dram_mj"]):
        told = [field for field in fields if getattr(measurement, field, None) is not None]
        if told:
            return told
    raise OSError("this chip tells none of its energies")


@contextmanager
def _errors_as_oserror() -> Iterator[None]:
    """What Zeus and the libraries below it raise where a counter cannot be read, as the meter expects it."""
    from zeus.exception import ZeusBaseError

    try:
        yield
    except (ZeusBaseError, Empty, RuntimeError, TypeError) as error:
        raise OSError(str(error) or type(error).__name__) from error
