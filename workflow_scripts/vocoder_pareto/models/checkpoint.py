"""Checkpoints for inference: weights, the settings that build the network, what it takes in, and how it was trained."""

import json
import pickle
import types
import zipfile
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass
from pathlib import Path
from typing import Any

import torch

from vocoder_pareto.audio.front_end import require_same_front_end
from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import bring_to_disk, written_whole
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.settings import plain
from vocoder_pareto.study.systems import SystemSettings

FORMAT_VERSION = 1
UNREADABLE = (RuntimeError, EOFError, OSError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile)


def save_checkpoint(
    path: str | Path,
    vocoder: Vocoder,
    system: SystemSettings,
    training: dict[str, Any],
    front_end: Mapping[str, Any] | None = None,
    origin: Mapping[str, Any] | None = None,
) -> None:
    """Write a checkpoint for inference, whole or not at all.

    Args:
        path: The file to write.
        vocoder: The network whose weights are written, with weight norm unfolded, from any device.
        system: The settings that build the network.
        training: What is to be kept of the training, of plain JSON types; `steps` are read at generation.
        front_end: What made the mel-spectrograms that it was trained on, see `front_end_of`; None where unknown.
        origin: What it was trained on: a digest of the clips and their number; None where unknown.

    Raises:
        UserError: The file cannot be written.
    """
    checkpoint = {
        "format_version": FORMAT_VERSION,
        "system": system.name,
        "vocoder": system.vocoder,
        "architecture": plain(vocoder.architecture),
        "n_mels": system.n_mels,
        "hop_length": system.hop_length,
        "sample_rate": system.sample_rate,
        "front_end": None if front_end is None else dict(front_end),
        "origin": None if origin is None else dict(origin),
        "training": training,
        "state_dict": {name: value.detach().cpu() for name, value in vocoder.state_dict().items()},
    }
    with written_whole(path) as temporary:
        write_archive(temporary, checkpoint)


def write_archive(path: str | Path, content: dict[str, Any]) -> None:
    """Write `content` by `torch.save`, and bring it to the disk.

    Raises:
        OSError: The disk is full or cannot be written.
    """
    try:
        with Path(path).open("wb") as file:
            torch.save(content, file)
            file.flush()
            bring_to_disk(file.fileno())
    except RuntimeError as error:
        if isinstance(error.__context__, OSError):  # PyTorch hides it behind a fault of its archive
            raise error.__context__ from None
        raise


def read_checkpoint(path: str | Path) -> dict[str, Any]:
    """The content of a checkpoint, loaded with `weights_only` so that no code in it can run.

    Raises:
        UserError: The file is missing, damaged, not a checkpoint of this format, or lacks an entry that is read.
    """
    mend = "delete it and rerun `train`, which rebuilds it from its training state"
    try:
        checkpoint = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such checkpoint; run the rule `train`") from error
    except UNREADABLE as error:
        raise UserError(f"{path}: damaged or not a checkpoint ({first_line(error)}); {mend}") from error
    if not isinstance(checkpoint, dict) or checkpoint.get("format_version") != FORMAT_VERSION:
        raise UserError(f"{path}: not a checkpoint of format {FORMAT_VERSION}; {mend}")
    require_entries(checkpoint, path, mend)
    return checkpoint


def load_vocoder(
    path: str | Path, system: SystemSettings, front_end: Mapping[str, Any] | None = None
) -> tuple[Vocoder, dict[str, Any]]:
    """The trained vocoder of `system` on the CPU, and what its checkpoint says of its training.

    Args:
        path: The checkpoint.
        system: The system that it is to be used as.
        front_end: What made the mel-spectrograms that it is to be used with, see `front_end_of`; None leaves what
            `system` does not tell of it unchecked.

    Raises:
        UserError: As for `read_checkpoint`, or the weights are for another front end or another architecture.
    """
    checkpoint = read_checkpoint(path)
    vocoder = build_vocoder(system)
    require_made_for(checkpoint, vocoder, system, front_end, path)
    load_weights(vocoder, checkpoint["state_dict"], path)
    return vocoder, checkpoint["training"]


