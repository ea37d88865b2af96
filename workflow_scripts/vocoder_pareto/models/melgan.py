"""MelGAN (Kumar et al., 2019): transposed convolutions, each followed by a stack of dilated residual blocks.

The residual blocks pad by reflection, as the convolutions at both ends do; the paper does not say how they pad. So do
the official code (github.com/descriptinc/melgan-neurips) and that of the study's authors, whose generators are alike.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor, nn

from vocoder_pareto.models.chunks import kernel_reach, transposed_reach
from vocoder_pareto.models.layers import channels_last, normed_conv1d, normed_conv_transpose1d, require_product
from vocoder_pareto.models.vocoder import Generators, NoSettings, Vocoder
from vocoder_pareto.reflection import reflection_padded

LEAKY_SLOPE = 0.2


@dataclass(frozen=True)
class MelGANArchitecture:
    """Size of the generator.

    Attributes:
        channels: The number of channels at the audio rate, at least 1; towards the frame rate each upsampling doubles
            them.
        residual_layers: The number of residual blocks after each upsampling, at least 0, with dilations 1, 3, 9, …
        upsampling: The factors from the frame rate to the audio rate, at least 2, with the product hop_length.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    channels: int = 32
    residual_layers: int = 3
    upsampling: tuple[int, ...] = (8, 8, 2, 2)

    def __post_init__(self) -> None:
        if self.channels < 1 or self.residual_layers < 0:
            raise ValueError(
                f"channels is {self.channels}, residual_layers {self.residual_layers}; must be at least 1 and 0"
            )
        if not self.upsampling or min(self.upsampling) < 2:
            raise ValueError(f"upsampling is {list(self.upsampling)}; must be one or more factors of at least 2")


class ReflectionPad(nn.Module):
    """Padding by `amount` samples of reflection on both sides, see `reflection_padded`."""

    def __init__(self, amount: int):
        super().__init__()
        self.amount = amount

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T + 2 · amount)."""
        return reflection_padded(signal, self.amount)


class ResidualBlock(nn.Module):
    """Section 2.2 and appendix A: two convolutions, of kernels 3 (dilated) and 1, beside a shortcut of kernel 1."""

    def __init__(self, channels: int, dilation: int):
        super().__init__()
        self.block = nn.Sequential(
            nn.LeakyReLU(LEAKY_SLOPE),
            ReflectionPad(dilation),
            normed_conv1d(channels, channels, 3, dilation=dilation),
            nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            normed_conv1d(channels, channels, 1),
        )
        self.shortcut = normed_conv1d(channels, channels, 1)

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T)."""
        return self.shortcut(signal).add_(self.block(signal))


def melgan_layers(
    n_mels: int, channels: int, upsampling: Sequence[int], residual_layers: int, outputs: int = 1
) -> nn.Sequential:
    """The layers of section 2 and appendix A: (B, M, L) → (B, outputs, L · ∏ upsampling) in [-1, 1].

    Args:
        n_mels: M.
        channels: The channels at the frame rate; each upsampling halves them.
        upsampling: The factors.
        residual_layers: The number of residual blocks after each upsampling, with dilations 1, 3, 9, …
        outputs: The number of signals at the end.
    """
    layers: list[nn.Module] = [ReflectionPad(3), normed_conv1d(n_mels, channels, 7)]
    for factor in upsampling:
        layers += [
            nn.LeakyReLU(LEAKY_SLOPE, inplace=True),
            normed_conv_transpose1d(
                channels, channels // 2, 2 * factor, factor, padding=(factor + 1) // 2, output_padding=factor % 2
            ),
        ]
        channels //= 2
        layers += [ResidualBlock(channels, 3**index) for index in range(residual_layers)]
    layers += [nn.LeakyReLU(LEAKY_SLOPE, inplace=True), ReflectionPad(3), normed_conv1d(channels, outputs, 7)]
    return nn.Sequential(*layers, nn.Tanh())


def melgan_reach(upsampling: Sequence[int], residual_layers: int) -> float:
    """How many frames on each side `melgan_layers` see, not rounded."""
    reach, rate = float(kernel_reach(7)), 1
    for factor in upsampling:
        reach += transposed_reach(2 * factor, factor) / rate
        rate *= factor
        reach += sum(kernel_reach(3, 3**index) for index in range(residual_layers)) / rate
    return reach + kernel_reach(7) / rate


class MelGAN(Vocoder):
    """Kumar et al. 2019, section 2: mel-spectrogram → waveform in one pass, without noise.

    Raises:
        ValueError: The upsampling factors do not multiply to hop_length.
    """

    Architecture = MelGANArchitecture
    architecture: MelGANArchitecture

    def __init__(
        self,
        architecture: MelGANArchitecture,
        sampling: NoSettings | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        require_product(architecture.upsampling, hop_length)
        channels = architecture.channels * 2 ** len(architecture.upsampling)
        self.layers = melgan_layers(n_mels, channels, architecture.upsampling, architecture.residual_layers)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T) in [-1, 1]."""
        return self.layers(mel).squeeze(1)

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder.generate`; nothing here is random."""
        return self(channels_last(mel))

    def context_frames(self) -> int:
        """See `Vocoder`: the reach of all residual blocks, one after the other, and of the convolutions around them."""
        return math.ceil(melgan_reach(self.architecture.upsampling, self.architecture.residual_layers))

    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: `forward` in the usual memory layout."""
        return self(mel)
