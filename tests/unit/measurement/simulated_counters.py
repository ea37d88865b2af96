"""Simulated counters: a powercap tree, an NVML of several GPUs, a clock that only moves when it is told to."""

from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace

from vocoder_pareto.measurement.sensor import Domain, Sensor

RANGE = 262_143_328_850  # microjoules, as on a real package


class FakePowercap:
    """A powercap tree in a folder; counters are in microjoules."""

    def __init__(self, root: Path):
        self.root = root
        root.mkdir()

    def add(self, zone: str, name: str, energy: int = 0, limit_watts: float | None = None) -> Path:
        """`zone` is `0` for a package, `0:1` for a part of it."""
        folder = self.folder(zone)
        folder.mkdir()
        (folder / "name").write_text(f"{name}\n")
        (folder / "max_energy_range_uj").write_text(f"{RANGE}\n")
        if limit_watts is not None:
            (folder / "constraint_0_power_limit_uw").write_text(f"{limit_watts * 1e6:.0f}\n")
        self.set(zone, energy)
        return folder

    def set(self, zone: str, energy: int) -> None:
        (self.folder(zone) / "energy_uj").write_text(f"{energy}\n")

    def folder(self, zone: str) -> Path:
        package = self.root / f"intel-rapl:{zone.split(':')[0]}"
        return package / f"intel-rapl:{zone}" if ":" in zone else package


class FakeNvmlError(Exception):
    """As pynvml.NVMLError."""


class FakeNotSupported(FakeNvmlError):
    """As pynvml.NVMLError_NotSupported."""


@dataclass
class FakeGpu:
    """A GPU; its counter is in millijoules, its power in milliwatts. One that refuses raises at every question."""

    uuid: str
    energy: int | Exception = 0
    power: int | Exception = 150_000
    name: str = "NVIDIA Imaginary"
    refuses: str | None = None
    chip_to_chip: bool | None = None
    mig: tuple[int, int] = (0, 0)
    processes: list[int] = field(default_factory=list)
    throttle: int = 0
    held_down: dict[int, int] = field(default_factory=dict)  # nanoseconds, by policy


class FakeNvml:
    """As much of pynvml as is used; what it leaves out raises as on a GPU that does not support it."""

    NVMLError = FakeNvmlError
    NVMLError_NotSupported = FakeNotSupported
    NVML_CLOCK_SM, NVML_CLOCK_MEM, NVML_TEMPERATURE_GPU = 1, 2, 0
    NVML_PERF_POLICY_POWER, NVML_PERF_POLICY_THERMAL, NVML_PERF_POLICY_BOARD_LIMIT = 0, 1, 3
    nvmlClocksThrottleReasonSwPowerCap = 0x4
    nvmlClocksThrottleReasonHwSlowdown = 0x8
    nvmlClocksThrottleReasonSwThermalSlowdown = 0x20
    nvmlClocksThrottleReasonHwThermalSlowdown = 0x40
    nvmlClocksThrottleReasonHwPowerBrakeSlowdown = 0x80

    def __init__(self, *gpus: FakeGpu, works: bool = True):
        self.gpus = gpus
        self.works = works

    def nvmlInit(self):
        if not self.works:
            raise FakeNvmlError("driver not loaded")

    def nvmlDeviceGetCount(self):
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index):
        return self._answering(self.gpus[index])

    def nvmlDeviceGetHandleByUUID(self, uuid):
        for gpu in self.gpus:
            if gpu.uuid == uuid or (uuid.startswith("MIG-") and gpu.mig[0]):
                return self._answering(gpu)
        raise FakeNvmlError("Not Found")

    def nvmlDeviceGetIndex(self, gpu):
        return self.gpus.index(gpu)

    def nvmlDeviceGetUUID(self, gpu):
        return self._answering(gpu).uuid

    def nvmlDeviceGetName(self, gpu):
        return gpu.name

    def nvmlDeviceGetC2cModeInfoV(self, gpu):
        if gpu.chip_to_chip is None:
            raise FakeNotSupported("Not Supported")
        return SimpleNamespace(isC2cEnabled=int(gpu.chip_to_chip))

    def nvmlDeviceGetTotalEnergyConsumption(self, gpu):
        return self._number(self._answering(gpu).energy)

    def nvmlDeviceGetPowerUsage(self, gpu):
        return self._number(self._answering(gpu).power)

    @staticmethod
    def _number(value):
        if isinstance(value, Exception):
            raise value
        return value() if callable(value) else value

    @staticmethod
    def _answering(gpu):
        if gpu.refuses:
            raise FakeNvmlError(gpu.refuses)
        return gpu

    def nvmlDeviceGetMigMode(self, gpu):
        return gpu.mig

    def nvmlDeviceGetEnforcedPowerLimit(self, gpu):
        return 230_000

    def nvmlDeviceGetComputeRunningProcesses(self, gpu):
        return [SimpleNamespace(pid=pid) for pid in gpu.processes]

    def nvmlDeviceGetCurrentClocksThrottleReasons(self, gpu):
        return gpu.throttle

    def nvmlDeviceGetViolationStatus(self, gpu, policy):
        if policy not in gpu.held_down:
            raise FakeNotSupported("Not Supported")
        return SimpleNamespace(referenceTime=0, violationTime=gpu.held_down[policy])

    def nvmlDeviceGetMaxClockInfo(self, gpu, clock):
        return 1_700

    def nvmlDeviceGetNumGpuCores(self, gpu):
        return 8_192

    def __getattr__(self, name):
        if not name.startswith("nvml"):
            raise AttributeError(name)

        def not_supported(*arguments):
            raise FakeNotSupported("Not Supported")

        return not_supported


@dataclass
class FakeClock:
    """A clock that moves when a test, a sleep or a pass moves it."""

    now: float = 100.0
    sleeps: list[float] = field(default_factory=list)

    def seconds(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now += seconds

    def synchronise(self) -> None:
        pass

    def mark(self) -> float:
        return self.now

    def intervals(self, marks: list[float]) -> list[float]:
        return [later - earlier for earlier, later in pairwise(marks)]


class FakeSensor(Sensor):
    """A counter in millijoules that a test sets, or that a function of time gives."""

    source = "nvml"

    def __init__(
        self, name="nvidia_gpu_0", wraps_at=None, longest_gap_seconds=None, counter=0.0, limit=None, highest_watts=None
    ):
        self.domains = (
            Domain(name, "mJ", 1e-3, "simulated", wraps_at, longest_gap_seconds, highest_watts=highest_watts),
        )
        self.counter = counter
        self.limit = limit

    def read(self, domain):
        counter = self.counter() if callable(self.counter) else self.counter
        if isinstance(counter, Exception):
            raise counter
        return counter

    @property
    def power_limit_watts(self):
        return self.limit
