"""Multiply-accumulates (MACs) of single operations, from the shapes of what goes in and comes out.

Each rule is the number of products in the sum that defines the operation (B batch, g groups, k taps of the kernel):

    convolution             y[b, o, t] = Σ_c Σ_i w[o, c, i] · x[b, c, s·t + d·i]     c over C_in/g, i over k
                            every output is a sum of C_in/g · k products:            B · C_out · T_out × C_in/g · k
    transposed convolution  y[b, o, s·t + d·i] += w[c, o, i] · x[b, c, t]            o over C_out/g, i over k
                            every input goes into C_out/g · k products:              B · C_in · T_in × C_out/g · k
    as Table 2 counted it   C_in in the place of C_out/g:                            B · C_in · T_in × C_in · k
    linear                  y[…, o] = Σ_c w[o, c] · x[…, c]                          outputs × C_in
    product of matrices     y[…, m, n] = Σ_l a[…, m, l] · b[…, l, n]                 outputs × l

Strides s and dilations d change how many outputs there are, not what one costs; padding is counted as if zeros were
multiplied, as every counter does. In two dimensions T is the number of points and k the number of taps in the plane.
PyTorch keeps the weights of a convolution as (C_out, C_in/g, k) and those of a transposed one as (C_in, C_out/g, k), so
in both cases the second factor is the product of all sizes of the weight but the first.

Not counted, by any of the counters: additions of a bias, activation functions, interpolation, random numbers, Fourier
transforms and matrix inverses.

A product is seen in one of two places: in a layer (`rule_of_module`, asked by hooks on modules), or in a function that
is called outside of such layers (`FunctionalOperations`). A layer calls the same functions inside, so the second
counter is silent between the pre-hook and the hook of a layer, and nothing is counted twice.
"""

from collections import Counter
from collections.abc import Callable, Iterable
from math import prod
from typing import Any, NamedTuple, cast

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
    """Each output is a sum over the inputs: outputs × C_in."""
    return output.numel() * weight.shape[-1]


def matrix_product_macs(left: Tensor, right: Tensor, output: Tensor) -> int:
    """(…, m, k) times (…, k, n): m · n · k for each pair of matrices."""
    return output.numel() * left.shape[-1]


class Rules(NamedTuple):
    """How an operation is counted from (input, weight, output), or the two factors and their product.

    Attributes:
        exact: what is done.
        published: what Table 2 counted.
    """

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


def weight_of(layer: nn.Module) -> Tensor:
    """The weight of a layer that has rules; where weight norm is not folded, it is computed."""
    return cast(Tensor, layer.weight)


Place = tuple[int, str]  # position and keyword of an argument
_CONVOLUTION: tuple[Place, Place] = ((0, "input"), (1, "weight"))

# The functional operations that no hook on a module can see: name, rule, places of the two factors.
_FUNCTIONS: dict[Any, tuple[str, Rules, tuple[Place, Place]]] = {
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
        macs: the exact number, by name of the operation.
        published_excess: what the paper counted of all together beyond that.
    """

    def __init__(self, layers: Iterable[nn.Module]):
        super().__init__()
        self.macs: Counter[str] = Counter()
        self.published_excess = 0
        self._layers_entered = 0
        for layer in layers:
            layer.register_forward_pre_hook(self._enter)
            layer.register_forward_hook(self._leave)

    def __torch_function__(self, function, types, arguments=(), options=None):
        """Call `function`, and count it if it is listed."""
        options = options or {}
        output = function(*arguments, **options)
        if self._layers_entered == 0 and function in _FUNCTIONS:
            name, rules, places = _FUNCTIONS[function]
            left, right = (arguments[index] if index < len(arguments) else options[word] for index, word in places)
            macs = rules.exact(left, right, output)
            self.macs[name] += macs
            self.published_excess += rules.published(left, right, output) - macs
        return output

    def _enter(self, module, inputs):
        self._layers_entered += 1

    def _leave(self, module, inputs, output):
        self._layers_entered -= 1
