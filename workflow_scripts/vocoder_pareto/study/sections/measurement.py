"""How energy is read, the protocol of its measurement, stored measurements, and what the paper counted."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.study.sections.paths import OptionalPath
from vocoder_pareto.study.settings import STRICT, plain, refusing_in_words

Precision = Literal["float32", "tf32", "bf16"]

# What a result needs to be published.
_PUBLISHABLE = {
    "warmup_passes": 10, "idle_seconds": 30, "processes": 2, "windows": 5, "lead_in_seconds": 0.5,
    "min_window_seconds": 10, "min_repeats": 32, "max_pause_seconds": 0.1,
}  # fmt: skip
_PUBLISHABLE_AUDIO_SECONDS = 100  # the paper's 10 clips of 10 s


@refusing_in_words
@dataclass(frozen=True, config=STRICT)
class SystematicUncertainty:
    """What no repetition shows, by the source of the energy: a relative uncertainty u. The true joules are taken to lie
    between 1 / (1 + u) and 1 + u times the measured ones, in 95 of 100 cases; null: nobody knows. It stands beside the
    statistical interval, and a change measures nothing again. The reasons: docs/measurement.md."""

    nvml: float | None = Field(default=0.05, ge=0, le=10)
    """NVML's counter of a GPU's board (>= 0): NVIDIA states 5 % either way for older boards, and newer ones sample a
    part of the time only."""

    nvml_module: float | None = Field(default=0.05, ge=0, le=10)
    """NVML's counter of a module with a Grace CPU (>= 0), as that of a board."""

    nvml_power: float | None = Field(default=0.1, ge=0, le=10)
    """Readings of NVML's power, integrated (>= 0): as the counter, and what lies between two readings is not seen."""

    rapl: float | None = Field(default=0.1, ge=0, le=10)
    """RAPL (>= 0): modelled on many processors; readings a tenth above what a current probe saw are reported."""

    zeus_amd: float | None = Field(default=None, ge=0, le=10)
    """AMD GPUs by Zeus (>= 0); no comparison with a power meter is known to us."""

    zeus_apple: float | None = Field(default=None, ge=0, le=10)
    """Apple Silicon by Zeus (>= 0); no comparison with a power meter is known to us."""

    zeus_jetson: float | None = Field(default=None, ge=0, le=10)
    """Jetson by Zeus (>= 0); no comparison with a power meter is known to us."""

    estimated: float | None = Field(default=1.0, ge=0, le=10)
    """The estimate from CPU time (>= 0): a factor of two either way, since one number stands for the cores of all
    processors, and memory is left out."""

    other: float | None = Field(default=None, ge=0, le=10)
    """Any other source, such as a meter of your own (>= 0)."""

    def of(self, source: str) -> float | None:
        """The relative uncertainty of energy from `source`, a word of `tables.sources`; None if nobody knows."""
        known = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "other"}
        return known.get(source, self.other)


@refusing_in_words
@dataclass(frozen=True, config=STRICT)
class MeterSettings:
    """How energy is read from the hardware."""

    backend: Literal["pyjoules", "zeus", "auto"] = "pyjoules"
    """pyjoules: NVIDIA GPUs and RAPL, else the estimate | zeus: AMD GPUs, Apple Silicon, Jetson (needs
    `pip install zeus`), else an error | auto: pyjoules where it reads the device, else zeus, else the estimate."""

    cpu_watts_per_core: float = Field(default=10.0, gt=0, le=1000)
    """What a busy CPU core draws, in W (> 0). Used only for the estimate that stands in where the device is a CPU
    without RAPL counters (virtual machines, most containers); such results are marked `estimated` everywhere."""

    unreadable_rapl: Literal["error", "estimate"] = "estimate"
    """What to do where RAPL exists but only root may read it: error (and say how to mend it) | estimate (and flag
    it)."""

    systematic_uncertainty: SystematicUncertainty = SystematicUncertainty()
    """What no repetition shows, by the source of the energy: relative, >= 0."""


