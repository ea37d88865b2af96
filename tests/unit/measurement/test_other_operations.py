"""Fourier transforms and operations element by element, against definitions that are carried out number by number."""

import math
from collections import Counter
from itertools import pairwise
from typing import ClassVar

import pytest
import torch
from small_vocoder import SMALL
from torch import nn
from torch.nn import functional

from vocoder_pareto.measurement.complexity import measure_complexity
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.measurement.other_operations import OtherOperations
from vocoder_pareto.models.vocoder import NoSettings, Vocoder
from vocoder_pareto.study.sections.measurement import PublishedConvention


class Number:
    """A real number that notes each operation that is done with it; a function is one."""

    done: ClassVar[Counter[str]] = Counter()

    def __init__(self, value):
        self.value = float(value)

    def _with(self, other, name, result):
        Number.done[name] += 1
        return Number(result(self.value, other.value if isinstance(other, Number) else other))

    def __add__(self, other):
        return self._with(other, "operation", lambda a, b: a + b)

    def __sub__(self, other):
        return self._with(other, "operation", lambda a, b: a - b)

    def __mul__(self, other):
        return self._with(other, "operation", lambda a, b: a * b)

    def __truediv__(self, other):
        return self._with(other, "operation", lambda a, b: a / b)

    def __gt__(self, other):
        return self._with(other, "operation", lambda a, b: a > b).value

    __rmul__ = __mul__


def function(of):
    def value(x):
        Number.done["operation"] += 1
        Number.done["function"] += 1
        return Number(of(x.value))

    return value


exp, log, sin, cos, tanh, erf = map(function, (math.exp, math.log, math.sin, math.cos, math.tanh, math.erf))
root, sigmoid = function(math.sqrt), function(lambda x: 1 / (1 + math.exp(-x)))


def total(numbers):
    first, *others = numbers
    for other in others:
        first = first + other
    return first


def largest(numbers):
    first, *others = numbers
    for other in others:
        first = first if first > other else other
    return first


def mean(numbers):
    return total(numbers) / len(numbers)


def chosen(condition, one, other):
    """Both are computed, as where a processor does many numbers at a time."""
    return one if condition else other


def each(of):
    return lambda *rows: [of(*numbers) for numbers in zip(*rows, strict=True)]


def normalised(row, weights=None, biases=None):
    centre = mean(row)
    centred = [x - centre for x in row]
    deviation = root(mean([x * x for x in centred]) + 1e-5)
    result = [x / deviation for x in centred]
    if weights is not None:
        result = [x * w + b for x, w, b in zip(result, weights, biases, strict=True)]
    return result


def softmax(row):
    top = largest(row)
    powers = [exp(x - top) for x in row]
    whole = total(powers)
    return [power / whole for power in powers]


def log_softmax(row):
    top = largest(row)
    shifted = [x - top for x in row]
    whole = log(total([exp(x) for x in shifted]))
    return [x - whole for x in shifted]


def variance(row):
    centre = mean(row)
    centred = [x - centre for x in row]
    return [mean([x * x for x in centred])]


def doubled(row):
    """By linear interpolation at the quarters between neighbours; the ends are repeated."""
    padded = [row[0], *row, row[-1]]
    places = [(a, b, near) for a, b in pairwise(padded) for near in (0.75, 0.25)]
    return [a * near + b * (1 - near) for a, b, near in places[1:-1]]


def snake(x, a):
    wave = sin(a * x)
    return x + wave * wave / a


def gelu_by_tanh(x):
    return 0.5 * x * (1 + tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * (x * x * x))))


class Watched(nn.Module):
    def __init__(self, compute):
        super().__init__()
        self.compute = compute

    def forward(self, *inputs):
        return self.compute(*inputs)


def watched(compute, *inputs):
    module = Watched(compute)
    others = OtherOperations(module)
    with torch.no_grad(), others:
        output = module(*inputs)
    return output, others.work


