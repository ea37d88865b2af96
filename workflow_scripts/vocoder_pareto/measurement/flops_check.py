"""Whether the FLOPs per joule of a stored record are those of its architecture, counted anew.

Only architectures of this library can be counted: the file of a vocoder of somebody's own is not part of a set.
"""

import json
import math
from collections.abc import Iterator
from functools import cache

import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.measurement.complexity import counted_flops
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.set_schema import SetRecord
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.workflow_files import workflow_folder

_TOLERANCE = 1e-6  # relative
_COUNTED_SECONDS = 10.0  # of the clip that a study counts; a set counts its own clips


def faults_of_flops(record: SetRecord) -> Iterator[str]:
    """That `bounds.flops_per_joule` is not what the architecture does, if it is one of this library."""
    told, joules = record.bounds.flops_per_joule, record.energy_joules_per_audio_second
    if joules is None:
        return
    counted: list[float] = []
    for frames in dict.fromkeys([round(_COUNTED_SECONDS / _frame_seconds(record)), record.protocol.batch_frames]):
        try:
            counted += [flops for system in _systems(record) if (flops := _flops(system, max(1, frames)))]
        except UserError as error:
            yield f"settings: {str(error).splitlines()[0].removeprefix('config key ')}; restore what was measured"
            return
        if told is not None and any(math.isclose(told * joules, each, rel_tol=_TOLERANCE) for each in counted):
            return
    if counted:
        told_flops = "null" if told is None else f"{told:.6g}, × {ENERGY} {told * joules:.6g}"
        yield (
            f"bounds.flops_per_joule is {told_flops}; its architecture does {counted[0]:.6g} FLOPs per second of "
            "audio, as this version counts them; restore what was measured"
        )


def _frame_seconds(record: SetRecord) -> float:
    return record.protocol.audio_seconds_per_clip / record.protocol.batch_frames


def _systems(record: SetRecord) -> list[str]:
    """What a record may be of, as JSON: its architecture with each front end whose frames are as long; or nothing."""
    config = _configuration()
    if record.model not in config["models"]:
        return []
    found = []
    for end in config["front_ends"].values():
        seconds = end["hop_length"] / end["sample_rate"]
        if math.isclose(seconds, _frame_seconds(record), rel_tol=1e-9):
            system = {
                "vocoder": config["models"][record.model]["vocoder"],
                "architecture": record.settings.architecture,
                "sampling": record.settings.sampling,
                "n_mels": record.settings.n_mels or end["n_mels"],
                "hop_length": end["hop_length"],
                "sample_rate": end["sample_rate"],
            }
            found.append(json.dumps(system, sort_keys=True))
    return list(dict.fromkeys(found))


@cache
def _configuration() -> dict:
    return read_configuration([workflow_folder() / "config.yaml"])


@cache
def _flops(system: str, frames: int) -> float | None:
    """FLOPs per second of audio in a clip of so many frames; None where they cannot be counted."""
    settings = SystemSettings(model="set", size="checked", **json.loads(system))
    with torch.device("meta"):  # weights of any size take no memory
        vocoder = build_vocoder(settings).prepare_for_inference()
    flops = counted_flops(count_operations(vocoder, frames).macs)
    return None if flops is None else flops / (frames * settings.hop_length / settings.sample_rate)
