"""Floating point operations of a vocoder, by two independent counters that must agree.

One counter sees modules: thop with our rules, one for each kind of layer, chosen by `isinstance`, and the listed
functional operations that a vocoder calls outside of such layers (see `operations.py`). The other sees what reaches the
dispatcher of PyTorch: `torch.utils.flop_counter`. Both count multiply-accumulates (MACs); FLOPs are twice that.

Nothing is computed: the counting runs on the meta device, where tensors have shapes and no content, so that trillions
of operations are counted in seconds.
"""

import copy
import logging
from collections import Counter
from dataclasses import dataclass
from typing import Any

import thop
import torch
from thop.profile import register_hooks
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vocoder_pareto.measurement.operations import (
    FUNCTIONAL_OPERATIONS,
    FunctionalOperations,
    Rule,
    rule_of_module,
    transposed_convolution_macs,
    transposed_convolution_macs_as_published,
)
from vocoder_pareto.models.vocoder import Vocoder

log = logging.getLogger(__name__)


class CountersDisagree(ValueError):
    """An operation is seen by one counter only; the message lists what each saw."""


@dataclass(frozen=True)
class Operations:
    """What one call of a vocoder costs.

    Attributes:
        macs: multiply-accumulates; equal by both counters.
        layer_macs: the part in layers, by thop.
        functional_macs: the part in listed functional operations outside of layers, by name.
        flop_counter_macs: all, by `torch.utils.flop_counter` (its FLOPs / 2).
        published_macs: all, with transposed convolutions as the paper's Table 2 counts them.
    """

    macs: int
    layer_macs: int
    functional_macs: dict[str, int]
    flop_counter_macs: int
    published_macs: int


def count_operations(vocoder: Vocoder, frames: int, plainly: bool = False) -> Operations:
    """Count what `vocoder` does for one mel-spectrogram of `frames` frames.

    Args:
        vocoder: prepared for inference, as it is measured; it is left as it is, since a copy is counted.
        frames: length of the mel-spectrogram.
        plainly: count `generate_plainly` instead of `generate`.

    Raises:
        CountersDisagree: the vocoder uses an operation without a rule.
    """
    generation, mel = as_counted(vocoder, frames, plainly)
    layer_macs, functional_macs = _macs_by_layer(generation, mel, transposed_convolution_macs)
    macs = layer_macs + sum(functional_macs.values())
    by_operation = _macs_by_dispatcher(generation, mel)
    if macs != sum(by_operation.values()):
        raise CountersDisagree(
            f"{type(vocoder).__name__}: thop counts {layer_macs} MACs in layers and {dict(functional_macs)} in "
            f"functional operations, torch.utils.flop_counter counts {by_operation}. Let the vocoder call a layer, or "
            f"one of {', '.join(FUNCTIONAL_OPERATIONS)}, or add a rule to measurement/operations.py"
        )
    published_layer_macs, published_functional_macs = _macs_by_layer(
        generation, mel, transposed_convolution_macs_as_published
    )
    return Operations(
        macs=macs,
        layer_macs=layer_macs,
        functional_macs=dict(functional_macs),
        flop_counter_macs=sum(by_operation.values()),
        published_macs=published_layer_macs + sum(published_functional_macs.values()),
    )


class Generation(nn.Module):
    """`generate` or `generate_plainly` of a vocoder as the `forward` that counters and hooks expect."""

    def __init__(self, vocoder: Vocoder, plainly: bool):
        super().__init__()
        self.vocoder = vocoder
        self.plainly = plainly

    def forward(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T)."""
        return self.vocoder.generate_plainly(mel) if self.plainly else self.vocoder.generate(mel)


def as_counted(vocoder: Vocoder, frames: int, plainly: bool) -> tuple[Generation, Tensor]:
    """A copy of `vocoder` and a mel-spectrogram, without content where the vocoder can do without."""
    generation = Generation(copy.deepcopy(vocoder), plainly)
    mel = torch.empty(1, vocoder.n_mels, frames, device="meta")
    try:
        with torch.no_grad():
            _without_content(generation)(mel)
    except (NotImplementedError, RuntimeError) as error:
        log.warning("%s cannot be counted without computing (%s); computing it", type(vocoder).__name__, error)
        return Generation(copy.deepcopy(vocoder), plainly), torch.zeros(1, vocoder.n_mels, frames)
    return generation, mel


def _without_content(module: nn.Module) -> nn.Module:
    module = module.to("meta")
    for part in module.modules():
        for name, value in vars(part).items():
            if not name.startswith("_"):
                setattr(part, name, _moved(value))
    return module


def _moved(value: Any) -> Any:
    """Tensors that a vocoder keeps outside of its buffers go to the meta device too."""
    if isinstance(value, Tensor) and not isinstance(value, nn.Parameter):
        return value.to("meta")
    if isinstance(value, list):
        return [_moved(item) for item in value]
    if isinstance(value, dict):
        return {key: _moved(item) for key, item in value.items()}
    return value


def _macs_by_layer(generation: nn.Module, mel: Tensor, transposed: Rule) -> tuple[int, Counter[str]]:
    generation = copy.deepcopy(generation)  # thop and the hooks leave traces
    rules = {module: rule_of_module(module, transposed) for module in generation.modules()}
    layers = [module for module, rule in rules.items() if rule is not None]
    hooks = {
        **dict.fromkeys(register_hooks, _count_nothing),  # thop's own rules count other things than MACs
        **{type(module): _hook(rules[module]) for module in layers},
    }
    functions = FunctionalOperations(layers, transposed)
    with functions:
        layer_macs, _ = thop.profile(generation, (mel,), custom_ops=hooks, verbose=False)
    return int(layer_macs), functions.macs


def _hook(rule: Rule):
    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        module.total_ops += rule(inputs[0], module.weight, output)

    return count


def _count_nothing(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    pass


def _macs_by_dispatcher(generation: nn.Module, mel: Tensor) -> dict[str, int]:
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        generation(mel)
    return {str(name): flops // 2 for name, flops in counter.get_flop_counts().get("Global", {}).items()}
