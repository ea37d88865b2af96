"""Checkpoints for inference: the weights, the settings that build the network, and how they were trained."""

import pickle
import types
import zipfile
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import bring_to_disk, written_whole
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.systems import SystemSettings

FORMAT_VERSION = 1
UNREADABLE = (RuntimeError, EOFError, OSError, KeyError, pickle.UnpicklingError, zipfile.BadZipFile)


def save_checkpoint(path: str | Path, vocoder: Vocoder, system: SystemSettings, training: dict[str, Any]) -> None:
    """Write a checkpoint for inference, whole or not at all.

    Args:
        path: The file to write.
        vocoder: The network whose weights are written, with weight norm unfolded, from any device.
        system: The settings that build the network.
        training: What is to be kept of the training, of plain JSON types; `steps` are read at generation.

    Raises:
        UserError: The file cannot be written.
    """
    checkpoint = {
        "format_version": FORMAT_VERSION,
        "system": system.name,
        "vocoder": system.vocoder,
        "architecture": dict(system.architecture),
        "n_mels": system.n_mels,
        "hop_length": system.hop_length,
        "sample_rate": system.sample_rate,
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
    _require_entries(checkpoint, path, mend)
    return checkpoint


def load_vocoder(path: str | Path, system: SystemSettings) -> tuple[Vocoder, dict[str, Any]]:
    """The trained vocoder of `system` on the CPU, and what its checkpoint says of its training.

    Raises:
        UserError: As for `read_checkpoint`, or the weights do not fit the architecture that `system` describes.
    """
    checkpoint = read_checkpoint(path)
    vocoder = build_vocoder(system)
    load_weights(vocoder, checkpoint["state_dict"], path)
    return vocoder, checkpoint["training"]


def read_weights(path: str | Path) -> tuple[dict[str, torch.Tensor], dict[str, Any]]:
    """The weights in a checkpoint of this project, a saved `state_dict`, or a safetensors file.

    Returns:
        The weights by name, and what a checkpoint of this project says of its training; nothing for other files.

    Raises:
        UserError: The file is missing, damaged, or holds something else than tensors by name.
    """
    try:
        if Path(path).suffix == ".safetensors":
            return safetensors.torch.load(Path(path).read_bytes()), {}
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; mend training.checkpoint of this system") from error
    except (*UNREADABLE, safetensors.SafetensorError) as error:
        raise UserError(
            f"{path}: not a file of weights ({first_line(error)}); give .pt, .ckpt or .safetensors"
        ) from error
    if isinstance(content, dict) and content.get("format_version") == FORMAT_VERSION:
        _require_entries(content, path, "write it anew, or save model.state_dict() alone into it")
        return content["state_dict"], content["training"]
    weights = content.get("state_dict", content) if isinstance(content, dict) else content
    if not _are_weights(weights):
        raise UserError(f"{path}: holds no weights by name; save model.state_dict() into it")
    return weights, {}


def _require_entries(checkpoint: dict[str, Any], path: str | Path, mend: str) -> None:
    if not _are_weights(checkpoint.get("state_dict")):
        raise UserError(f"{path}: its entry state_dict is missing or holds no weights by name; {mend}")
    training = checkpoint.get("training")
    if not isinstance(training, dict):
        raise UserError(f"{path}: its entry training, which tells how the weights came to be, is missing; {mend}")
    if not isinstance(training.get("steps"), int | types.NoneType):
        raise UserError(f"{path}: its entry training tells {training['steps']!r} steps, which is no number; {mend}")


def _are_weights(value: Any) -> bool:
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
