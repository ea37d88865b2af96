"""NVIDIA GPUs: the energy counter of one GPU by NVML, and what NVML says of its state."""

from typing import Any, ClassVar, Self

import pynvml
import torch
from pyJoules.device.nvidia_device import NvidiaGPUDevice, NvidiaGPUDomain
from pyJoules.exception import NoSuchDeviceError

from vocoder_pareto.measurement.pyjoules_units import joules_per_count, pyjoules_version, unit_name
from vocoder_pareto.measurement.sensor import Domain, MeterUnavailable, Sensor
from vocoder_pareto.study.sections.measurement import MeterSettings

# Tensor cores over CUDA cores, the highest ratio of the generations from Ampere on, without sparsity.
_TENSOR_CORE_FACTOR = {"float32": 1, "tf32": 8, "bf16": 16}


class NvmlSensor(Sensor):
    """The energy of the whole GPU board that PyTorch calls `device`.

    PyTorch numbers the GPUs that CUDA_VISIBLE_DEVICES leaves, in CUDA's order; NVML and pyJoules number all of the
    machine by their place on the bus. The UUID tells which is which.

    Raises:
        MeterUnavailable: no driver, a slice of a GPU (MIG), or a GPU without an energy counter.
    """

    source: ClassVar[str] = "nvml"
    boundary: ClassVar[str] = "the board of the GPU alone"
    reader: ClassVar[str | None] = "pyJoules"

    def __init__(self, device: torch.device):
        self.index = nvml_index(device)
        joules = joules_per_count("nvml", pyjoules_version())
        zone = NvidiaGPUDomain(self.index)
        self._device = NvidiaGPUDevice()
        self._device.configure([zone])
        self._handle = pynvml.nvmlDeviceGetHandleByIndex(self.index)
        where = _text(_ask("DeviceGetUUID", self._handle)) or "a GPU without UUID"
        self.domains = (Domain(repr(zone), unit_name(joules), joules, where),)
        try:
            self.read(self.domains[0])
        except OSError as error:
            raise MeterUnavailable(
                f"{device}: {_text(_ask('DeviceGetName', self._handle))} tells no energy ({error}); "
                "NVML has this counter from the Volta generation on: choose another GPU, or device: cpu"
            ) from error

    @classmethod
    def serves(cls, device: torch.device) -> bool:
        """Whether PyTorch calls the device `cuda` and is built for NVIDIA; builds for AMD call their GPUs so too."""
        return device.type == "cuda" and torch.version.hip is None

    @classmethod
    def open(cls, device: torch.device, settings: MeterSettings) -> Self:
        """The counter of the GPU that PyTorch calls `device`."""
        return cls(device)

    def read(self, domain: Domain) -> float:
        """The millijoules since the driver was loaded."""
        try:
            return self._device.get_energy()[0]
        except pynvml.NVMLError as error:
            raise OSError(str(error)) from error

    @property
    def power_limit_watts(self) -> float | None:
        """The limit that the driver enforces."""
        return _watts(_ask("DeviceGetEnforcedPowerLimit", self._handle))

    @classmethod
    def describe(cls, device: torch.device) -> dict[str, Any]:
        """See `gpu_description`."""
        return gpu_description(device)

    @classmethod
    def state(cls, device: torch.device) -> dict[str, Any]:
        """See `gpu_state`."""
        return gpu_state(device)

    @classmethod
    def peak_flops_per_second(cls, device: torch.device, precision: str) -> float | None:
        """One fused multiply-add per CUDA core and cycle at the highest clock, times what tensor cores do more."""
        gpu = gpu_description(device)
        if not gpu["cuda_cores"] or not gpu["max_sm_clock_mhz"]:
            return None
        return gpu["cuda_cores"] * 2 * gpu["max_sm_clock_mhz"] * 1.0e6 * _TENSOR_CORE_FACTOR[precision]


def nvml_index(device: torch.device) -> int:
    """The number under which NVML and pyJoules know the GPU that PyTorch calls `device`.

    Raises:
        MeterUnavailable: NVML does not answer, does not know the GPU, or the GPU is a slice of another (MIG), whose
            energy no counter tells.
    """
    try:
        count = len(NvidiaGPUDevice.available_domains())  # this initialises NVML
    except NoSuchDeviceError as error:
        raise MeterUnavailable(f"{device}: NVML does not answer; install the NVIDIA driver or mend it") from error
    handles = [pynvml.nvmlDeviceGetHandleByIndex(index) for index in range(count)]
    wanted = _bare(str(torch.cuda.get_device_properties(device).uuid))
    # A GPU that has fallen off the bus tells no UUID; it is not the one that PyTorch works on.
    known = [_bare(_text(_ask("DeviceGetUUID", handle)) or "") for handle in handles]
    for index, handle in enumerate(handles):
        if known[index] == wanted and not _is_sliced(handle):
            return index
    if not any(map(_is_sliced, handles)):
        silent = ", ".join(str(index) for index, uuid in enumerate(known) if not uuid)
        raise MeterUnavailable(
            f"{device}: NVML knows no GPU with the UUID {wanted}"
            f"{f' (GPU {silent} tells none)' if silent else ''}; check the driver (nvidia-smi)"
        )
    raise MeterUnavailable(
        f"{device}: a MIG slice; NVML only counts the energy of the whole GPU, all slices together. "
        "Switch MIG off (sudo nvidia-smi -mig 0), or take another GPU"
    )


