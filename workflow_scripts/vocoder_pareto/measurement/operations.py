"""Multiply-accumulates (MACs) of single operations, from the shapes of what goes in and comes out.

Counted are the operations that multiply and add: convolutions, transposed convolutions, linear layers and products of
matrices. Not counted, by any of the counters: additions of a bias, activation functions, interpolation, random numbers,
Fourier transforms and matrix inverses.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from math import prod
from typing import Any, NamedTuple

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


class Rules(NamedTuple):
    """How an operation is counted: exactly, and as the paper counted it."""

    exact: Rule
    published: Rule


_CONVOLUTION_RULES = Rules(convolution_macs, convolution_macs)
_TRANSPOSED_RULES = Rules(transposed_convolution_macs, transposed_convolution_macs_as_published)
_LINEAR_RULES = Rules(linear_macs, linear_macs)
_PRODUCT_RULES = Rules(matrix_product_macs, matrix_product_macs)


def rule_of_module(module: nn.Module) -> Rules | None:
    """The rules of a layer, by `isinstance`, so that weight norm does not hide it; None if it does no MACs."""
    if isinstance(module, _ConvTransposeNd):
        return _TRANSPOSED_RULES
    if isinstance(module, _ConvNd):
        return _CONVOLUTION_RULES
    if isinstance(module, nn.Linear):
        return _LINEAR_RULES
    return None


_CONVOLUTION = ((0, "input"), (1, "weight"))

# The functional operations that no hook on a module can see: name, rule, place and keyword of the two factors.
_FUNCTIONS: dict[Any, tuple[str, Rules, tuple[tuple[int, str], ...]]] = {
    functional.conv1d: ("conv1d", _CONVOLUTION_RULES, _CONVOLUTION),
    functional.conv2d: ("conv2d", _CONVOLUTION_RULES, _CONVOLUTION),
    functional.conv_transpose1d: ("conv_transpose1d", _TRANSPOSED_RULES, _CONVOLUTION),
    functional.conv_transpose2d: ("conv_transpose2d", _TRANSPOSED_RULES, _CONVOLUTION),
    functional.linear: ("linear", _LINEAR_RULES, _CONVOLUTION),
    **dict.fromkeys(
        (torch.matmul, Tensor.matmul, Tensor.__matmul__),
        ("matmul", _PRODUCT_RULES, ((0, "input"), (1, "other"))),
    ),
    **dict.fromkeys((torch.mm, Tensor.mm), ("mm", _PRODUCT_RULES, ((0, "input"), (1, "mat2")))),
    **dict.fromkeys((torch.bmm, Tensor.bmm), ("bmm", _PRODUCT_RULES, ((0, "input"), (1, "mat2")))),
    **dict.fromkeys(
        (torch.addmm, Tensor.addmm, Tensor.addmm_),
        ("addmm", _PRODUCT_RULES, ((1, "mat1"), (2, "mat2"))),
    ),
    **dict.fromkeys(
        (torch.baddbmm, Tensor.baddbmm, Tensor.baddbmm_),
        ("baddbmm", _PRODUCT_RULES, ((1, "batch1"), (2, "batch2"))),
    ),
}
FUNCTIONAL_OPERATIONS = tuple(sorted({name for name, _, _ in _FUNCTIONS.values()}))


class FunctionalOperations(TorchFunctionMode):
    """While entered, counts the listed functional operations that are called outside of `layers`.

    Attributes:
        macs: exact, by name of the operation.
        published_macs: of all, as the paper counted.
    """

    def __init__(self, layers: Iterable[nn.Module]):
        super().__init__()
        self.macs: Counter[str] = Counter()
        self.published_macs = 0
        self._layers_entered = 0
        for layer in layers:
            layer.register_forward_pre_hook(self._enter)
            layer.register_forward_hook(self._leave)

    def __torch_function__(self, function, types, arguments=(), options=None):
        """Run `function`, and count it if it is listed."""
        output = function(*arguments, **(options or {}))
        if self._layers_entered == 0 and function in _FUNCTIONS:
            name, rules, places = _FUNCTIONS[function]
            factors = [arguments[place] if place < len(arguments) else options[keyword] for place, keyword in places]
            self.macs[name] += rules.exact(*factors, output)
            self.published_macs += rules.published(*factors, output)
        return output

    def _enter(self, module, inputs):
        self._layers_entered += 1

    def _leave(self, module, inputs, output):
        self._layers_entered -= 1