Number.__radd__ = Number.__add__
ROOT_HALF = 1 / math.sqrt(2)
DEFINITIONS = {
    "leaky ReLU": (lambda x: functional.leaky_relu(x, 0.2), each(lambda x: chosen(x > 0, x, 0.2 * x))),
    "leaky ReLU in place": (
        lambda x: functional.leaky_relu_(x.clone(), 0.2), each(lambda x: chosen(x > 0, x, 0.2 * x)),
    ),
    "PReLU": (lambda x: functional.prelu(x, torch.tensor([0.3])), each(lambda x: chosen(x > 0, x, 0.3 * x))),
    "ELU": (functional.elu, each(lambda x: chosen(x > 0, x, 1.0 * (exp(x) - 1)))),
    "SiLU": (functional.silu, each(lambda x: x * sigmoid(x))),
    "GELU": (functional.gelu, each(lambda x: 0.5 * x * (1 + erf(x * ROOT_HALF)))),
    "GELU by tanh": (lambda x: functional.gelu(x, approximate="tanh"), each(gelu_by_tanh)),
    "softplus": (functional.softplus, each(lambda x: log(1 + exp(x)))),
    "Mish": (functional.mish, each(lambda x: x * tanh(log(1 + exp(x))))),
    "gate": (lambda x, y: torch.tanh(x) * torch.sigmoid(y), each(lambda x, y: tanh(x) * sigmoid(y))),
    "Snake": (lambda x, a: x + torch.sin(a * x).pow(2) / a, each(snake)),
    "cube": (lambda x: x**3, each(lambda x: x * x * x)),
    "scaled sum": (lambda x, y: torch.add(x, y, alpha=2), each(lambda x, y: x + 2 * y)),
    "sum of products": (lambda x, y: torch.addcmul(x, x, y), each(lambda x, y: x + x * y)),
    "sum": (lambda x: x.sum(0, keepdim=True), lambda row: [total(row)]),
    "largest": (lambda x: x.amax(0, keepdim=True), lambda row: [largest(row)]),
    "mean": (lambda x: x.mean(0, keepdim=True), lambda row: [mean(row)]),
    "variance": (lambda x: x.var(0, correction=0, keepdim=True), variance),
    "norm": (lambda x: torch.linalg.vector_norm(x)[None], lambda row: [root(total([x * x for x in row]))]),
    "softmax": (lambda x: x.softmax(0), softmax),
    "log-softmax": (lambda x: x.log_softmax(0), log_softmax),
    "layer norm": (lambda x, w, b: functional.layer_norm(x, (6,), w, b), normalised),
    "group norm": (lambda x: functional.group_norm(x[None, :, None], 1)[0, :, 0], normalised),
    "linear interpolation": (
        lambda x: functional.interpolate(x[None, None], scale_factor=2, mode="linear")[0, 0], doubled,
    ),
    "interpolation in one direction of two": (
        lambda x: functional.interpolate(x[None, None, None], scale_factor=(1, 2), mode="bilinear")[0, 0, 0], doubled,
    ),
    "repetition": (lambda x: functional.interpolate(x[None, None], scale_factor=1)[0, 0], lambda row: row),
    "mean of a pool": (
        lambda x: functional.avg_pool1d(x[None], 2)[0],
        lambda row: [mean(row[start : start + 2]) for start in range(0, 6, 2)],
    ),
    "largest of a pool": (
        lambda x: functional.max_pool2d(x[None, None], (1, 3))[0, 0], lambda row: [largest(row[:3]), largest(row[3:])],
    ),
    "complex product": (
        lambda a, b, c, d: torch.view_as_real(torch.complex(a, b) * torch.complex(c, d)).flatten(),
        lambda *rows: [part for a, b, c, d in zip(*rows, strict=True) for part in (a * c - b * d, a * d + b * c)],
    ),
    "complex magnitude": (lambda a, b: torch.complex(a, b).abs(), each(lambda a, b: root(a * a + b * b))),
    "polar form": (
        lambda r, phi: torch.view_as_real(torch.polar(r, phi)).flatten(),
        lambda *rows: [part for r, phi in zip(*rows, strict=True) for part in (r * cos(phi), r * sin(phi))],
    ),
}  # fmt: skip
ROWS = {
    "gate": 2, "Snake": 2, "scaled sum": 2, "sum of products": 2, "layer norm": 3, "complex product": 4,
    "complex magnitude": 2, "polar form": 2,
}  # fmt: skip


