"""Multiply-accumulates (MACs) of single operations, from the shapes of what goes in and comes out.

Counted are the operations that multiply and add: convolutions, transposed convolutions, linear layers and products of
matrices. Not counted, by any of the counters: additions of a bias, activation functions, interpolation, random numbers,
Fourier transforms and matrix inverses.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from math import prod
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.conv import _ConvNd, _ConvTransposeNd
from torch.overrides import TorchFunctionMode

Rule = Callable[[Tensor, Tensor, Tensor], int]  # (input, weight, output) -> MACs


def convolution_macs(signal: Tensor, weight: Tensor, output: Tensor) -> int:
    """Each output sample is a sum over the kernel and the input channels of its group: outputs × C_in/groups × k."""
    return output.numel() * prod(weight.shape[1:])


def transposed_convolution_macs(signal: Tensor, weight: Tensor, output: Tensor) -> int:
    """Each input sample is spread over the kernel and the output channels of its group: inputs × C_out/groups × k."""
    return signal.numel() * prod(weight.shape[1:])


def transposed_convolution_macs_as_published(signal: Tensor, weight: Tensor, output: Tensor) -> int:
    """As in Table 2 of Douwes et al. 2023, which takes the input channels twice: C_in² · k per frame."""
    return signal.numel() * weight.shape[0] * prod(weight.shape[2:])


def linear_macs(signal: Tensor, weight: Tensor, output: Tensor) -> int:
    """Outputs × C_in."""
    return output.numel() * weight.shape[-1]


def matrix_product_macs(left: Tensor, right: Tensor, output: Tensor) -> int:
    """(…, m, k) times (…, k, n): m · n · k for each pair of matrices."""
    return output.numel() * left.shape[-1]


def rule_of_module(module: nn.Module, transposed: Rule) -> Rule | None:
    """The rule of a layer, by `isinstance`, so that weight norm and other subclasses do not hide it; None if no MACs.

    `transposed` is the rule of transposed convolutions.
    """
    if isinstance(module, _ConvTransposeNd):
        return transposed
    if isinstance(module, _ConvNd):
        return convolution_macs
    if isinstance(module, nn.Linear):
        return linear_macs
    return None


_CONVOLUTION = ((0, "input"), (1, "weight"))

# The functional operations that no hook on a module can see: name, rule, place and keyword of the two factors.
_FUNCTIONS: dict[Any, tuple[str, Rule, tuple[tuple[int, str], ...]]] = {
    functional.conv1d: ("conv1d", convolution_macs, _CONVOLUTION),
    functional.conv2d: ("conv2d", convolution_macs, _CONVOLUTION),
    functional.conv_transpose1d: ("conv_transpose1d", transposed_convolution_macs, _CONVOLUTION),
    functional.conv_transpose2d: ("conv_transpose2d", transposed_convolution_macs, _CONVOLUTION),
    functional.linear: ("linear", linear_macs, _CONVOLUTION),
    **dict.fromkeys(
        (torch.matmul, Tensor.matmul, Tensor.__matmul__),
        ("matmul", matrix_product_macs, ((0, "input"), (1, "other"))),
    ),
    **dict.fromkeys((torch.mm, Tensor.mm), ("mm", matrix_product_macs, ((0, "input"), (1, "mat2")))),
    **dict.fromkeys((torch.bmm, Tensor.bmm), ("bmm", matrix_product_macs, ((0, "input"), (1, "mat2")))),
    **dict.fromkeys(
        (torch.addmm, Tensor.addmm, Tensor.addmm_),
        ("addmm", matrix_product_macs, ((1, "mat1"), (2, "mat2"))),
    ),
    **dict.fromkeys(
        (torch.baddbmm, Tensor.baddbmm, Tensor.baddbmm_),
        ("baddbmm", matrix_product_macs, ((1, "batch1"), (2, "batch2"))),
    ),
}
FUNCTIONAL_OPERATIONS = tuple(sorted({name for name, _, _ in _FUNCTIONS.values()}))


class FunctionalOperations(TorchFunctionMode):
    """Counts the listed functional operations that are called outside of `layers`, which are counted by themselves.

    Attributes:
        macs: by name of the operation.
    """

    def __init__(self, layers: Iterable[nn.Module], transposed: Rule):
        super().__init__()
        self.macs: Counter[str] = Counter()
        self._transposed = transposed
        self._layers_entered = 0
        for layer in layers:
            layer.register_forward_pre_hook(self._enter)
            layer.register_forward_hook(self._leave)

    def __torch_function__(self, function, types, arguments=(), options=None):
        """Run `function`, and count it if it is listed."""
        output = function(*arguments, **(options or {}))
        if self._layers_entered == 0 and function in _FUNCTIONS:
            name, rule, places = _FUNCTIONS[function]
            factors = [arguments[place] if place < len(arguments) else options[keyword] for place, keyword in places]
            self.macs[name] += (self._transposed if rule is transposed_convolution_macs else rule)(*factors, output)
        return output

    def _enter(self, module, inputs):
        self._layers_entered += 1

    def _leave(self, module, inputs, output):
        self._layers_entered -= 1
