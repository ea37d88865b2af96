"""Weights that a user gives: found in the files that people save, in the layouts that other projects have."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import safetensors
import safetensors.torch
import torch
from torch import Tensor

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.models.checkpoint import FORMAT_VERSION, UNREADABLE, are_weights, load_weights, require_entries
from vocoder_pareto.models.known_layouts import OWN, Layout, layout_of
from vocoder_pareto.models.layouts import to_ours
from vocoder_pareto.models.vocoder import Vocoder

# Where weights lie in files of HiFi-GAN and BigVGAN, of lmnt and ParallelWaveGAN, of UnivNet, of Lightning and NVIDIA.
CONTAINERS = ("generator", "model", "model_g", "state_dict")
_PARALLEL = "module."  # what torch.nn.DataParallel puts before every name


@dataclass(frozen=True)
class GivenWeights:
    """The content of a file of weights.

    Attributes:
        weights: The weights by name.
        checkpoint: What else a checkpoint of this project tells; nothing for other files.
    """

    weights: dict[str, Tensor]
    checkpoint: Mapping[str, Any] = field(default_factory=dict)


def read_weights(path: str | Path) -> GivenWeights:
    """The weights in a checkpoint of this project, a saved `state_dict`, or a safetensors file.

    A `state_dict` may lie below the keys `generator`, `model`, `model_g` and `state_dict`, one in the other, and be
    that of a `DataParallel`.

    Raises:
        UserError: The file is missing, damaged, or holds something else than tensors by name.
    """
    try:
        if _is_safetensors(path):
            return GivenWeights(_without_prefix(safetensors.torch.load(Path(path).read_bytes())))
        content = torch.load(path, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file of weights") from error
    except (*UNREADABLE, safetensors.SafetensorError) as error:
        raise UserError(
            f"{path}: not a file of weights ({first_line(error)}); give .pt, .ckpt or .safetensors. Of a file with a "
            "whole module, which is never executed here, save state_dict() alone where you trust it"
        ) from error
    if isinstance(content, dict) and content.get("format_version") == FORMAT_VERSION:
        require_entries(content, path, "write it anew, or save model.state_dict() alone into it")
        return GivenWeights(content.pop("state_dict"), content)
    weights = _found(content)
    if weights is None:
        raise UserError(f"{path}: holds no weights by name{_elsewhere(content)}; save model.state_dict() into it")
    return GivenWeights(_without_prefix(weights))


def load_given(
    vocoder: Vocoder, weights: dict[str, Tensor], path: str | Path, expected: str | None = None
) -> Layout | None:
    """Copy `weights` into `vocoder` as `load_weights` does; `path` is the file that a message names.

    Weights in the layout of another project become ours, where its network is ours too; an adapter has that network
    itself, and takes its weights as they are. `expected` is the name of the layout that they must have, `own` for that
    of this project; None for any.

    Returns:
        The layout that they had, if it was that of another project.

    Raises:
        UserError: They do not fit; the message says which known layout they have, or lists what does not fit.
    """
    own = vocoder.by_own_names(weights)
    if own is not None:
        load_weights(vocoder, own, path)
        return None
    layout = layout_of(weights)
    if layout == layout_of(vocoder.state_dict()):
        layout = None  # ours
    found = OWN if layout is None else layout.name
    if expected not in (found, None):
        raise UserError(f"{path}: its weights have the layout {found}, not {expected}; mend layout of their weights")
    if layout is None:
        load_weights(vocoder, weights, path)
        return None
    classes = {kind.__name__ for kind in type(vocoder).__mro__}
    if layout.family not in classes:
        raise UserError(
            f"{path}: looks like weights of {layout.project}, which are no weights of {type(vocoder).__name__} here, "
            f"and were trained for another front end ({layout.front_end}); docs/pretrained.md says what becomes what"
        )
    weights = {name: weight for name, weight in weights.items() if layout.holds(name)}
    load_weights(vocoder, to_ours(weights, vocoder, layout.pairs), path)
    return layout


def _is_safetensors(path: str | Path) -> bool:
    """Whether a file is one, whatever its name: after the 8 bytes of its length its header begins as JSON does."""
    with Path(path).open("rb") as file:
        return file.read(9)[8:] == b"{"


def _found(content: Any) -> dict[str, Tensor] | None:
    """The weights in `content`, or below its containers."""
    if content and are_weights(content):
        return content
    if isinstance(content, dict):
        for key in CONTAINERS:
            weights = _found(content.get(key))
            if weights is not None:
                return weights
    return None


def _elsewhere(content: Any) -> str:
    """Where else in `content` weights lie, in words that follow a message; empty where nowhere."""
    keys = [key for key, value in content.items() if value and are_weights(value)] if isinstance(content, dict) else []
    return f" below {' or '.join(CONTAINERS)}, but below {' and '.join(map(repr, keys))}" if keys else ""


def _without_prefix(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    if all(name.startswith(_PARALLEL) for name in weights):
        return {name.removeprefix(_PARALLEL): weight for name, weight in weights.items()}
    return weights