@pytest.mark.parametrize("name", DEFINITIONS)
def test_an_operator_counts_as_its_definition_does_which_gives_the_same_numbers(name):
    """The outside is the definition, carried out with numbers that note each operation."""
    compute, definition = DEFINITIONS[name]
    source = torch.Generator().manual_seed(3)
    rows = [torch.rand(6, generator=source) + 0.1 for _ in range(ROWS.get(name, 1))]
    Number.done.clear()
    expected = definition(*([Number(x) for x in row] for row in rows))
    output, work = watched(compute, *rows)
    torch.testing.assert_close(output, torch.tensor([number.value for number in expected]))
    assert (work.elementwise_operations, work.elementary_functions) == (
        Number.done["operation"], Number.done["function"],
    )  # fmt: skip
    assert (work.unknown, work.fft_flops) == ({}, 0)


@pytest.mark.parametrize("points", [16, 1024, 600])
def test_a_transform_counts_by_the_convention_of_fftw(points):
    """5 N log2 N for complex numbers and half of it for real ones, in both directions, for each of 3 clips."""
    complex_flops = 5 * points * math.log(points, 2)
    real = torch.rand(3, points)
    for compute, signal, flops in (
        (torch.fft.rfft, real, complex_flops / 2),
        (lambda x: torch.fft.irfft(x, points), torch.fft.rfft(real), complex_flops / 2),
        (torch.fft.fft, torch.complex(real, real), complex_flops),
        (torch.fft.ifft, torch.complex(real, real), complex_flops),
    ):
        assert watched(compute, signal)[1].fft_flops == round(3 * flops)


def test_a_transform_in_the_plane_has_the_points_of_the_plane():
    flops = watched(torch.fft.fft2, torch.rand(2, 8, 16, dtype=torch.complex64))[1].fft_flops
    assert flops == 2 * 5 * 128 * 7


class Spectral(Vocoder):
    """A layer of one tap to magnitudes and phases, and the inverse of a short-time Fourier transform, as in Vocos."""

    Architecture = NoSettings

    def __init__(self, n_fft=16, hop_length=4):
        super().__init__(NoSettings(), n_mels=6, hop_length=hop_length)
        self.n_fft = n_fft
        self.layer = nn.Conv1d(6, n_fft + 2, 1)
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)

    def generate(self, mel, generator=None):
        magnitude, phase = self.layer(mel).chunk(2, 1)
        spectrum = torch.polar(magnitude.exp(), phase)
        padded = torch.cat([spectrum, spectrum[..., -1:]], -1)
        return torch.istft(padded, self.n_fft, self.hop_length, window=self.window)