def require_made_for(
    checkpoint: Mapping[str, Any],
    vocoder: Vocoder,
    system: SystemSettings,
    front_end: Mapping[str, Any] | None,
    path: str | Path,
) -> None:
    """Refuse what a checkpoint was not made for: another rate, other mel-spectrograms, another form of its network.

    What it does not tell, as one of an earlier version of this project, is not checked; but a setting that its
    architecture lacks came later, and was at its default before.

    Args:
        checkpoint: The content of the checkpoint `path`.
        vocoder: The network that its weights are to be copied into.
        system, front_end: See `load_vocoder`.

    Raises:
        UserError: There is a difference; the message tells it, and what to set.
    """
    of_system = ("sample_rate", "n_mels", "hop_length")
    made_for = {name: checkpoint[name] for name in of_system if name in checkpoint}
    here = {name: getattr(system, name) for name in of_system}
    require_same_front_end(made_for, here, path)
    require_same_front_end(checkpoint.get("front_end") or {}, front_end or {}, path)
    built = _as_json(plain(vocoder.architecture))
    told = checkpoint.get("architecture")
    known = _as_json({**_defaults(vocoder.Architecture), **told}) if told else {}
    differing = [name for name in built if name in known and known[name] != built[name]]
    if differing:
        names = ", ".join(f"{name} {known[name]} (here {built[name]})" for name in differing)
        raise UserError(
            f"{path}: its weights are for another architecture: {names}; set these in "
            f"{system.config_key}.architecture, or take other weights"
        )


def _defaults(architecture: type[Any]) -> dict[str, Any]:
    """The defaults of the settings of an architecture, those that have one."""
    if not is_dataclass(architecture):
        return {}
    return {setting.name: setting.default for setting in fields(architecture) if setting.default is not MISSING}


def _as_json(values: Mapping[str, Any]) -> dict[str, Any]:
    """`values` with tuples as lists, as a file of settings gives them back."""
    return json.loads(json.dumps(values))


def require_entries(checkpoint: dict[str, Any], path: str | Path, mend: str) -> None:
    """Refuse the content of the checkpoint `path` where it lacks an entry that is read; `mend` ends the message.

    Raises:
        UserError: It names the entry.
    """
    if not are_weights(checkpoint.get("state_dict")):
        raise UserError(f"{path}: its entry state_dict is missing or holds no weights by name; {mend}")
    training = checkpoint.get("training")
    if not isinstance(training, dict):
        raise UserError(f"{path}: its entry training, which tells how the weights came to be, is missing; {mend}")
    for entry in ("architecture", "front_end", "origin"):
        if not isinstance(checkpoint.get(entry), dict | types.NoneType):
            raise UserError(f"{path}: its entry {entry} is {checkpoint[entry]!r}, which tells nothing by name; {mend}")
    if not isinstance(training.get("steps"), int | types.NoneType):
        raise UserError(f"{path}: its entry training tells {training['steps']!r} steps, which is no number; {mend}")


def are_weights(value: Any) -> bool:
    """Whether `value` is tensors by name."""
    return isinstance(value, dict) and all(
        isinstance(name, str) and isinstance(weight, torch.Tensor) for name, weight in value.items()
    )


def load_weights(vocoder: Vocoder, state_dict: dict[str, torch.Tensor], path: str | Path) -> None:
    """Copy `state_dict` into `vocoder`; `path` is the file that a message names.

    Raises:
        UserError: Keys are missing, unknown, or of another shape; the message lists them.
    """
    expected = {name: tuple(value.shape) for name, value in vocoder.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in state_dict.items()}
    faults = [f"{name} is missing" for name in sorted(expected.keys() - given.keys())]
    faults += [f"{name} is unknown" for name in sorted(given.keys() - expected.keys())]
    faults += [
        f"{name} has shape {given[name]}, expected {expected[name]}"
        for name in sorted(expected.keys() & given.keys())
        if given[name] != expected[name]
    ]
    if faults:
        more = f" and {len(faults) - 10} more" if len(faults) > 10 else ""
        raise UserError(f"{path}: does not fit the architecture: {'; '.join(faults[:10])}{more}")
    vocoder.load_state_dict(state_dict)
