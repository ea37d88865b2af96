"""What the counters of multiply-accumulates leave out: Fourier transforms, and what is done element by element.

A fast Fourier transform of N points counts as FFTW's authors count it (benchFFT, http://www.fftw.org/speed/method.html),
for every N and whatever the library really does:

    of complex numbers      5 N log2 N
    to or from real ones    5 N log2 N / 2

N is the product of the sizes in all directions that are transformed. `elementwise.py` has the rules of all else.

An operator falls under one of five heads, and none is passed over in silence:

    products        convolutions and products of matrices, which the counters in `flops.py` see; here they are nothing
    views           nothing is done
    transforms      by the formula above
    elementwise     by its rule, or, if PyTorch itself calls it pointwise, one operation per element of its result
    unknown         all others. One that is made of others (PyTorch can take it apart) is counted by its parts; the rest
                    is named, with the number of its calls
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import log2, prod

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from vocoder_pareto.measurement.elementwise import Call, elementwise_work, knows

# The softmax within the kernels of attention is in no count, so that they remain unknown.
_PRODUCTS = frozenset(packet.__name__ for packet in flop_registry if "attention" not in packet.__name__)
_COMPLEX_TRANSFORM = "_fft_c2c"
_TRANSFORMS = (_COMPLEX_TRANSFORM, "_fft_r2c", "_fft_c2r")


@dataclass(frozen=True)
class OtherWork:
    """What one call of a vocoder does beside products.

    Attributes:
        fft_flops: of all Fourier transforms.
        elementwise: operations that are done element by element, by operator, the most first.
        elementary_functions: how many of these are values of an elementary function.
        unknown: calls of operators that no rule knows, by operator: what they do is in no count.
    """

    fft_flops: int
    elementwise: Mapping[str, int]
    elementary_functions: int
    unknown: Mapping[str, int]

    @property
    def elementwise_operations(self) -> int:
        """All of them."""
        return sum(self.elementwise.values())


class OtherOperations(TorchDispatchMode):
    """While entered, counts Fourier transforms and what is done element by element in calls of `generation`."""

    def __init__(self, generation: nn.Module):
        super().__init__()
        self._counts = False
        generation.register_forward_pre_hook(self._begin)
        generation.register_forward_hook(self._end)
        self._fft_flops = 0
        self._elementwise: Counter[str] = Counter()
        self._functions = 0
        self._unknown: Counter[str] = Counter()

    @property
    def work(self) -> OtherWork:
        """What was seen so far."""
        most_first = {name: operations for name, operations in self._elementwise.most_common() if operations}
        return OtherWork(self._fft_flops, most_first, self._functions, dict(self._unknown.most_common()))

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Within it nothing counts: what a hook that watches does itself."""
        counts, self._counts = self._counts, False
        try:
            yield
        finally:
            self._counts = counts

    def __torch_dispatch__(self, function, types, arguments=(), options=None):
        """Call `function` and note what it does."""
        options = options or {}
        is_view = function.is_view or torch.Tag.inplace_view in function.tags
        if not self._counts or is_view or function._overloadpacket.__name__ in _PRODUCTS:
            return function(*arguments, **options)
        if not (knows(function) or function._overloadpacket.__name__ in _TRANSFORMS):
            with self:
                output = function.decompose(*arguments, **options)
            if output is not NotImplemented:
                return output
        output = function(*arguments, **options)
        self._count(Call(function, arguments, options, output))
        return output

    def _begin(self, module, inputs):
        self._counts = True

    def _end(self, module, inputs, output):
        self._counts = False

    def _count(self, call: Call) -> None:
        if call.operator in _TRANSFORMS:
            self._fft_flops += _transform_flops(call)
        elif (work := elementwise_work(call)) is not None:
            self._elementwise[call.operator] += work.operations
            self._functions += work.functions
        else:
            name = call.operator if call.namespace == "aten" else f"{call.namespace}::{call.operator}"
            self._unknown[name] += 1


def _transform_flops(call: Call) -> int:
    """All transforms of one call together; half of them where one side is real, whose size is N."""
    side = call.result if call.operator == "_fft_c2r" else call.inputs[0]
    points = prod(side.shape[dimension] for dimension in call.value("dim"))
    flops = 5 * points * log2(points) * (side.numel() // points)
    return round(flops if call.operator == _COMPLEX_TRANSFORM else flops / 2)
