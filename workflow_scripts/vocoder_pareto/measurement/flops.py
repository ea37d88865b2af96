"""Operations and memory of a vocoder, from the shapes of its tensors alone.

Two independent counters of operations must agree. One sees modules: thop with our rules, one for each kind of layer,
chosen by `isinstance`, and the listed functional operations that a vocoder calls outside of such layers (formulas:
`operations.py`). The other sees what reaches the dispatcher of PyTorch: `torch.utils.flop_counter`. Both count
multiply-accumulates (MACs); FLOPs are twice that:

    macs = layer_macs + Σ functional_macs = flop_counter_macs,        flops = 2 · macs
    published_macs = macs + Σ over transposed convolutions of (C_in² · k − C_in · C_out/g · k) · B · T_in

What both leave out, Fourier transforms and operations element by element, is counted beside them
(`other_operations.py`).

Nothing is computed: the counting takes place on the meta device, where tensors have shapes and no content, so that
trillions of operations are counted in seconds.

A call passes through four levels, and at each one somebody watches the same generation (`_counted`):

    1. module(x)                   hooks on layers: thop's sum, and the gate that silences 2 inside of a layer
    2. functional.conv1d(x, w)     FunctionalOperations, a TorchFunctionMode: the Python interface of PyTorch
    3. aten.convolution(x, w)      TorchDispatchModes: MemoryWatch → OtherOperations → FlopCounterMode → ShapeCache
    4. the meta kernel             finds the shape of the result

Modes of one kind are a stack: the one that is entered last sees an operation first, and hands it on by calling it. So
the order of the `with` statement, from its left, is that from the kernel up:

    ShapeCache        lowest, since it may answer without calling on: above the counters it would hide from them every
                      operation that is repeated.
    FlopCounterMode   takes operations that it does not know apart, and is itself entered again for the parts.
    OtherOperations   above it, since it takes other operations apart than that.
    MemoryWatch       above both, so that it sees what a vocoder does operation by operation, as PyTorch executes it,
                      and not the parts, whose intermediate results no kernel would read or write.
    FunctionalOperations  belongs to the other stack, which every call passes before the dispatcher; it may stand
                      anywhere in the list.
"""

import logging
from dataclasses import dataclass
from typing import Any, TypeVar, cast

import thop
import torch
from thop.profile import register_hooks
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode

from vocoder_pareto.errors import first_line
from vocoder_pareto.measurement.memory_traffic import MemoryTraffic, MemoryWatch
from vocoder_pareto.measurement.operations import (
    FUNCTIONAL_OPERATIONS,
    FunctionalOperations,
    Rules,
    rule_of_module,
    weight_of,
)
from vocoder_pareto.measurement.other_operations import OtherOperations, OtherWork
from vocoder_pareto.measurement.shape_cache import ShapeCache
from vocoder_pareto.models.vocoder import Vocoder, copied
from vocoder_pareto.models.waveforms import UnusableAudio, require_form

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Operations:
    """What one call of a vocoder costs.

    Attributes:
        layer_macs: multiply-accumulates in layers, by thop.
        functional_macs: those in listed functional operations outside of layers, by name.
        flop_counter_macs: all, by `torch.utils.flop_counter` (its FLOPs / 2), which stands where the counters disagree.
        published_macs: all, with transposed convolutions as the paper's Table 2 counts them.
        memory: bytes kept and moved.
        others: what is done beside products.
        from_shapes: whether shapes alone told all this. Then nothing was done outside of PyTorch, where nobody watches.
    """

    layer_macs: int
    functional_macs: dict[str, int]
    flop_counter_macs: int
    published_macs: int
    memory: MemoryTraffic
    others: OtherWork
    from_shapes: bool

    @property
    def macs(self) -> int:
        """All multiply-accumulates."""
        return self.flop_counter_macs

    @property
    def counters_agree(self) -> bool:
        """Whether both counters see the same; of what has no rule here (recurrent layers, attention) one sees more."""
        return self.layer_macs + sum(self.functional_macs.values()) == self.flop_counter_macs


