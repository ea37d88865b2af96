"""HiFi-GAN (Kong et al., 2020): transposed convolutions, each followed by a multi-receptive field fusion.

The leaky ReLU before the last convolution has the slope of the official code (github.com/jik876/hifi-gan) and of the
study's authors, 0.01, which is PyTorch's default; all others have 0.1. The paper does not single it out. Weights that
were trained with one slope sound wrong with another: those that the official authors published need 0.01.

Table 2 of the study has V2 for S, V3 for M and V1 for L, as here. In its authors' code `small.yaml` is V3 and
`medium.yaml` is V2, so it is open which of both the MOS of S and of M in Table 1 belongs to.

Two published networks of this family differ by a detail each, which is a setting here. SpeechBrain's convolutions pad
by reflection (`padding: reflect`); those of the paper and of the official code pad by zeros. SpeechT5's (transformers)
takes the mean and the scale of each band, which lie among its weights, from its input (`normalizes_input: true`).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from vocoder_pareto.models.chunks import kernel_reach, transposed_reach
from vocoder_pareto.models.layers import (
    ChannelsLastConv1d,
    channels_last,
    normed_conv1d,
    normed_conv_transpose1d,
    require_product,
    same_padding,
)
from vocoder_pareto.models.vocoder import Generators, NoSettings, Vocoder
from vocoder_pareto.reflection import reflection_padded

LEAKY_SLOPE = 0.1


@dataclass(frozen=True)
class HiFiGANArchitecture:
    """Table 5 of the paper (appendix A): V1, V2 and V3.

    Attributes:
        channels: The number of channels at the frame rate, a multiple of 2^(number of upsamplings): each halves them.
        upsampling: The factors from the frame rate to the audio rate, at least 1, with the product hop_length.
        upsampling_kernels: The kernel of each transposed convolution; its factor, or larger by an even number.
        residual_type: "1" for pairs of a dilated and a plain convolution, "2" for dilated convolutions alone.
        residual_kernels: The kernel of each block of a fusion, odd.
        residual_dilations: The dilations of each block of a fusion, at least 1.
        last_slope: The slope of the last leaky ReLU for negative values, at least 0 and less than 1.
        padding: What the convolutions see beyond the ends of their signal: zeros, or its reflection.
        normalizes_input: Whether the network takes a mean and a scale of each band from its input.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    channels: int = 512
    upsampling: tuple[int, ...] = (8, 8, 2, 2)
    upsampling_kernels: tuple[int, ...] = (16, 16, 4, 4)
    residual_type: Literal["1", "2"] = "1"
    residual_kernels: tuple[int, ...] = (3, 7, 11)
    residual_dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    last_slope: float = 0.01
    padding: Literal["zeros", "reflect"] = "zeros"
    normalizes_input: bool = False

    def __post_init__(self) -> None:
        if not self.upsampling or len(self.upsampling) != len(self.upsampling_kernels):
            raise ValueError(
                f"upsampling {list(self.upsampling)} and upsampling_kernels {list(self.upsampling_kernels)} "
                "must have the same length, of at least 1"
            )
        for factor, kernel in zip(self.upsampling, self.upsampling_kernels, strict=True):
            if factor < 1 or kernel < factor or (kernel - factor) % 2:
                raise ValueError(
                    f"upsampling kernel {kernel} for factor {factor}; must be the factor or larger by an even number"
                )
        stages = 2 ** len(self.upsampling)
        if self.channels < 1 or self.channels % stages:
            raise ValueError(f"channels is {self.channels}; must be a multiple of {stages}, since upsampling halves it")
        if not self.residual_kernels or len(self.residual_kernels) != len(self.residual_dilations):
            raise ValueError(
                f"residual_kernels {list(self.residual_kernels)} and residual_dilations "
                f"{list(self.residual_dilations)} must have the same length, of at least 1"
            )
        if any(kernel < 1 or kernel % 2 == 0 for kernel in self.residual_kernels):
            raise ValueError(f"residual_kernels are {list(self.residual_kernels)}; must be odd")
        if any(dilation < 1 for dilations in self.residual_dilations for dilation in dilations):
            raise ValueError(f"residual_dilations are {list(self.residual_dilations)}; must be at least 1")
        if not 0 <= self.last_slope < 1:
            raise ValueError(f"last_slope is {self.last_slope}; must be at least 0 and less than 1")