@refusing_in_words
@dataclass(frozen=True, config=STRICT)
class EnergySettings:
    """The protocol of energy measurements."""

    clips: int = Field(default=1, ge=1, le=100_000)
    """The unit of work: this many different clips (>= 1) …"""

    clip_seconds: float = Field(default=0.4, gt=0, le=3600)
    """… of this length in seconds (> 0), cut from the recordings of the test set end to end, …"""

    batch_size: int = Field(default=1, ge=1, le=65_536)
    """… generated so many at a time (>= 1)."""

    precision: Precision = "float32"
    """float32 | tf32 (NVIDIA GPUs from Ampere on) | bf16 (autocast)."""

    warmup_passes: int = Field(default=1, ge=1, le=1_000_000)
    """Calls of the vocoder before anything is measured (>= 1), however long they take; more of them until the time of a
    call and, where a counter tells it, the power are stable, …"""

    max_warmup_seconds: float = Field(default=2.0, ge=0, le=86_400)
    """… but no further one begins after so many seconds (>= 0), stable or not."""

    cooldown_seconds: float = Field(default=0.0, ge=0, le=86_400)
    """Rest before a measurement, in seconds (>= 0), so that systems do not heat each other."""

    idle_seconds: float = Field(default=1.0, ge=0, le=86_400)
    """How long idle power is measured, before and after, in seconds (>= 0; 0 leaves it out, and net energy with it)."""

    processes: int = Field(default=2, ge=1, le=1000)
    """How many processes measure (>= 1), one after the other, each with its own start, warm-up and windows."""

    process_spread: float = Field(default=0.03, ge=0, le=1)
    """How far processes are known to differ beforehand: standard deviation over mean (>= 0). It enters the 95 %
    interval with the spread that is seen, since a few processes tell little of it."""

    windows: int = Field(default=2, ge=1, le=10_000)
    """Independent windows (>= 1) of each process that the number and its 95 % interval come from."""

    lead_in_seconds: float = Field(default=0.5, ge=0, le=3600)
    """How long the same work is done right before the first reading of a window, in seconds (>= 0): a counter that lags
    would still show the pause. An estimate from CPU time does not lag and is measured without."""

    min_window_seconds: float = Field(default=0.5, ge=0, le=86_400)
    """The unit of work is repeated in a window until so many seconds have passed (>= 0) …"""

    min_repeats: int = Field(default=1, ge=1, le=1_000_000_000)
    """… and until the vocoder was called so many times (>= 1)."""

    max_pause_seconds: float = Field(default=0.1, ge=0, le=3600)
    """Longest of the random pauses before windows, in seconds (>= 0): windows meet the counter in different phases, all
    of them if this is at least its period (0.1 s for NVML)."""

    max_relative_interval: float = Field(default=0.1, gt=0, le=10)
    """Half-width of the 95 % interval over the value (> 0) that is accepted. For a wider one of all processes the
    last measures as many windows again, and each process for windows that something disturbed as many as lack, …"""

    max_retries: int = Field(default=2, ge=0, le=1000)
    """… so often at most (>= 0), then the result is flagged."""

    cross_check: Literal["none", "zeus"] = "none"
    """none | zeus: measure one window more by Zeus at the same time and store both (needs `pip install zeus`)."""

    reuse: bool = True
    """true: weights that are only trained anew get the energy that was measured before, since it depends on the
    architecture, the protocol and the device; false: each job measures. A change makes no measurement stale
    (docs/measurement.md)."""

    def protocol(self) -> dict[str, Any]:
        """What a measurement depends on, as plain values: all but `reuse`."""
        return {key: value for key, value in plain(self).items() if key != "reuse"}

    def shortfalls(self) -> list[str]:
        """In what these settings fall short of a publishable measurement."""
        audio_seconds = self.clips * self.clip_seconds
        given = {name: getattr(self, name) for name in _PUBLISHABLE} | {"seconds of audio": audio_seconds}
        needed = _PUBLISHABLE | {"seconds of audio": _PUBLISHABLE_AUDIO_SECONDS}
        return [f"{name} {given[name]:g}, needed {needed[name]:g}" for name in needed if given[name] < needed[name]]


