"""The gate for records of a stored set, which people copy and edit: what of them is read, its type and its bounds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from vocoder_pareto.errors import UserError

Amount = Annotated[float, Field(gt=0)]
Word = Annotated[str, Field(min_length=1)]


class Part(BaseModel):
    """A part of a record: strict types, finite numbers; what else stands in it is not read."""

    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False, use_attribute_docstrings=True)


class Protocol(Part):
    """How much audio was generated at a time."""

    batch_frames: Annotated[int, Field(gt=0)]
    """Frames of the input of one call."""

    audio_seconds_per_clip: Amount
    """Seconds of audio that they become."""

    max_relative_interval: Amount | None = None
    """Half-width of the 95 % interval over the value that was accepted."""


class Settings(Part):
    """What identifies the system that was measured."""

    digest: str
    """Of architecture and sampling, see `measurement.digests`."""

    architecture: dict[str, JsonValue]
    sampling: dict[str, JsonValue]


class Meter(Part):
    """What read the energy."""

    domains: dict[str, dict[str, JsonValue]]
    """Its counters by name."""


class StoredRecord(Part):
    """What a study reads of a record."""

    system: str
    """Its name, {model}-{size}, which is also that of the file."""

    device: Word
    """Its name as its driver tells it."""

    energy_source: Word
    """A word of `tables.sources`: nvml, rapl, estimated, …"""

    energy_joules_per_audio_second: Amount | None
    """Joules per second of generated audio; null where nothing could be measured."""

    energy_joules_per_audio_second_ci95: Annotated[float, Field(ge=0)] | None = None
    """Half-width of its 95 % interval."""

    energy_joules_per_audio_second_degrees_of_freedom: Amount | None = None
    """Of that interval; null for a normal distribution."""

    publishable: bool
    """Whether nothing was found amiss."""

    flags: list[str]
    """What was found amiss, see docs/measurement.md."""

    reasons: dict[str, str]
    """The same in words, by flag."""

    protocol: Protocol
    settings: Settings
    meter: Meter
    hardware: dict[str, JsonValue] = Field(default_factory=dict)
    software: dict[str, JsonValue] = Field(default_factory=dict)


def require_record(file: Path, content: Any, system_name: str) -> Mapping[str, Any]:
    """`content` of `file`, if it is the record of the energy of a system.

    Raises:
        UserError: it is something else, of another system, or a value in it is not possible.
    """
    try:
        record = StoredRecord.model_validate(content)
    except pydantic.ValidationError as error:
        raise UserError(
            f"{file}: not a record of the energy of {system_name} ({first_fault(error)}); restore or delete it"
        ) from error
    if record.system != system_name:
        raise UserError(
            f"{file}: not a record of the energy of {system_name} but of {record.system}; restore or delete it"
        )
    return content


def first_fault(error: pydantic.ValidationError) -> str:
    """Where a file does not fit its model, and why, in a few words: `windows.0.seconds: field required`."""
    first = error.errors()[0]
    where = ".".join(map(str, first["loc"])) or "the file"
    return f"{where}: {first['msg'].lower().partition(' or instance of ')[0]}"