def gpu_description(device: torch.device) -> dict[str, Any]:
    """What does not change while a GPU is measured: name, UUID, driver, limits. What NVML cannot tell is None."""
    handle = pynvml.nvmlDeviceGetHandleByIndex(nvml_index(device))
    limits = _ask("DeviceGetPowerManagementLimitConstraints", handle) or (None, None)
    properties = torch.cuda.get_device_properties(device)
    return {
        "name": _text(_ask("DeviceGetName", handle)),
        "uuid": _text(_ask("DeviceGetUUID", handle)),
        "driver": _text(_ask("SystemGetDriverVersion")),
        "cuda": torch.version.cuda,
        "compute_capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "cuda_cores": _ask("DeviceGetNumGpuCores", handle),
        "memory_bytes": properties.total_memory,
        "enforced_power_limit_watts": _watts(_ask("DeviceGetEnforcedPowerLimit", handle)),
        "default_power_limit_watts": _watts(_ask("DeviceGetPowerManagementDefaultLimit", handle)),
        "min_power_limit_watts": _watts(limits[0]),
        "max_power_limit_watts": _watts(limits[1]),
        "max_sm_clock_mhz": _ask("DeviceGetMaxClockInfo", handle, pynvml.NVML_CLOCK_SM),
        "max_memory_clock_mhz": _ask("DeviceGetMaxClockInfo", handle, pynvml.NVML_CLOCK_MEM),
        "persistence_mode": _ask("DeviceGetPersistenceMode", handle),
        "ecc_mode": (_ask("DeviceGetEccMode", handle) or (None, None))[0],
    }


def gpu_state(device: torch.device) -> dict[str, Any]:
    """What changes while a GPU is measured: clocks, temperature, reasons for throttling, processes on it.

    One of the processes is this one. Which, cannot be told in a container, where NVML gives numbers of the host.
    """
    handle = pynvml.nvmlDeviceGetHandleByIndex(nvml_index(device))
    running = [
        *(_ask("DeviceGetComputeRunningProcesses", handle) or []),
        *(_ask("DeviceGetGraphicsRunningProcesses", handle) or []),
    ]
    reasons = _ask("DeviceGetCurrentClocksThrottleReasons", handle)
    return {
        "sm_clock_mhz": _ask("DeviceGetClockInfo", handle, pynvml.NVML_CLOCK_SM),
        "memory_clock_mhz": _ask("DeviceGetClockInfo", handle, pynvml.NVML_CLOCK_MEM),
        "temperature_celsius": _ask("DeviceGetTemperature", handle, pynvml.NVML_TEMPERATURE_GPU),
        "power_watts": _watts(_ask("DeviceGetPowerUsage", handle)),
        "throttle_reasons": None if reasons is None else _throttle_reasons(reasons),
        "processes": sorted({process.pid for process in running}),
    }


# Idle and the application's own clock settings are reasons for a low clock too, but not of a throttled GPU.
_THROTTLING = {
    "power_cap": "nvmlClocksThrottleReasonSwPowerCap",
    "hardware_slowdown": "nvmlClocksThrottleReasonHwSlowdown",
    "software_thermal": "nvmlClocksThrottleReasonSwThermalSlowdown",
    "hardware_thermal": "nvmlClocksThrottleReasonHwThermalSlowdown",
    "hardware_power_brake": "nvmlClocksThrottleReasonHwPowerBrakeSlowdown",
}


def _throttle_reasons(bits: int) -> list[str]:
    return [name for name, constant in _THROTTLING.items() if bits & getattr(pynvml, constant)]


def _is_sliced(handle: Any) -> bool:
    current, _ = _ask("DeviceGetMigMode", handle) or (0, 0)
    return bool(current)


def _ask(question: str, *arguments: Any) -> Any:
    """The answer of NVML, or None where this GPU or driver has none."""
    try:
        return getattr(pynvml, f"nvml{question}")(*arguments)
    except pynvml.NVMLError:
        return None


def _bare(uuid: str) -> str:
    """A UUID as it is compared: PyTorch leaves out the prefix that NVML gives."""
    return uuid.lower().removeprefix("gpu-")


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts * 1.0e-3


def _text(value: str | bytes | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