class ReflectingConv1d(ChannelsLastConv1d):
    """A convolution that pads its signal by reflection, by as much as another one pads by zeros."""

    def __init__(self, *arguments, padding: int, **options):
        super().__init__(*arguments, **options)
        self.reflected = padding

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C_in, T) → (B, C_out, T)."""
        return super().forward(reflection_padded(signal, self.reflected))


def convolution_of(architecture: HiFiGANArchitecture) -> Callable[..., nn.Conv1d]:
    """What builds a weight-normalised convolution from channels, kernel, dilation and padding."""
    if architecture.padding == "zeros":
        return normed_conv1d
    return lambda *arguments, **options: weight_norm(ReflectingConv1d(*arguments, **options))


class ResidualStep(nn.Module):
    """Leaky ReLU and a dilated convolution, if `paired` then leaky ReLU and a plain one, beside a shortcut."""

    def __init__(
        self,
        channels: int,
        kernel: int,
        dilation: int,
        paired: bool,
        convolution: Callable[..., nn.Conv1d] = normed_conv1d,
    ):
        super().__init__()
        dilations = (dilation, 1) if paired else (dilation,)
        self.convolutions = nn.ModuleList(
            convolution(channels, channels, kernel, dilation=each, padding=same_padding(kernel, each))
            for each in dilations
        )

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        first, *rest = self.convolutions
        inner = first(functional.leaky_relu(signal, LEAKY_SLOPE))
        for convolution in rest:
            inner = convolution(functional.leaky_relu(inner, LEAKY_SLOPE, inplace=True))
        return inner.add_(signal)


class Fusion(nn.Module):
    """Multi-receptive field fusion (section 2.3): the mean of residual blocks of several kernels and dilations."""

    def __init__(self, channels: int, architecture: HiFiGANArchitecture):
        super().__init__()
        paired, convolution = architecture.residual_type == "1", convolution_of(architecture)
        self.blocks = nn.ModuleList(
            nn.Sequential(*(ResidualStep(channels, kernel, dilation, paired, convolution) for dilation in dilations))
            for kernel, dilations in zip(architecture.residual_kernels, architecture.residual_dilations, strict=True)
        )

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        return sum(block(signal) for block in self.blocks) / len(self.blocks)


class HiFiGAN(Vocoder):
    """Kong et al. 2020, section 2.3: mel-spectrogram → waveform in one pass, without noise.

    Raises:
        ValueError: The upsampling factors do not multiply to hop_length.
    """

    Architecture = HiFiGANArchitecture
    architecture: HiFiGANArchitecture
    mean: Tensor
    scale: Tensor

    def __init__(
        self,
        architecture: HiFiGANArchitecture,
        sampling: NoSettings | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        require_product(architecture.upsampling, self.steps_per_frame)
        channels, convolution = architecture.channels, convolution_of(architecture)
        if architecture.normalizes_input:
            self.register_buffer("mean", torch.zeros(n_mels))
            self.register_buffer("scale", torch.ones(n_mels))
        self.first = convolution(n_mels, channels, 7, padding=3)
        self.upsamplings, self.fusions = nn.ModuleList(), nn.ModuleList()
        for factor, kernel in zip(architecture.upsampling, architecture.upsampling_kernels, strict=True):
            upsampling, channels = self.upsampling(channels, factor, kernel)
            self.upsamplings.append(upsampling)
            self.fusions.append(Fusion(channels, architecture))
        self.last = convolution(channels, self.outputs, 7, padding=3)

    @property
    def steps_per_frame(self) -> int:
        """How many steps of the last convolution a frame has; here each is a sample."""
        return self.hop_length

    @property
    def outputs(self) -> int:
        """The channels of the last convolution."""
        return 1

    def upsampling(self, channels: int, factor: int, kernel: int) -> tuple[nn.Module, int]:
        """What raises the rate of a signal of `channels` channels by `factor`, and the channels that it leaves."""
        halved = channels // 2
        return normed_conv_transpose1d(channels, halved, kernel, factor, padding=(kernel - factor) // 2), halved

    def upsampled(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → what the last convolution takes in, (B, C, L · steps_per_frame)."""
        if self.architecture.normalizes_input:
            mel = (mel - self.mean[:, None]) / self.scale[:, None]
        signal = self.first(mel)
        for upsampling, fusion in zip(self.upsamplings, self.fusions, strict=True):
            if not isinstance(upsampling, nn.Identity):
                signal = upsampling(functional.leaky_relu(signal, LEAKY_SLOPE))  # (B, C, T') -> (B, C/2, T' · f)
            signal = fusion(signal)
        return functional.leaky_relu(signal, self.architecture.last_slope)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T) in [-1, 1]."""
        return self.last(self.upsampled(mel)).tanh().squeeze(1)

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder.generate`; nothing here is random."""
        return self(channels_last(mel))

    def context_frames(self) -> int:
        """See `Vocoder`."""
        return math.ceil(self.reach())

    def reach(self) -> float:
        """How many frames on each side the last convolution sees: the widest blocks of all fusions, added up."""
        architecture = self.architecture
        fusion = max(
            sum(kernel_reach(kernel, dilation) + kernel_reach(kernel) for dilation in dilations)
            if architecture.residual_type == "1"
            else sum(kernel_reach(kernel, dilation) for dilation in dilations)
            for kernel, dilations in zip(architecture.residual_kernels, architecture.residual_dilations, strict=True)
        )
        reach, rate = float(kernel_reach(7)), 1
        for factor, kernel in zip(architecture.upsampling, architecture.upsampling_kernels, strict=True):
            reach += transposed_reach(kernel, factor) / rate
            rate *= factor
            reach += fusion / rate
        return reach + kernel_reach(7) / rate

    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: `forward` in the usual memory layout."""
        return self(mel)
