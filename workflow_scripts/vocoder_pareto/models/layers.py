"""Layers that several families share."""

import math
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Generic, Self, TypeVar, overload

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

Kind = TypeVar("Kind", bound=nn.Module)
# Asked once: a compiler cannot follow the question, and would compile what comes after it anew at every call.
AUTOCAST_DEVICES = frozenset(kind for kind in ("cpu", "cuda", "mps", "xpu") if torch.amp.is_autocast_available(kind))


class ModulesOf(nn.ModuleList, Generic[Kind]):
    """An `nn.ModuleList` of modules of one class, which type checkers then know; it works as its parent does."""

    if TYPE_CHECKING:

        def __init__(self, modules: Iterable[Kind] = ()) -> None: ...
        def __iter__(self) -> Iterator[Kind]: ...
        @overload
        def __getitem__(self, idx: slice) -> Self: ...
        @overload
        def __getitem__(self, idx: int) -> Kind: ...
        def __getitem__(self, idx): ...


def normed_conv1d(*arguments, **options) -> nn.Conv1d:
    """A weight-normalised convolution that keeps the memory layout of its signal; takes what `nn.Conv1d` takes.

    Source: Salimans & Kingma (2016).
    """
    return weight_norm(ChannelsLastConv1d(*arguments, **options))


def normed_conv_transpose1d(*arguments, **options) -> nn.ConvTranspose1d:
    """The transposed convolution beside `normed_conv1d`; takes what `nn.ConvTranspose1d` takes.

    Its scales are one per input channel (dimension 0 of the weight).
    """
    return weight_norm(ChannelsLastConvTranspose1d(*arguments, **options))


def normed_conv2d(*arguments, **options) -> nn.Conv2d:
    """A weight-normalised `nn.Conv2d`, built from what that takes."""
    return weight_norm(nn.Conv2d(*arguments, **options))


def bias_of(convolution: nn.Conv1d | nn.Conv2d) -> Tensor:
    """The bias (C_out,) of a convolution that has one.

    Raises:
        ValueError: The convolution was built without a bias.
    """
    if convolution.bias is None:
        raise ValueError(f"{convolution} has no bias")
    return convolution.bias


def same_padding(kernel_size: int, dilation: int = 1) -> int:
    """Zeros on each side that keep the length of an odd, dilated, unstrided convolution."""
    return dilation * (kernel_size - 1) // 2


def require_product(upsampling: Sequence[int], hop_length: int) -> None:
    """Refuse upsampling factors that do not bring frames to the rate of the audio.

    Raises:
        ValueError: The product of `upsampling` is not `hop_length`.
    """
    if math.prod(upsampling) != hop_length:
        raise ValueError(
            f"upsampling {list(upsampling)} multiplies to {math.prod(upsampling)}; "
            f"the product must be hop_length, {hop_length}"
        )


class ChannelsLastConv1d(nn.Conv1d):
    """An `nn.Conv1d` that keeps a signal in channels-last memory (see `channels_last`) in that layout.

    It runs as a convolution of height 1, since `nn.Conv1d` itself copies such a signal to the usual layout and back.
    """

    bias: Tensor  # no layer of this project is built without one

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C_in, T) → (B, C_out, T'), in the memory layout of `signal`."""
        return functional.conv2d(
            signal.unsqueeze(2),
            self.weight.unsqueeze(2),
            self.bias,
            stride=(1, *self.stride),
            padding=(0, *self.padding),
            dilation=(1, *self.dilation),
            groups=self.groups,
        ).squeeze(2)


class ChannelsLastConvTranspose1d(nn.ConvTranspose1d):
    """An `nn.ConvTranspose1d` that keeps the memory layout of its signal, as `ChannelsLastConv1d` does."""

    def forward(self, signal: Tensor) -> Tensor:  # type: ignore[override]  # no layer here asks for an output_size
        """(B, C_in, T) → (B, C_out, T'), in the memory layout of `signal`."""
        return functional.conv_transpose2d(
            signal.unsqueeze(2),
            self.weight.unsqueeze(2),
            self.bias,
            stride=(1, *self.stride),
            padding=(0, *self.padding),
            output_padding=(0, *self.output_padding),
            groups=self.groups,
            dilation=(1, *self.dilation),
        ).squeeze(2)


def channels_last(signal: Tensor) -> Tensor:
    """The same (B, C, T), on a CPU stored as (B, T, C), which saves convolutions a reordering before and after.

    Dilated convolutions take 1.1 to 1.5 times less time so; on other devices it is stored as usual.
    """
    return signal.transpose(1, 2).contiguous().transpose(1, 2) if signal.device.type == "cpu" else signal.contiguous()


def without_autocast(signal: Tensor) -> AbstractContextManager:
    """Compute with `signal` in its own type where networks around compute in a reduced one."""
    kind = signal.device.type
    return torch.autocast(kind, enabled=False) if kind in AUTOCAST_DEVICES else nullcontext()


def at_least_single(signal: Tensor) -> Tensor:
    """`signal` in single precision, if it was in a reduced one; Fourier transforms know no bfloat16."""
    return signal.float() if signal.dtype in (torch.float16, torch.bfloat16) else signal


class MelUpsampler(nn.Module):
    """Transposed convolutions over time and bands that bring a mel-spectrogram to the rate of the waveform.

    Args:
        factors: The stride of each convolution along the frames; even, and together T / L.

    Source: ClariNet (Ping et al., 2019), from where DiffWave and WaveFlow took it.
    """

    def __init__(self, factors: tuple[int, ...]):
        super().__init__()
        self.convolutions = nn.ModuleList(
            nn.ConvTranspose2d(1, 1, (3, 2 * factor), stride=(1, factor), padding=(1, factor // 2))
            for factor in factors
        )

    def forward(self, mel: Tensor) -> Tensor:
        """(B, M, L) → (B, M, T)."""
        image = mel.unsqueeze(1)
        for convolution in self.convolutions:
            image = functional.leaky_relu(convolution(image), 0.4)
        return image.squeeze(1)
