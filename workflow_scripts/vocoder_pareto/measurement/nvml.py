"""NVIDIA GPUs: the energy counter of one GPU by NVML, and what NVML says of its state."""

import logging
import re
from typing import Any, ClassVar, Self

import pynvml
import torch
from pyJoules.device.device import Device
from pyJoules.device.nvidia_device import NvidiaGPUDevice, NvidiaGPUDomain

from vocoder_pareto.measurement.gpu_makers import gpu_makers, is_jetson
from vocoder_pareto.measurement.pyjoules_units import joules_per_count, pyjoules_version, unit_name
from vocoder_pareto.measurement.sensor import BackendPassedOver, Domain, MeterUnavailable, Sensor
from vocoder_pareto.study.sections.measurement import MeterSettings

log = logging.getLogger(__name__)

# Tensor cores over CUDA cores, the highest ratio of the generations from Ampere on, without sparsity.
_TENSOR_CORE_FACTOR = {"float32": 1, "tf32": 8, "bf16": 16}


# Joules over seconds that no GPU reaches: beyond its highest limit (peaks above it last milliseconds), or, where that
# is not told, beyond any board or module there is.
_ABOVE_THE_LIMIT = 1.5
_WATTS_AT_MOST = 3000.0

_BOARD = "the board of the GPU alone"
_MODULE = "the whole module: GPU, Grace CPU and the memory of both"


class _OneGpu(NvidiaGPUDevice):
    """The device of pyJoules for a GPU whose handle is known.

    pyJoules asks NVML for GPUs by their number, all of them at first; one that is lost or forbidden would then break
    the measurement of another.
    """

    def __init__(self, handle: Any, index: int):
        self._zone = NvidiaGPUDomain(index)
        super().__init__()
        Device.configure(self, [self._zone])
        self._handle = [handle]

    def available_domains(self) -> list[NvidiaGPUDomain]:
        """The one GPU."""
        return [self._zone]


class NvmlSensor(Sensor):
    """The energy of the GPU that PyTorch calls `device`: of its board, or of the module that holds it (GH200).

    PyTorch numbers the GPUs that CUDA_VISIBLE_DEVICES leaves, in CUDA's order; NVML and pyJoules number all of the
    machine by their place on the bus. NVML is asked for the UUID alone, so that the other GPUs may be in any state.

    Raises:
        MeterUnavailable: no driver, a slice of a GPU (MIG), or a GPU that does not answer.
        BackendPassedOver: a GPU without an energy counter.
    """

    source = "nvml"
    boundary = _BOARD
    reader: ClassVar[str | None] = "pyJoules"

    def __init__(self, device: torch.device):
        self._handle = gpu_handle(device)
        joules = joules_per_count("nvml", pyjoules_version())
        self._device = _OneGpu(self._handle, gpu_index(device))
        if counts_a_module(self._handle):
            self.source, self.boundary = "nvml_module", _MODULE
            log.warning("%s: its counter is that of %s.", device, _MODULE)
        zone = self._device.get_configured_domains()[0]
        uuid, limit = gpu_uuid(device), highest_watts(self._handle)
        self.domains = (Domain(repr(zone), unit_name(joules), joules, uuid, highest_watts=limit),)
        try:
            self.read(self.domains[0])
        except OSError as error:
            name = _text(_ask("DeviceGetName", self._handle))
            if isinstance(error.__cause__, pynvml.NVMLError_NotSupported):
                raise BackendPassedOver(
                    f"{device}: {name} has no counter of energy; NVML has one from the Volta generation on, and not "
                    "for virtual GPUs: choose another GPU for a better measurement"
                ) from error
            raise MeterUnavailable(
                f"{device}: {name} does not tell its energy ({error}); check the driver (nvidia-smi)"
            ) from error

    @classmethod
    def serves(cls, device: torch.device) -> bool:
        """Whether PyTorch calls the device `cuda`, as builds for AMD do too, and it is NVIDIA's, not on a Jetson."""
        return device.type == "cuda" and torch.version.hip is None and not is_jetson()

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
        return enforced_limit_watts(self._handle)

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


def gpu_handle(device: torch.device) -> Any:
    """NVML's handle of the GPU that PyTorch calls `device`; no other GPU of the machine is asked.

    Raises:
        MeterUnavailable: NVML does not answer, does not know the GPU, has lost it or refuses it, or the GPU is a slice
            of another (MIG), whose energy no counter tells.
    """
    try:
        pynvml.nvmlInit()
    except pynvml.NVMLError as error:
        raise MeterUnavailable(f"{device}: NVML does not answer ({error}); {_driver_mend()}") from error
    bare = gpu_uuid(device).removeprefix("GPU-")
    try:
        handle = pynvml.nvmlDeviceGetHandleByUUID(gpu_uuid(device))
    except pynvml.NVMLError as error:
        if _ask("DeviceGetHandleByUUID", f"MIG-{bare}") is None:
            raise MeterUnavailable(
                f"{device}: NVML gives no GPU with the UUID {bare} ({error}); check the driver (nvidia-smi)"
            ) from error
        handle = None
    if handle is None or _is_sliced(handle):
        raise MeterUnavailable(
            f"{device}: a MIG slice; NVML only counts the energy of the whole GPU, all slices together. "
            "Switch MIG off (sudo nvidia-smi -mig 0), or take another GPU"
        )
    return handle