@dataclass(frozen=True, config=STRICT)
class SweepSettings:
    """Optional: `snakemake energy_sweeps` measures every system against batch size and precision."""

    batch_sizes: tuple[Annotated[int, Field(ge=1, le=65_536)], ...] = Field(default=(1, 2, 4, 8), min_length=1)
    """Clips generated together, each >= 1."""

    precisions: tuple[Precision, ...] = Field(default=("float32", "tf32", "bf16"), min_length=1)
    """Some of float32, tf32, bf16; one that the device does not have gives a row without numbers."""

    def __post_init__(self):
        for name in ("batch_sizes", "precisions"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name} names a value twice; name each once")


BASE_FORM: Final = "pytorch"  # what other forms are compared with
DeploymentForm = Literal["pytorch", "torch_compile", "onnxruntime", "onnxruntime_int8"]


@dataclass(frozen=True, config=STRICT)
class DeploymentSettings:
    """Optional: `snakemake deployment_sweeps` measures every system in other forms, and as a stream."""

    forms: tuple[Literal["torch_compile", "onnxruntime", "onnxruntime_int8"], ...] = (
        "torch_compile", "onnxruntime", "onnxruntime_int8",
    )  # fmt: skip
    """Beside PyTorch's float32, some of torch_compile (PyTorch's compiler), onnxruntime (float32 on a CPU) and
    onnxruntime_int8 (dynamic quantisation to 8 bits on a CPU). The last two need `pip install onnx onnxscript
    onnxruntime`; a form that is not to be had gives a row with the reason."""

    chunk_frames: tuple[Annotated[int, Field(ge=1, le=10_000_000)], ...] = Field(
        default=(1, 2, 4, 8, 16, 32), min_length=1
    )
    """Frames of the chunks of a stream, each >= 1, for systems that can generate in chunks."""

    max_export_minutes: float = Field(default=10.0, gt=0, le=100_000)
    """Minutes (> 0) after which an export as ONNX is given up; its forms are then rows with the reason."""

    def __post_init__(self):
        for name in ("forms", "chunk_frames"):
            if len(set(getattr(self, name))) < len(getattr(self, name)):
                raise ValueError(f"{name} names a value twice; name each once")


@dataclass(frozen=True, config=STRICT)
class MeasurementsSettings:
    """Where measurements come from, and further ones."""

    stored_set: OptionalPath = Field(default=None, alias="from")
    """null: measure energy here. A folder such as resources/measured/nvidia-h100-80gb-hbm3: take the energy from this
    stored set instead (docs/measurement.md says how to make one)."""

    sweep: SweepSettings = SweepSettings()
    """Optional: `snakemake energy_sweeps` measures every system against batch size and precision."""

    deployment: DeploymentSettings = DeploymentSettings()
    """Optional: `snakemake deployment_sweeps` measures every system in other forms, and as a stream."""


@dataclass(frozen=True, config=STRICT)
class PublishedConvention:
    """What the number in the paper's Table 2 counted, where it differs from: 64 frames of the study's own model."""

    frames: int = Field(default=64, ge=1, le=10_000_000)
    """Frames of the mel-spectrogram of the count."""

    hop_length: int | None = Field(default=None, ge=1, le=65_536)
    """Audio samples per frame of the model that was counted; null for those of the study."""

    architecture: Mapping[str, Any] = Field(default_factory=dict)
    """What of the architecture was different."""

    sampling: Mapping[str, Any] = Field(default_factory=dict)
    """What of the sampling was different."""
