"""What a measured set that people send to each other must hold: models of its files, and their JSON schemas.

A study reads less of a record (`stored_record`); here is what others need to judge it: windows with the counters at
both ends, hardware, versions and the whole protocol.
"""

import json
from typing import Annotated, Literal

from pydantic import Field, JsonValue

from vocoder_pareto.measurement.stored_record import Amount, Meter, Part, Protocol, StoredRecord, Word

FOLDER = "resources/measured"
RECORD_SCHEMA, SET_SCHEMA = "record.schema.json", "set.schema.json"
Count = Annotated[int, Field(ge=0)]
NotNegative = Annotated[float, Field(ge=0)]
Utc = Annotated[str, Field(pattern=r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(\+00:00|Z)$")]


class Moment(Part):
    """One end of a window."""

    utc: Utc
    """When, in UTC by ISO 8601."""

    monotonic_seconds: float
    """The same by a clock that nobody sets."""

    counters: dict[str, float]
    """What the counters of the meter showed, in their units."""


class Window(Part):
    """A stretch of work that was measured."""

    process: Count
    counted: bool
    """Whether the result is of this window, too."""

    valid: bool
    """Whether its counters can be believed."""

    reasons: list[str]
    """Why not."""

    joules: float | None
    seconds: Amount
    audio_seconds: Amount
    joules_per_audio_second: float | None
    mean_power_watts: float | None
    joules_by_domain: dict[str, float | None]
    start: Moment
    end: Moment
    disturbances: list[JsonValue]


class Domain(Part):
    """A counter."""

    unit: Word
    joules_per_unit: Amount
    wraps_at: Amount | None
    """The value after which it begins at 0 again; null where it does not."""


class FullMeter(Meter):
    """What read the energy, and of what."""

    source: Word
    """As `energy_source`."""

    boundary: Word
    """What the energy is of, in words."""

    headline: Annotated[list[str], Field(min_length=1)]
    """Counters whose sum is the energy."""

    domains: dict[str, Domain]  # type: ignore[assignment]


class FullProtocol(Protocol):
    """The section `energy` of the configuration, as it was."""

    clips: Annotated[int, Field(ge=1)]
    clip_seconds: Amount
    batch_size: Annotated[int, Field(ge=1)]
    precision: Literal["float32", "tf32", "bf16"]
    warmup_passes: Count
    max_warmup_seconds: NotNegative
    cooldown_seconds: NotNegative
    idle_seconds: NotNegative
    processes: Annotated[int, Field(ge=1)]
    process_spread: NotNegative
    windows: Annotated[int, Field(ge=1)]
    lead_in_seconds: NotNegative
    min_window_seconds: NotNegative
    min_repeats: Annotated[int, Field(ge=1)]
    max_pause_seconds: NotNegative
    max_relative_interval: Amount
    max_retries: Count
    compile: bool
    weight_norm: Word


class Gpu(Part):
    """The GPU that was measured."""

    name: Word
    driver: Word


class Cpu(Part):
    """The CPU of the machine."""

    model: Word | None
    logical_cores: Annotated[int, Field(ge=1)]


class Hardware(Part):
    """The machine."""

    device: Word
    """cpu, cuda:0, …"""

    gpu: Gpu | None
    cpu: Cpu
    system: Word
    kernel: Word


class Git(Part):
    """The code that measured."""

    commit: str | None
    modified: bool | None


class Software(Part):
    """Versions."""

    python: Word
    packages: dict[str, str | None]
    git: Git


class SetRecord(StoredRecord):
    """`run1/{model}-{size}.json` of a set: the energy of one system in one run."""

    model: Word
    size: str
    protocol: FullProtocol
    meter: FullMeter
    hardware: Hardware  # type: ignore[assignment]
    software: Software  # type: ignore[assignment]
    real_time_factor: Amount
    mean_power_watts: Amount | None
    idle_power_watts: Amount | None
    peak_memory_bytes: Count | None
    windows: Annotated[list[Window], Field(min_length=1)]


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
    runs: Annotated[int, Field(ge=1)]
    systems: Annotated[dict[str, SystemOfSet], Field(min_length=1)]


def schemas() -> dict[str, str]:
    """The JSON schemas of the files of a set, by the name of the file that holds each in `FOLDER`."""
    return {
        name: json.dumps(kind.model_json_schema(), indent=2, ensure_ascii=False) + "\n"
        for name, kind in ((RECORD_SCHEMA, SetRecord), (SET_SCHEMA, SetSummary))
    }
