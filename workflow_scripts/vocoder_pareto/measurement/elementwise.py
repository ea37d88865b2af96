"""Operations that are done element by element, from the shapes of what goes in and comes out.

The convention is that of XLA's cost analysis (`HloCostAnalysis` of OpenXLA): each arithmetic operation, comparison or
value of an elementary function is one operation per element of the result, and elementary functions are told apart,
since one of them may take a processor as long as ten additions. Elementary functions are exponentials, logarithms,
powers, roots, trigonometric and hyperbolic functions, the sigmoid and the error function, and numbers that are drawn.
Operators that PyTorch computes in one go count as their definition does, with n elements in and m out:

    leaky ReLU, PReLU       x > 0 ? x : a x                                          2 m
    ELU                     x > 0 ? x : a (e^x − 1)                                  4 m, of these m functions
    SiLU, GLU               x σ(x), x σ(y)                                           2 m,          m
    GELU                    ½ x (1 + erf(x / √2))                                    5 m,          m
      by tanh               ½ x (1 + tanh(√(2/π) (x + 0.044715 x³)))                 9 m,          m
    softplus, Mish          log(1 + e^x), x tanh(softplus(x))                        3 m, 5 m,     2 m, 3 m
    square, cube            x², x³                                                   m, 2 m
    linear interpolation    Σ of 2 weighted neighbours in each of d directions       (2 · 2^d − 1) m
    cubic interpolation     Σ of 16 weighted neighbours in the plane                 31 m
    mean of a pool          Σ of k neighbours / k                                    k m
    sum, extreme, product   n − m;      mean  n;      overlap-add  n
    variance                mean, difference, square, sum, quotient                  4 n
    norm                    √ Σ x²                                                   2 n,          m
    softmax                 e^(x − max) / Σ e^(x − max), in r rows                   5 n − 2 r,    n
    layer and group norm    (x − mean) / √(variance + ε), in r groups                5 n + 2 r,    r
      with scale, shift     one operation more per element for each
    complex numbers         a + b: 2;  a · b: 6;  a · r: 2;  a / b: 11;  |a|: 4;  e^a: 5;  r e^iφ: 4

A bias that a product takes in is in no count: a sum of K products and a bias is K multiplications and K additions, the
2 K of the products. Where PyTorch adds it by an operation of its own, that is one per element.
What only moves, copies, pads, repeats or creates numbers is free.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from math import prod
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.utils._pytree import tree_leaves


class Work(NamedTuple):
    """What one call of an operator does.

    Attributes:
        operations: of all kinds.
        functions: those of them that are values of an elementary function.
    """

    operations: int
    functions: int = 0


FREE_OF_CHARGE = Work(0)


@dataclass(frozen=True)
class Call:
    """One call of an operator of PyTorch's dispatcher.

    Attributes:
        function: the operator.
        arguments: by position.
        options: by name.
        output: what it gave.
    """

    function: Any
    arguments: tuple[Any, ...]
    options: Mapping[str, Any]
    output: Any

    @property
    def namespace(self) -> str:
        """Of the operator: `aten` for PyTorch's own."""
        return self.function.namespace

    @property
    def operator(self) -> str:
        """The name of the operator; one that works in place has that of the one that does not."""
        return _name(self.function)

    def value(self, name: str) -> Any:
        """The argument called `name`; None if it is not given and has no default."""
        for place, argument in enumerate(self.function._schema.arguments):
            if argument.name == name:
                given = self.arguments[place] if place < len(self.arguments) else self.options.get(name)
                return argument.default_value if given is None else given
        return None

    @property
    def inputs(self) -> list[Tensor]:
        """All tensors that are given."""
        return [leaf for leaf in tree_leaves((self.arguments, dict(self.options))) if isinstance(leaf, Tensor)]

    @property
    def result(self) -> Tensor:
        """The first tensor that comes out."""
        return next(leaf for leaf in tree_leaves(self.output) if isinstance(leaf, Tensor))

    @property
    def elements_in(self) -> int:
        """n, of the first tensor that goes in."""
        return self.inputs[0].numel()

    @property
    def elements_out(self) -> int:
        """m, of the first tensor that comes out."""
        return self.result.numel()

    @property
    def is_complex(self) -> bool:
        """Whether a complex number goes in or comes out."""
        return any(leaf.is_complex() for leaf in (*self.inputs, *tree_leaves(self.output)) if isinstance(leaf, Tensor))


Rule = Callable[[Call], Work]


def knows(function: Any) -> bool:
    """Whether an operator of the dispatcher has a rule for real numbers."""
    name = _name(function)
    return (
        function.namespace == "prim"
        or _is_pointwise(function)
        or (function.namespace == "aten" and (name in _FREE or name in _RULES))
    )