def count_operations(vocoder: Vocoder, frames: int, plainly: bool = False) -> Operations:
    """Count what `vocoder` does for one mel-spectrogram of `frames` frames, prepared for inference as it is measured.

    Args:
        vocoder: left as it is, since a copy is counted.
        frames: length of the mel-spectrogram.
        plainly: count `generate_plainly` instead of `generate`.

    Raises:
        UnusableAudio: it gives no waveforms of the right type and shape.
    """
    shape = (1, vocoder.n_mels, frames)
    try:
        return _counted(
            _without_content(_Generation(copied(vocoder).prepare_for_inference(), plainly)),
            torch.empty(shape, device="meta"),
        )
    except (NotImplementedError, RuntimeError, TypeError, UnusableAudio) as error:
        log.warning("%s cannot be counted without computing (%s); computing it", vocoder.name, first_line(error))
        return _counted(_Generation(copied(vocoder).prepare_for_inference(), plainly), torch.zeros(shape))


class _Generation(nn.Module):
    """`generate` or `generate_plainly` of a vocoder as the `forward` that thop and hooks expect."""

    def __init__(self, vocoder: Vocoder, plainly: bool):
        super().__init__()
        self.vocoder = vocoder
        self.plainly = plainly

    def forward(self, mel: Tensor) -> Tensor:
        audio = self.vocoder.generate_plainly(mel) if self.plainly else self.vocoder.generate(mel)
        return require_form(audio, mel, self.vocoder.hop_length, self.vocoder.name)


_Module = TypeVar("_Module", bound=nn.Module)


def _without_content(module: _Module) -> _Module:
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


def _counted(generation: _Generation, mel: Tensor) -> Operations:
    """All counters watch one call; `generation` cannot be used after it, since thop leaves traces."""
    layers = {module: rules for module in generation.modules() if (rules := rule_of_module(module)) is not None}
    published_excess, others = [0], OtherOperations(generation)
    hooks = {
        **dict.fromkeys(register_hooks, _count_nothing),  # thop's own rules count other things than MACs
        **{type(module): _hook(rules, published_excess, others) for module, rules in layers.items()},
    }
    functions = FunctionalOperations(layers)
    # `thop.profile` would also count parameters anew at every call of a layer, which takes longer than all the rest.
    memory = MemoryWatch(generation, mel)
    with ShapeCache(), FlopCounterMode(display=False) as dispatcher, others, memory, functions:
        layer_macs, _ = thop.profile_origin(generation, (mel,), custom_ops=hooks, verbose=False)
    by_dispatcher = {str(name): flops // 2 for name, flops in dispatcher.get_flop_counts().get("Global", {}).items()}
    all_macs = sum(by_dispatcher.values())
    operations = Operations(
        layer_macs=int(layer_macs),
        functional_macs=dict(functions.macs),
        flop_counter_macs=all_macs,
        published_macs=all_macs + published_excess[0] + functions.published_excess,
        memory=memory.traffic,
        others=others.work,
        from_shapes=mel.is_meta,
    )
    if not operations.counters_agree:
        log.warning(
            "%s: thop counts %d MACs in layers and %s in functional operations, torch.utils.flop_counter counts %s, "
            "which is taken; for a second opinion call layers or one of %s, or add a rule to measurement/operations.py",
            generation.vocoder.name, operations.layer_macs, operations.functional_macs, by_dispatcher,
            ", ".join(FUNCTIONAL_OPERATIONS),
        )  # fmt: skip
    if operations.others.unknown:
        log.warning(
            "%s: no rule knows %s, so that its operations element by element are not known; add rules to "
            "measurement/elementwise.py",
            generation.vocoder.name, ", ".join(operations.others.unknown),
        )  # fmt: skip
    return operations


def _hook(rules: Rules, published_excess: list[int], others: OtherOperations):
    def count(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        weight = weight_of(module)
        macs = rules.exact(inputs[0], weight, output)
        with others.paused():
            cast(Tensor, module.total_ops).add_(macs)  # the buffer that thop adds up at the end
        published_excess[0] += rules.published(inputs[0], weight, output) - macs

    return count


def _count_nothing(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
    pass