def test_an_inverse_short_time_transform_counts_its_transforms_window_and_overlap_add():
    frames, points, hop = 10, 16, 4
    operations = count_operations(Spectral(), frames)
    spectra = frames + 1
    assert operations.macs == 6 * (points + 2) * frames
    assert operations.others.fft_flops == spectra * 2.5 * points * 4
    length = points + hop * (spectra - 1)
    weighted = spectra * points  # spectra times window; their sum; the sum of the squares of the window
    bins = (points // 2 + 1) * frames
    assert operations.others.elementwise_operations == (
        (1 + 4) * bins  # exponential and polar form
        + 3 * weighted + points  # and the squares themselves
        + 3 * (length - points) + 1  # a quotient, and whether one divides by nothing: magnitude, least, two comparisons
    )  # fmt: skip
    assert operations.others.elementary_functions == 3 * bins
    assert operations.others.unknown == {}


def test_operators_that_are_not_taken_apart_in_inference_mode_are_counted_by_their_parts():
    signal = torch.rand(1, 200)

    def compute(x):
        return torch.stft(functional.pad(x, (3, 4)), 16, 4, window=torch.ones(16), return_complex=True)

    def within(x):
        with torch.inference_mode():
            return compute(x)

    apart, whole = watched(compute, signal)[1], watched(within, signal)[1]
    assert (whole.fft_flops, whole.elementwise_operations) == (apart.fft_flops, apart.elementwise_operations)
    assert whole.fft_flops == (1 + 207 // 4) * 2.5 * 16 * 4
    assert whole.unknown == {}


def test_numbers_that_are_drawn_are_one_function_each_and_what_is_copied_nothing():
    assert watched(lambda x: torch.randn(5, 7), torch.ones(1))[1].elementary_functions == 35
    moved = watched(lambda x: torch.cat([x.flip(0), x.repeat(2), functional.pad(x, (1, 1))]), torch.ones(4))[1]
    assert (moved.elementwise_operations, moved.unknown) == (0, {})


@torch.library.custom_op("vocoder_pareto_tests::halved", mutates_args=())
def halved(x: torch.Tensor) -> torch.Tensor:
    return x / 2


@halved.register_fake
def _(x):
    return torch.empty_like(x)


class Sorting(Vocoder):
    Architecture = NoSettings

    def __init__(self, architecture=None, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)
        self.layer = nn.ConvTranspose1d(n_mels, 1, hop_length, stride=hop_length)

    def generate(self, mel, generator=None):
        return halved(self.layer(mel).squeeze(1)).tanh().sort().values


def test_an_operator_that_no_rule_knows_is_named_and_leaves_the_number_unknown(caplog):
    system = type(SMALL)("sorting", "S", "tests/unit/measurement/test_other_operations.py:Sorting")
    record = measure_complexity(system, PublishedConvention(), clip_seconds=0.16)
    assert record["counters"]["unknown_operators"] == {"vocoder_pareto_tests::halved": 1, "sort": 1}
    assert (record["gflops_fft"], record["gflops_elementwise"]) == (None, None)
    assert record["counters"]["elementwise_by_operator"] == {"tanh": 2560}
    assert record["flops"] == 2 * 80 * 2560
    assert "no rule knows vocoder_pareto_tests::halved, sort" in caplog.text


def test_operations_of_a_small_vocoder_beside_its_products_by_hand():
    record = measure_complexity(SMALL, PublishedConvention(), clip_seconds=0.16)  # 10 frames, 2560 samples
    leaky, last = 2 * (4 * 10 + 2 * 2560), 2560
    bias = 2 * 2560  # of the first linear layer, whose input is transposed: PyTorch adds it afterwards
    assert record["gflops_elementwise"] == pytest.approx((leaky + bias + last) / 0.16 / 1e9)
    assert record["gflops_fft"] == 0
    assert record["counters"]["elementwise_by_operator"] == {"leaky_relu": leaky, "add": bias, "tanh": last}
    assert record["counters"]["elementary_functions"] == last
    assert record["counters_plain"]["elementwise_operations"] == leaky + bias + last


class Oscillator(Vocoder):
    Architecture = NoSettings

    def generate(self, mel, generator=None):
        return torch.sin(mel.mean(1)).repeat_interleave(self.hop_length, 1)


def test_a_vocoder_of_elementwise_operations_alone_has_no_flops_but_these():
    operations = count_operations(Oscillator(NoSettings(), n_mels=6, hop_length=2), 10)
    assert operations.macs == 0
    assert operations.from_shapes
    assert dict(operations.others.elementwise) == {"mean": 60, "sin": 10}


class OutsideOfPyTorch(Vocoder):
    Architecture = NoSettings

    def __init__(self, architecture=None, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)

    def generate(self, mel, generator=None):
        return torch.from_numpy(mel.numpy().mean(1).repeat(self.hop_length, 1)).clamp(-1, 1)


def test_what_is_done_outside_of_pytorch_is_unknown_and_not_nothing():
    system = type(SMALL)("numpy", "S", "tests/unit/measurement/test_other_operations.py:OutsideOfPyTorch")
    record = measure_complexity(system, PublishedConvention(), clip_seconds=0.16)
    assert (record["gflops_fft"], record["gflops_elementwise"]) == (None, None)