def elementwise_work(call: Call) -> Work | None:
    """What `call` does element by element; None where no rule knows the operator."""
    if call.namespace == "prim" or (call.namespace == "aten" and call.operator in _FREE):
        return FREE_OF_CHARGE
    if call.is_complex:
        rule = _COMPLEX_RULES.get(call.operator)
        return rule(call) if rule else None
    if call.namespace == "aten" and call.operator in _RULES:
        return _RULES[call.operator](call)
    if not _is_pointwise(call.function):
        return None
    return Work(call.elements_out, call.elements_out * (call.operator in _FUNCTIONS))


@cache
def _is_pointwise(function: Any) -> bool:
    """Whether PyTorch says so of the operator, or of the one that it does in place."""
    kinds = [function]
    if function.namespace == "aten":
        packet = getattr(torch.ops.aten, _name(function), None)
        kinds += [getattr(packet, overload) for overload in packet.overloads()] if packet else []
    return any(torch.Tag.pointwise in kind.tags for kind in kinds)


def _name(function: Any) -> str:
    return function._schema.name.split("::")[-1].removesuffix("_")


def _per_result(operations: int, functions: int = 0) -> Rule:
    return lambda call: Work(operations * call.elements_out, functions * call.elements_out)


def _per_input(operations: int, functions: int = 0) -> Rule:
    return lambda call: Work(operations * call.elements_in, functions * call.elements_in)


def _scaled_sum(call: Call) -> Work:
    return Work(call.elements_out * (1 if call.value("alpha") in (None, 1) else 2))


def _product_and_sum(call: Call) -> Work:
    return Work(call.elements_out * (2 if call.value("value") in (None, 1) else 3))


def _clamp(call: Call) -> Work:
    return Work(call.elements_out * sum(call.value(bound) is not None for bound in ("min", "max")))


def _power(call: Call) -> Work:
    exponent = call.value("exponent")
    if isinstance(exponent, int | float) and exponent in (2, 3):
        return Work(call.elements_out * int(exponent - 1))
    return Work(call.elements_out, call.elements_out)


def _gelu(call: Call) -> Work:
    return Work(call.elements_out * (9 if call.value("approximate") == "tanh" else 5), call.elements_out)


def _reduction(call: Call) -> Work:
    if torch.Tag.pointwise in call.function.tags:  # the larger of two tensors
        return Work(call.elements_out)
    return Work(call.elements_in - call.elements_out)


def _standard_deviation(call: Call) -> Work:
    return Work(4 * call.elements_in + call.elements_out, call.elements_out)


def _norm(call: Call) -> Work:
    return Work(2 * call.elements_in, call.elements_out)


def _softmax(call: Call) -> Work:
    rows = call.elements_in // call.inputs[0].shape[call.value("dim")]
    return Work(5 * call.elements_in - 2 * rows, call.elements_in)


def _log_softmax(call: Call) -> Work:
    rows = call.elements_in // call.inputs[0].shape[call.value("dim")]
    return Work(5 * call.elements_in - rows, call.elements_in + rows)


def _affine(call: Call) -> int:
    return sum(call.value(name) is not None for name in ("weight", "bias"))


def _group_norm(call: Call) -> Work:
    groups = call.output[1].numel()
    return Work((5 + _affine(call)) * call.elements_in + 2 * groups, groups)


def _batch_norm(call: Call) -> Work:
    """In evaluation: mean and variance of each channel are known."""
    channels = call.inputs[0].shape[1]
    return Work((2 + _affine(call)) * call.elements_in + 2 * channels, channels)


def _weight_norm(call: Call) -> Work:
    scales = call.inputs[1].numel()
    return Work(3 * call.elements_in + scales, scales)  # norms (2 n), their quotients, products


def _pool(directions: int, operations_beside: int) -> Rule:
    def work(call: Call) -> Work:
        kernel = call.value("kernel_size")
        size = prod(kernel) if len(kernel) == directions else kernel[0] ** directions
        return Work(call.elements_out * (size + operations_beside))

    return work


def _interpolation(call: Call) -> Work:
    """In a direction whose size stays, nothing is between two neighbours."""
    directions = sum(one != other for one, other in zip(call.inputs[0].shape, call.result.shape, strict=True))
    return Work(call.elements_out * (2 * 2**directions - 1 if directions else 0))


def _added_at_places(name: str) -> Rule:
    def work(call: Call) -> Work:
        return Work(call.value(name).numel() * (call.value("accumulate") is not False))

    return work


def _complex_product(call: Call) -> Work:
    both = len(call.inputs) > 1 and all(factor.is_complex() for factor in call.inputs)
    return Work(call.elements_out * (6 if both else 2))


def _complex_quotient(call: Call) -> Work:
    by_complex = len(call.inputs) > 1 and call.inputs[1].is_complex()
    return Work(call.elements_out * (11 if by_complex else 2))


