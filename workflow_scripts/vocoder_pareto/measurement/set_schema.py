"""What a measured set that people send to each other must hold: models of its files, and their JSON schemas.

A study reads less of a record (`stored_record`); here is what others need to judge it: windows with the counters at
both ends, hardware, versions and the whole protocol.
"""

import json
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from vocoder_pareto.measurement.stored_record import Meter, Part, Protocol, Settings, StoredRecord, Word
from vocoder_pareto.measurement.window_schema import Amount, Count, Latencies, NotNegative, Positive, Rest, Utc, Window

FOLDER = "resources/measured"
RECORD_SCHEMA, SET_SCHEMA = "record.schema.json", "set.schema.json"
Sha256 = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Version = Annotated[str, Field(pattern=r"^\d[\w.+-]*$")]


class Limits(Part):
    """What was taken to be possible, and what was found; null where it is not known."""

    lowest_power_watts: NotNegative | None
    highest_power_watts: Amount | None
    peak_flops_per_second: Amount | None
    highest_flops_per_joule: Amount | None
    flops_per_joule: Amount | None


class Domain(Part):
    """A counter."""

    unit: Word
    joules_per_unit: Amount
    wraps_at: Amount | None
    """The value after which it begins at 0 again; null where it does not."""

    highest_watts: Amount | None
    """More than what it counts can draw; null where that is not known."""

    where: Word
    """The file, the identifier of the device, or the method behind it."""


class FullMeter(Meter):
    """What read the energy, and of what."""

    source: Word
    """As `energy_source`."""

    boundary: Word
    """What the energy is of, in words."""

    pyjoules: Version | None
    readers: dict[str, Version | None]
    """What read the counters, with versions."""

    findings: dict[str, JsonValue]
    power_limit_watts: Amount | None
    notes: list[Word]
    """Flags of the way the meter was chosen."""

    headline: Annotated[list[str], Field(min_length=1)]
    """Counters whose sum is the energy."""

    domains: dict[str, Domain]  # type: ignore[assignment]


class FullProtocol(Protocol):
    """The section `energy` of the configuration, as it was."""

    clips: Positive
    clip_seconds: Amount
    batch_size: Positive
    precision: Literal["float32", "tf32", "bf16"]
    warmup_passes: Positive
    max_warmup_seconds: NotNegative
    cooldown_seconds: NotNegative
    idle_seconds: NotNegative
    processes: Positive
    process_spread: NotNegative
    windows: Positive
    lead_in_seconds: NotNegative
    min_window_seconds: NotNegative
    min_repeats: Positive
    max_pause_seconds: NotNegative
    max_relative_interval: Amount
    max_retries: Count
    cross_check: Literal["none", "zeus"]
    seed: Count
    compile: Literal[False]
    weight_norm: Literal["folded"]
    weights_dtype: Literal["float32", "float64", "float16", "bfloat16"]
    warmup_passes_done: Positive
    warmup_stable: bool | None
    warmup_power_stable: bool | None
    processes_done: Positive


class FullSettings(Settings):
    """What identifies the system that was measured."""

    n_mels: Positive | None = None
    """Bands of its mel-spectrograms; early records do not tell."""


class Gpu(Part):
    """The accelerator that was measured; null is what its driver does not tell."""

    name: Word
    uuid: Word | None = None
    driver: Word
    cuda: Version | None = None
    compute_capability: Annotated[str, Field(pattern=r"^\d+\.\d+$")] | None = None
    multiprocessors: Positive | None = None
    cuda_cores: Positive | None = None
    memory_bytes: Positive | None = None
    enforced_power_limit_watts: Amount | None = None
    default_power_limit_watts: Amount | None = None
    min_power_limit_watts: Amount | None = None
    max_power_limit_watts: Amount | None = None
    max_sm_clock_mhz: Amount | None = None
    max_memory_clock_mhz: Amount | None = None
    persistence_mode: Literal[0, 1] | None = None
    ecc_mode: Literal[0, 1] | None = None


class Cpu(Part):
    """The CPU of the machine."""

    model: Word | None
    logical_cores: Positive
    physical_cores: Positive | None
    max_mhz: Amount | None
    governor: Word | None
    limit_cores: Amount | None = None
    """What the machine allows this process, as in a container."""

    affinity: list[Count] | None
    torch_threads: Positive
    torch_interop_threads: Positive
    omp_wait_policy: Word


class Hardware(Part):
    """The machine."""

    device: Annotated[str, Field(pattern=r"^[a-z]+(:\d+)?$")]
    """cpu, cuda:0, …"""

    device_name: Word
    gpu: Gpu | None
    cpu: Cpu
    memory_bytes: Positive
    system: Word
    kernel: Word
    container: Word | None


class Git(Part):
    """The code that measured."""

    commit: Annotated[str, Field(pattern=r"^[0-9a-f]{40}([0-9a-f]{24})?$")] | None
    modified: bool | None


class Software(Part):
    """Versions."""

    python: Version
    packages: dict[str, Version | None]
    cudnn: Positive | None
    git: Git


class Training(Part):
    """How long the weights were trained; null for random ones."""

    steps: Count | None
    seconds: NotNegative | None


class Weights(Part):
    """The weights that were measured."""

    checkpoint_digest: Sha256 | None
    training: Training


class SetRecord(StoredRecord, Weights):
    """`run1/{model}-{size}.json` of a set: the energy of one system in one run."""

    model: Word
    size: Word
    protocol: FullProtocol
    settings: FullSettings
    meter: FullMeter
    hardware: Hardware  # type: ignore[assignment]
    software: Software  # type: ignore[assignment]
    note: Word
    cross_check: dict[str, JsonValue] | None
    energy_joules_per_audio_second_ci95: NotNegative | None
    energy_joules_per_audio_second_degrees_of_freedom: Amount | None
    energy_combined_by: Literal["mean", "median"] | None
    energy_relative_process_spread: NotNegative | None
    net_energy_joules_per_audio_second: float | None
    real_time_factor: Amount
    latency_seconds: Latencies
    mean_power_watts: Amount | None
    idle_power_watts: NotNegative | None
    peak_memory_bytes: Positive | None
    peak_memory_method: Word
    bounds: Limits
    idle: list[Rest]
    windows: Annotated[list[Window], Field(min_length=1)]
    measured_at: Utc | None = None
    measured_with: Weights | None = None
    reused: bool = False
    """Whether the energy is that of earlier weights, `measured_with`."""

    @property
    def is_early(self) -> bool:
        """Whether it was written when records told neither `settings.n_mels` nor `hardware.cpu.limit_cores`."""
        return self.settings.n_mels is None


class SystemOfSet(Part):
    """One system in all runs."""

    energy_joules_per_audio_second: Annotated[list[Amount | None], Field(min_length=1)]
    """In each run that has it."""

    relative_spread: NotNegative | None
    """Range over mean; null from one run."""

    publishable: list[bool]


class SetSummary(Part):
    """`set.json`: the runs of a set side by side."""

    device: Word
    energy_source: Word
    runs: Positive
    systems: Annotated[dict[str, SystemOfSet], Field(min_length=1)]


def schemas() -> dict[str, str]:
    """The JSON schemas of the files of a set, by the name of the file that holds each in `FOLDER`."""
    return {
        name: json.dumps(kind.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, kind in ((RECORD_SCHEMA, SetRecord), (SET_SCHEMA, SetSummary))
    }
