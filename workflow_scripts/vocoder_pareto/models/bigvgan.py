"""BigVGAN (Lee et al., 2023, section 3): HiFi-GAN's generator with periodic activations that do not alias.

Of HiFi-GAN V1 it keeps the convolutions. The leaky ReLUs of its residual blocks, and the one before the last
convolution, become the activation of `alias_free.py` (sections 3.2 and 3.3); before the transposed convolutions there
is none. The base has the sizes of V1 (section 3.4); the paper's large network and v2 begin with 1,536 channels and take
six steps to the rate of the audio.

From the official code (github.com/NVIDIA/BigVGAN), where the paper is silent or says otherwise:

- The activation has a β beside its α (`snakebeta`), see `alias_free.py`.
- v2, which no paper tells of, has no bias in its last convolution and clips the audio where base takes its tanh.

At 16,000 Hz, a hop of 256 and 80 bands the base has 13,953,474 parameters and 19.92 · 10⁹ multiply-accumulates per
second, v2 112,231,249 and 57.29 · 10⁹, as the official code. 3.7 % of these are filters of activations, in v2 1.6 %.

`generate` computes the activations at two phases, each at the rate of its signal, and on a CPU in channels-last memory;
`generate_plainly` by a transposed and a strided convolution, as the paper and the official code.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor, nn

from vocoder_pareto.models.alias_free import REACH, AliasFreeSnake
from vocoder_pareto.models.chunks import kernel_reach, transposed_reach
from vocoder_pareto.models.hifigan import HiFiGANArchitecture
from vocoder_pareto.models.layers import (
    ModulesOf,
    channels_last,
    normed_conv1d,
    normed_conv_transpose1d,
    require_product,
    same_padding,
)
from vocoder_pareto.models.vocoder import Generators, NoSettings, Vocoder

Activate = Callable[[AliasFreeSnake, Tensor], Tensor]
FAST: Activate = AliasFreeSnake.__call__
PLAIN: Activate = AliasFreeSnake.plainly


@dataclass(frozen=True)
class BigVGANArchitecture:
    """BigVGAN-base by default.

    Attributes:
        channels: See `HiFiGANArchitecture`, as of the next four.
        upsampling: The factors from the frame rate to the audio rate, with the product hop_length.
        upsampling_kernels: The kernel of each transposed convolution.
        residual_kernels: The kernel of each block of a fusion, odd.
        residual_dilations: The dilations of each block of a fusion, at least 1.
        bound: What keeps the audio within [-1, 1]: tanh, or in v2 clipping.
        last_bias: Whether the last convolution has a bias; v2's has none.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    channels: int = 512
    upsampling: tuple[int, ...] = (8, 8, 2, 2)
    upsampling_kernels: tuple[int, ...] = (16, 16, 4, 4)
    residual_kernels: tuple[int, ...] = (3, 7, 11)
    residual_dilations: tuple[tuple[int, ...], ...] = ((1, 3, 5), (1, 3, 5), (1, 3, 5))
    bound: Literal["tanh", "clip"] = "tanh"
    last_bias: bool = True

    def __post_init__(self) -> None:
        HiFiGANArchitecture(  # refuses what does not go together
            channels=self.channels,
            upsampling=self.upsampling,
            upsampling_kernels=self.upsampling_kernels,
            residual_kernels=self.residual_kernels,
            residual_dilations=self.residual_dilations,
        )


class PeriodicStep(nn.Module):
    """Twice an activation and a convolution, a dilated and a plain one, beside a shortcut (section 3.3, figure 1)."""

    def __init__(self, channels: int, kernel: int, dilation: int):
        super().__init__()
        self.activations = ModulesOf(AliasFreeSnake(channels) for _ in range(2))
        self.convolutions = nn.ModuleList(
            normed_conv1d(channels, channels, kernel, dilation=each, padding=same_padding(kernel, each))
            for each in (dilation, 1)
        )

    def forward(self, signal: Tensor, activate: Activate = FAST) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        inner = signal
        for activation, convolution in zip(self.activations, self.convolutions, strict=True):
            inner = convolution(activate(activation, inner))
        return inner.add_(signal)


class PeriodicFusion(nn.Module):
    """HiFi-GAN's fusion of such steps: the mean of residual blocks of several kernels and dilations."""

    def __init__(self, channels: int, architecture: BigVGANArchitecture):
        super().__init__()
        self.blocks = ModulesOf(
            ModulesOf(PeriodicStep(channels, kernel, dilation) for dilation in dilations)
            for kernel, dilations in zip(architecture.residual_kernels, architecture.residual_dilations, strict=True)
        )

    def forward(self, signal: Tensor, activate: Activate = FAST) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        fused: Any = 0
        for block in self.blocks:
            inner = signal
            for step in block:
                inner = step(inner, activate)
            fused = fused + inner
        return fused / len(self.blocks)


class BigVGAN(Vocoder):
    """Lee et al. 2023, section 3: mel-spectrogram → waveform in one pass, without noise.

    Raises:
        ValueError: The upsampling factors do not multiply to hop_length.
    """

    Architecture = BigVGANArchitecture
    architecture: BigVGANArchitecture

    def __init__(
        self,
        architecture: BigVGANArchitecture,
        sampling: NoSettings | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        require_product(architecture.upsampling, hop_length)
        channels = architecture.channels
        self.first = normed_conv1d(n_mels, channels, 7, padding=3)
        self.upsamplings, self.fusions = nn.ModuleList(), nn.ModuleList()
        for factor, kernel in zip(architecture.upsampling, architecture.upsampling_kernels, strict=True):
            self.upsamplings.append(
                normed_conv_transpose1d(channels, channels // 2, kernel, factor, padding=(kernel - factor) // 2)
            )
            channels //= 2
            self.fusions.append(PeriodicFusion(channels, architecture))
        self.activation = AliasFreeSnake(channels)
        self.last = normed_conv1d(channels, 1, 7, padding=3, bias=architecture.last_bias)

    def forward(self, mel: Tensor, activate: Activate = FAST) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T) in [-1, 1]."""
        signal = self.first(mel)
        for upsampling, fusion in zip(self.upsamplings, self.fusions, strict=True):
            signal = fusion(upsampling(signal), activate)  # (B, C, T') -> (B, C/2, T' · f)
        audio = self.last(activate(self.activation, signal)).squeeze(1)
        return audio.tanh() if self.architecture.bound == "tanh" else audio.clamp(-1, 1)

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder.generate`; nothing here is random."""
        return self(channels_last(mel))

    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: the activations as they are written down, in the usual memory layout."""
        return self(mel, PLAIN)

    def context_frames(self) -> int:
        """See `Vocoder`: the widest block of each fusion and its filters, added up over the stages."""
        architecture = self.architecture
        fusion = max(
            sum(kernel_reach(kernel, dilation) + kernel_reach(kernel) + 2 * REACH for dilation in dilations)
            for kernel, dilations in zip(architecture.residual_kernels, architecture.residual_dilations, strict=True)
        )
        reach, rate = float(kernel_reach(7)), 1
        for factor, kernel in zip(architecture.upsampling, architecture.upsampling_kernels, strict=True):
            reach += transposed_reach(kernel, factor) / rate
            rate *= factor
            reach += fusion / rate
        return math.ceil(reach + (REACH + kernel_reach(7)) / rate)