def gpu_uuid(device: torch.device) -> str:
    """The UUID of a GPU as NVML writes it; PyTorch leaves out the prefix."""
    return f"GPU-{str(torch.cuda.get_device_properties(device).uuid).lower().removeprefix('gpu-')}"


def gpu_index(device: torch.device) -> int:
    """The number under which NVML and pyJoules know the GPU that PyTorch calls `device`; PyTorch's own if not told."""
    index = _ask("DeviceGetIndex", gpu_handle(device))
    return (device.index or 0) if index is None else index


def power_watts(handle: Any) -> float:
    """The power of a GPU now; an average over the last second on most GPUs since Ampere.

    Raises:
        OSError: NVML does not tell it.
    """
    try:
        return pynvml.nvmlDeviceGetPowerUsage(handle) * 1.0e-3
    except pynvml.NVMLError as error:
        raise OSError(str(error)) from error


def enforced_limit_watts(handle: Any) -> float | None:
    """The power limit that the driver enforces, or None if unknown."""
    return _watts(_ask("DeviceGetEnforcedPowerLimit", handle))


def highest_watts(handle: Any) -> float:
    """More than a GPU can draw over a second."""
    limits = _ask("DeviceGetPowerManagementLimitConstraints", handle) or (None, None)
    known = [watts for watts in (_watts(limits[1]), enforced_limit_watts(handle)) if watts]
    return _ABOVE_THE_LIMIT * max(known) if known else _WATTS_AT_MOST


def counts_a_module(handle: Any) -> bool:
    """Whether NVML counts the energy of a module with a Grace CPU, and not of the GPU alone.

    NVML says so by a link from chip to chip that is in use; a driver that does not tell is believed by the GPU's name.
    """
    link = _ask("DeviceGetC2cModeInfoV", handle)
    if link is not None:
        return bool(link.isC2cEnabled)
    return bool(re.search(r"\bG[HB]\d+\b|Grace", _text(_ask("DeviceGetName", handle)) or ""))


def _driver_mend() -> str:
    if gpu_makers() == {"AMD"}:
        return (
            "the GPU here is AMD's: install PyTorch for ROCm, run `pip install zeus`, and set meter.backend: auto "
            "(docs/measurement.md)"
        )
    return "install the NVIDIA driver or mend it; a container needs its capability `utility` too"


def gpu_description(device: torch.device) -> dict[str, Any]:
    """What does not change while a GPU is measured: name, UUID, driver, limits. What NVML cannot tell is None."""
    handle = gpu_handle(device)
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
        "enforced_power_limit_watts": enforced_limit_watts(handle),
        "default_power_limit_watts": _watts(_ask("DeviceGetPowerManagementDefaultLimit", handle)),
        "min_power_limit_watts": _watts(limits[0]),
        "max_power_limit_watts": _watts(limits[1]),
        "max_sm_clock_mhz": _ask("DeviceGetMaxClockInfo", handle, pynvml.NVML_CLOCK_SM),
        "max_memory_clock_mhz": _ask("DeviceGetMaxClockInfo", handle, pynvml.NVML_CLOCK_MEM),
        "persistence_mode": _ask("DeviceGetPersistenceMode", handle),
        "ecc_mode": (_ask("DeviceGetEccMode", handle) or (None, None))[0],
    }


def gpu_state(device: torch.device) -> dict[str, Any]:
    """What changes while a GPU is measured: clocks, temperature, why and how long it was throttled, processes on it.

    One of the processes is this one. Which, cannot be told in a container, where NVML gives numbers of the host.
    """
    handle = gpu_handle(device)
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
        "throttled_seconds": _throttled_seconds(handle),
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


# Counters of NVML of how long a policy has held the clocks down. That of power is normal at full load, and that of the
# voltage's reliability is at work whenever nothing else is.
_POLICIES = {"heat": "NVML_PERF_POLICY_THERMAL", "the limit of the board": "NVML_PERF_POLICY_BOARD_LIMIT"}


def _throttled_seconds(handle: Any) -> dict[str, float]:
    """For how long the clocks have been held down since the driver was loaded, by reason, where NVML tells it."""
    violations = {
        reason: _ask("DeviceGetViolationStatus", handle, getattr(pynvml, policy))
        for reason, policy in _POLICIES.items()
    }
    return {reason: told.violationTime * 1.0e-9 for reason, told in violations.items() if told is not None}


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


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts * 1.0e-3


def _text(value: str | bytes | None) -> str | None:
    return value.decode() if isinstance(value, bytes) else value
