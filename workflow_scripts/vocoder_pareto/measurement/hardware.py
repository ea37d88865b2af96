"""What was measured on: device, processor, versions. What cannot be told is None."""

import os
import platform
import time
from pathlib import Path
from typing import Any

import psutil
import torch

from vocoder_pareto.measurement.backends import backends_for
from vocoder_pareto.measurement.disturbances import busy_seconds
from vocoder_pareto.measurement.waiting_threads import waiting_policy
from vocoder_pareto.study.provenance import git_state, installed_version, processor_name

PACKAGES = ("torch", "pyJoules", "nvidia-ml-py", "thop", "numpy", "psutil", "zeus")

# Multiplications and additions per core and cycle at most: two units of 16 numbers (AVX-512), each fused. AMX units do
# 1,024 with bfloat16 numbers.
_CPU_FLOPS_PER_CYCLE = {"float32": 64, "bf16": 2048}
_CPU_HZ_AT_MOST = 6.0e9


def device_name(device: torch.device) -> str:
    """The name of the GPU or of the processor, as it stands in tables."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return processor_name() or platform.machine()


def hardware_description(device: torch.device) -> dict[str, Any]:
    """All that does not change while `device` is measured."""
    return {
        "device": str(device),
        "device_name": device_name(device),
        "gpu": _accelerator_description(device),
        "cpu": {
            "model": processor_name(),
            "logical_cores": psutil.cpu_count(),
            "physical_cores": psutil.cpu_count(logical=False),
            "max_mhz": _max_mhz(),
            "governor": _first_line_of("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
            "limit_cores": cpu_limit_cores(),
            "affinity": sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None,
            "torch_threads": torch.get_num_threads(),
            "torch_interop_threads": torch.get_num_interop_threads(),
            "omp_wait_policy": waiting_policy(),
        },
        "memory_bytes": psutil.virtual_memory().total,
        "kernel": platform.release(),
        "system": platform.system(),
        "container": container_kind(),
    }


def device_identity(device: torch.device) -> dict[str, Any]:
    """What of the hardware and of its settings must be the same for a measurement on `device` to hold still.

    It leaves out what changes by itself (the current clock) and what names nothing (the number of a GPU, which has a
    UUID). A CPU has no number of its own: the name of its machine stands for it.
    """
    known = hardware_description(device)
    frequency = psutil.cpu_freq()
    cpufreq = "/sys/devices/system/cpu"
    return {
        "type": device.type,
        "name": known["device_name"],
        "gpu": known["gpu"],
        "host": None if known["gpu"] else platform.node(),
        "cpu": {name: value for name, value in known["cpu"].items() if name != "max_mhz"},
        "cpu_limit_mhz": frequency.max if frequency else None,
        "cpu_boost": _first_line_of(f"{cpufreq}/cpufreq/boost"),
        "cpu_no_turbo": _first_line_of(f"{cpufreq}/intel_pstate/no_turbo"),
        "memory_gib": round(known["memory_bytes"] / 2**30),
        **{name: known[name] for name in ("kernel", "system", "container")},
    }


def software_description(project: Path) -> dict[str, Any]:
    """The versions of packages, and the commit of the checkout at `project`."""
    return {
        "python": platform.python_version(),
        "packages": {name: installed_version(name) for name in PACKAGES},
        "cudnn": torch.backends.cudnn.version(),
        "git": git_state(project),
    }


def device_state(device: torch.device) -> dict[str, Any]:
    """What may change from window to window: clocks, temperature, throttling, load, other processes."""
    frequency = psutil.cpu_freq()
    state = {
        "monotonic_seconds": time.monotonic(),
        "cpu_mhz": frequency.current if frequency else None,
        "cpu_celsius": _cpu_celsius(),
        "machine_cpu_seconds": busy_seconds(psutil.cpu_times()._asdict()),
        "own_cpu_seconds": time.process_time(),
    }
    for backend in reversed(backends_for(device)):
        state |= backend.state(device)
    return state


def container_kind() -> str | None:
    """`docker`, `podman` or another container, as far as one can be recognised from inside."""
    if Path("/.dockerenv").exists():
        return "docker"
    if Path("/run/.containerenv").exists():
        return "podman"
    if "SINGULARITY_CONTAINER" in os.environ or "APPTAINER_CONTAINER" in os.environ:
        return "apptainer"
    return _first_line_of("/run/systemd/container")


def cpu_limit_cores(root: Path = Path("/")) -> float | None:
    """The cores' worth of time that the control groups of this process allow it, as in a container; None without any.

    Args:
        root: Holds `proc` and `sys`.
    """
    limits = []
    for line in (_text(root / "proc/self/cgroup") or "").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        tree = root / "sys/fs/cgroup" / ("" if not controllers else "cpu")
        group = tree / path.strip("/")
        for folder in (group, *group.parents):  # what is not seen from inside a container has no files
            if folder.is_relative_to(tree):
                words = (_text(folder / "cpu.max") or "").split() or [
                    (_text(folder / f"cpu.cfs_{name}_us") or "").strip() for name in ("quota", "period")
                ]
                if len(words) == 2 and all(word.isdigit() for word in words):
                    limits.append(int(words[0]) / int(words[1]))
    return min(limits, default=None)


def peak_flops_per_second(device: torch.device, precision: str) -> float | None:
    """What the arithmetic units of `device` can do at most, generously; None if unknown."""
    if device.type != "cpu":
        peaks = [backend.peak_flops_per_second(device, precision) for backend in backends_for(device)]
        return next((peak for peak in peaks if peak is not None), None)
    return cpu_peak_flops_per_second(psutil.cpu_count() or 1, _max_mhz(), precision)


def cpu_peak_flops_per_second(cores: int, mhz: float | None, precision: str) -> float:
    """What `cores` of a CPU can do at most at a clock of `mhz`, generously; a clock that is not known is a high one."""
    return cores * ((mhz or 0.0) * 1.0e6 or _CPU_HZ_AT_MOST) * _CPU_FLOPS_PER_CYCLE[precision]


class PeakMemory:
    """The most memory that the device held since this was made.

    On a GPU: what PyTorch allocated. On a CPU: the resident set of this process, with Python and its libraries.
    """

    def __init__(self, device: torch.device):
        self._device = device
        if device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(device)
            self.method = "torch.cuda.max_memory_allocated"
        else:
            self.method = "peak resident set" if _forget_peak() else "peak resident set since the process began"

    def bytes(self) -> int | None:
        """The peak so far."""
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        lines = (_text("/proc/self/status") or "").splitlines()
        peaks = [int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM:")]
        return peaks[0] if peaks else None


def _accelerator_description(device: torch.device) -> dict[str, Any] | None:
    """What the first backend that knows `device` says of it; None where none does, as for a CPU."""
    found = [description for backend in backends_for(device) if (description := backend.describe(device)) is not None]
    return dict(found[0]) if found else None


def _forget_peak() -> bool:
    try:
        Path("/proc/self/clear_refs").write_text("5")  # Linux: the peak of the resident set begins anew
    except OSError:
        return False
    return True


def _max_mhz() -> float | None:
    frequency = psutil.cpu_freq()
    return (frequency.max or frequency.current or None) if frequency else None


def _cpu_celsius() -> float | None:
    sensors: dict[str, list[Any]] = getattr(psutil, "sensors_temperatures", dict)()
    found = [entry.current for name in ("coretemp", "k10temp") for entry in sensors.get(name, [])]
    return max(found, default=None)


def _first_line_of(path: str) -> str | None:
    return (_text(path) or "").partition("\n")[0].strip() or None


def _text(path: str | Path) -> str | None:
    try:
        return Path(path).read_text()
    except OSError:
        return None
