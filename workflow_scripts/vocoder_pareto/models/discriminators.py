"""Discriminators of MelGAN and HiFi-GAN: convolutions over the raw, the averaged and the folded waveform.

Each returns, per sub-discriminator, its scores and the feature maps of its hidden layers.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import spectral_norm, weight_norm

PERIODS = (2, 3, 5, 7, 11)  # of HiFi-GAN, in samples
SCALE_NORMS = (spectral_norm, weight_norm, weight_norm)  # of HiFi-GAN's scales, from the full rate downwards


def require_periods(periods: Sequence[int], name: str) -> None:
    """Refuse periods that nothing can be folded by.

    Raises:
        ValueError: There is none, or one is less than 1; the message calls them `name`.
    """
    if not periods or min(periods) < 1:
        raise ValueError(f"{name} is {list(periods)}; must be one or more periods of at least 1 sample")


@dataclass(frozen=True)
class Judgement:
    """What a sub-discriminator says.

    Attributes:
        scores: The scores of patches of the audio, (B, T'); higher ones mean that it takes them for real.
        features: The outputs of its hidden layers, each (B, C, …).
        matches_scores: Whether feature matching compares the scores, too.
    """

    scores: Tensor
    features: tuple[Tensor, ...]
    matches_scores: bool = True

    @property
    def layers(self) -> tuple[Tensor, ...]:
        """What feature matching compares: the outputs of hidden layers, then the scores unless left out."""
        return (*self.features, self.scores) if self.matches_scores else self.features


@dataclass(frozen=True)
class ConvolutionSettings:
    """The settings of one layer.

    Attributes:
        channels: The number of output channels.
        kernel: The size of the kernel, odd.
        stride: The stride of the convolution, at least 1.
        groups: The number of groups, a divisor of input and output channels.
        padding_mode: What both ends are continued with, by half a kernel.
    """

    channels: int
    kernel: int
    stride: int = 1
    groups: int = 1
    padding_mode: Literal["zeros", "reflect"] = "zeros"


class ConvolutionStack(nn.Module):
    """Convolutions with leaky ReLU between them; the last layer gives the scores.

    Args:
        layers: The settings of the convolutions, from the audio on; the last has one channel.
        slope: The slope of the leaky ReLUs for negative values.
        norm: The parametrisation of each convolution, `weight_norm` or `spectral_norm`.
    """

    def __init__(
        self,
        layers: Sequence[ConvolutionSettings],
        slope: float,
        norm: Callable[[nn.Module], nn.Module] = weight_norm,
    ):
        super().__init__()
        self.slope = slope
        widths = [1, *(layer.channels for layer in layers)]
        self.convolutions = nn.ModuleList(
            norm(self._convolution(width, layer)) for width, layer in zip(widths, layers, strict=False)
        )

    @staticmethod
    def _convolution(width: int, layer: ConvolutionSettings) -> nn.Module:
        return nn.Conv1d(
            width,
            layer.channels,
            layer.kernel,
            layer.stride,
            padding=layer.kernel // 2,
            groups=layer.groups,
            padding_mode=layer.padding_mode,
        )

    def forward(self, signal: Tensor) -> Judgement:
        """(B, 1, T) → scores (B, T') and features (B, C, T'')."""
        features = []
        *hidden, last = self.convolutions
        for convolution in hidden:
            signal = functional.leaky_relu(convolution(signal), self.slope)
            features.append(signal)
        return Judgement(last(signal).flatten(1), tuple(features))


class FoldedStack(ConvolutionStack):
    """The same over a waveform folded into columns of one period, in samples (HiFi-GAN, section 2.4)."""

    def __init__(self, layers: Sequence[ConvolutionSettings], slope: float, period: int):
        super().__init__(layers, slope)
        self.period = period

    @staticmethod
    def _convolution(width: int, layer: ConvolutionSettings) -> nn.Module:
        return nn.Conv2d(width, layer.channels, (layer.kernel, 1), (layer.stride, 1), padding=(layer.kernel // 2, 0))

    def forward(self, signal: Tensor) -> Judgement:
        """(B, 1, T) → scores (B, T') and features (B, C, T'', period)."""
        missing = -signal.shape[-1] % self.period
        folded = functional.pad(signal, (0, missing), mode="reflect").unflatten(-1, (-1, self.period))
        return super().forward(folded)


class MultiScaleDiscriminator(nn.Module):
    """Equal stacks at the full rate and at rates halved by average pooling.

    Args:
        stacks: The stacks, one per scale, from the full rate downwards.
        pooling: The pooling between neighbouring scales.
    """

    def __init__(self, stacks: Sequence[ConvolutionStack], pooling: nn.AvgPool1d):
        super().__init__()
        self.stacks = nn.ModuleList(stacks)
        self.pooling = pooling

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Audio (B, T) → a judgement per scale."""
        signal, judgements = audio.unsqueeze(1), []
        for index, stack in enumerate(self.stacks):
            signal = self.pooling(signal) if index else signal
            judgements.append(stack(signal))
        return judgements


class MultiPeriodDiscriminator(nn.Module):
    """HiFi-GAN, section 2.4 and appendix: stacks over the waveform folded by periods, in samples, that are prime.

    Args:
        periods: The periods.
        slope: The slope of the leaky ReLUs for negative values.
        channels: The channels of the widest layers, a multiple of all `parts`.
        parts: By what that is divided in the first four layers, which have strides.
    """

    def __init__(
        self,
        periods: Sequence[int] = PERIODS,
        slope: float = 0.1,
        channels: int = 1024,
        parts: Sequence[int] = (32, 8, 2, 1),
    ):
        super().__init__()
        strided = [ConvolutionSettings(channels // part, 5, 3) for part in parts]
        layers = [*strided, ConvolutionSettings(channels, 5), ConvolutionSettings(1, 3)]
        self.stacks = nn.ModuleList(FoldedStack(layers, slope, period) for period in periods)

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Audio (B, T) → a judgement per period."""
        return [stack(audio.unsqueeze(1)) for stack in self.stacks]


class JointDiscriminator(nn.Module):
    """Several discriminators that judge the same audio."""

    def __init__(self, *discriminators: nn.Module):
        super().__init__()
        self.discriminators = nn.ModuleList(discriminators)

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Audio (B, T) → the judgements of all."""
        return [judgement for discriminator in self.discriminators for judgement in discriminator(audio)]


def melgan_discriminator(
    channels: int = 16, scales: int = 3, layers: int = 4, factor: int = 4, most_channels: int = 1024
) -> nn.Module:
    """MelGAN's discriminator (appendix A): `scales` stacks of `layers` grouped convolutions that downsample.

    Each of these multiplies the channels by `factor`, up to `most_channels`. The first layer pads by reflection and all
    others with zeros, as the official code and that of the study's authors.
    """
    stack = [ConvolutionSettings(channels, 15, padding_mode="reflect")]
    for _ in range(layers):
        width = stack[-1].channels
        wider = min(width * factor, most_channels)
        stack.append(ConvolutionSettings(wider, 10 * factor + 1, factor, groups=width // 4))
    stack += [ConvolutionSettings(min(stack[-1].channels * 2, most_channels), 5), ConvolutionSettings(1, 3)]
    pooling = nn.AvgPool1d(4, 2, padding=1, count_include_pad=False)
    return MultiScaleDiscriminator([ConvolutionStack(stack, 0.2) for _ in range(scales)], pooling)


def hifigan_discriminator(
    channels: int = 1024, periods: Sequence[int] = PERIODS, scales: int = len(SCALE_NORMS)
) -> nn.Module:
    """HiFi-GAN's discriminators (section 2.4): multi-period, and multi-scale with spectral norm at the full rate.

    The widest layers of both have so many channels, a multiple of 128; others have parts of that, 1024 in the paper.
    Of the paper's scales the first `scales`, 1 to 3, are there.
    """
    eighth = channels // 8
    grouped = [(eighth, 2, 4), (2 * eighth, 2, 16), (4 * eighth, 4, 16), (channels, 4, 16), (channels, 1, 16)]
    stack = [ConvolutionSettings(eighth, 15)]
    stack += [ConvolutionSettings(width, 41, stride, groups) for width, stride, groups in grouped]
    stack += [ConvolutionSettings(channels, 5), ConvolutionSettings(1, 3)]
    stacks = [ConvolutionStack(stack, 0.1, norm) for norm in SCALE_NORMS[:scales]]
    return JointDiscriminator(
        MultiPeriodDiscriminator(periods, channels=channels),
        MultiScaleDiscriminator(stacks, nn.AvgPool1d(4, 2, padding=2)),
    )
