"""The gate for records of a stored set, which people copy and edit: what of them is read, its type and its bounds."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import pydantic
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from vocoder_pareto.errors import UserError

_Amount = Annotated[float, Field(gt=0)]
_Word = Annotated[str, Field(min_length=1)]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, extra="ignore", allow_inf_nan=False)


class _Protocol(_Part):
    batch_frames: Annotated[int, Field(gt=0)]
    audio_seconds_per_clip: _Amount
    max_relative_interval: _Amount | None = None


class _Settings(_Part):
    digest: str
    architecture: dict[str, JsonValue]
    sampling: dict[str, JsonValue]


class _Meter(_Part):
    domains: dict[str, dict[str, JsonValue]]


class _Record(_Part):
    system: str
    device: _Word
    energy_source: _Word
    energy_joules_per_audio_second: _Amount | None
    energy_joules_per_audio_second_ci95: Annotated[float, Field(ge=0)] | None = None
    energy_joules_per_audio_second_degrees_of_freedom: _Amount | None = None
    publishable: bool
    flags: list[str]
    reasons: dict[str, str]
    protocol: _Protocol
    settings: _Settings
    meter: _Meter
    hardware: dict[str, JsonValue] = Field(default_factory=dict)
    software: dict[str, JsonValue] = Field(default_factory=dict)


def require_record(file: Path, content: Any, system_name: str) -> Mapping[str, Any]:
    """`content` of `file`, if it is the record of the energy of a system.

    Raises:
        UserError: it is something else, of another system, or a value in it is not possible.
    """
    try:
        record = _Record.model_validate(content)
    except pydantic.ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the file"
        words = first["msg"].lower().partition(" or instance of ")[0]
        raise UserError(
            f"{file}: not a record of the energy of {system_name} ({where}: {words}); restore or delete it"
        ) from error
    if record.system != system_name:
        raise UserError(
            f"{file}: not a record of the energy of {system_name} but of {record.system}; restore or delete it"
        )
    return content