_LOCAL_SUMS = dict.fromkeys(("sum", "prod", "amax", "amin", "max", "min", "argmax", "argmin", "any", "all"), _reduction)
_GROUP_NORMS = dict.fromkeys(("native_layer_norm", "native_group_norm"), _group_norm)
_BATCH_NORMS = dict.fromkeys(
    ("native_batch_norm", "_native_batch_norm_legit_no_training", "cudnn_batch_norm", "_batch_norm_no_update"),
    _batch_norm,
)
_DRAWS = dict.fromkeys(
    ("rand", "randn", "randint", "rand_like", "randn_like", "normal", "uniform", "bernoulli", "exponential"),
    _per_result(1, 1),
)

_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("add", "sub", "rsub"), _scaled_sum),
    **dict.fromkeys(("addcmul", "addcdiv"), _product_and_sum),
    "lerp": _per_result(3), "clamp": _clamp, "hypot": _per_result(4, 1), "pow": _power, "sinc": _per_result(3, 1),
    **dict.fromkeys(("leaky_relu", "_prelu_kernel", "threshold", "hardtanh"), _per_result(2)),
    "elu": _per_result(4, 1), "silu": _per_result(2, 1), "glu": _per_result(2, 1), "gelu": _gelu,
    "softplus": _per_result(3, 2), "mish": _per_result(5, 3), "log_sigmoid_forward": _per_result(2, 2),
    "hardsigmoid": _per_result(4), "hardswish": _per_result(5),
    **_LOCAL_SUMS, "mean": _per_input(1), **dict.fromkeys(("cumsum", "cumprod"), _per_input(1)),
    "var": _per_input(4), "std": _standard_deviation, "_softmax": _softmax, "_log_softmax": _log_softmax,
    **dict.fromkeys(("linalg_vector_norm", "norm"), _norm), **_GROUP_NORMS, **_BATCH_NORMS,
    "_weight_norm_interface": _weight_norm,
    "avg_pool2d": _pool(2, 0), "avg_pool3d": _pool(3, 0), "max_pool2d_with_indices": _pool(2, -1),
    **dict.fromkeys(("upsample_linear1d", "upsample_bilinear2d", "upsample_trilinear3d"), _interpolation),
    "upsample_bicubic2d": _per_result(31),
    **dict.fromkeys(("col2im", "unfold_backward"), _per_input(1)),
    "index_add": _added_at_places("source"), "scatter_add": _added_at_places("src"),
    "index_put": _added_at_places("values"),
    "equal": _per_input(1), "linspace": _per_result(2),
    **dict.fromkeys(("hann_window", "hamming_window"), _per_result(4, 1)),
    **_DRAWS,
}  # fmt: skip

_COMPLEX_RULES: Mapping[str, Rule] = {
    **dict.fromkeys(("add", "sub", "rsub", "neg"), _per_result(2)), "conj_physical": _per_result(1),
    "sum": lambda call: Work(2 * (call.elements_in - call.elements_out)), "mean": _per_input(2),
    **dict.fromkeys(("col2im", "unfold_backward"), _per_input(2)),
    "mul": _complex_product, "div": _complex_quotient, "reciprocal": _per_result(5),
    "exp": _per_result(5, 3), "abs": _per_result(4, 1), "angle": _per_result(1, 1), "polar": _per_result(4, 2),
}  # fmt: skip

# Pointwise operators that are elementary functions; other pointwise operators are arithmetic and comparisons.
_FUNCTIONS = frozenset((
    "acos", "acosh", "asin", "asinh", "atan", "atan2", "atanh", "cos", "cosh", "digamma", "erf", "erfc", "erfinv",
    "exp", "exp2", "expm1", "i0", "lgamma", "log", "log10", "log1p", "log2", "logit", "rsqrt", "sigmoid", "sin", "sinh",
    "sqrt", "tan", "tanh",
))  # fmt: skip

# They move, copy, pad, repeat or create numbers, or look for a shape.
_FREE = frozenset((
    "_conj", "_efficientzerotensor", "_local_scalar_dense", "_neg_view", "_reshape_alias", "_to_copy", "_unsafe_view",
    "_upsample_nearest_exact1d", "_upsample_nearest_exact2d", "_upsample_nearest_exact3d", "alias", "arange", "cat",
    "channel_shuffle", "clone", "complex", "constant_pad_nd", "contiguous", "copy", "detach", "embedding", "empty",
    "empty_like", "empty_strided", "eye", "fill", "flip", "full", "full_like", "gather", "im2col", "index",
    "index_copy", "index_select", "lift", "lift_fresh", "lift_fresh_copy", "masked_select", "new_empty",
    "new_empty_strided", "new_full", "new_ones", "new_zeros", "nonzero", "ones", "ones_like", "pixel_shuffle",
    "pixel_unshuffle", "reflection_pad1d", "reflection_pad2d", "reflection_pad3d", "repeat", "repeat_interleave",
    "replication_pad1d", "replication_pad2d", "replication_pad3d", "resize", "roll", "scalar_tensor", "scatter",
    "select_scatter", "set", "slice_scatter", "stack", "take", "tril", "triu", "unfold_copy", "upsample_nearest1d",
    "upsample_nearest2d", "upsample_nearest3d", "zero", "zeros", "zeros_like",
))  # fmt: skip
