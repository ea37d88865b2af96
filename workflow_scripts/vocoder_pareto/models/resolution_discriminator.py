"""UnivNet's multi-resolution spectrogram discriminator (Jang et al., 2021, section 2.2), which BigVGAN took over.

Each of its stacks judges the linear magnitudes of one short-time Fourier transform as an image (figure 1). Resolutions,
window and sizes are as in github.com/maum-ai/univnet and in BigVGAN's official code, which are alike: a rectangular
window, 32 channels, kernels of 3 bins and 9 frames, in the last two layers of 3 and 3, strides over the frames alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from vocoder_pareto.models.discriminators import ConvolutionSettings, ConvolutionStack, Judgement
from vocoder_pareto.models.layers import without_autocast
from vocoder_pareto.reflection import reflection_padded


@dataclass(frozen=True)
class StftResolution:
    """The settings of a short-time Fourier transform, in samples.

    Attributes:
        n_fft: The length of the transform.
        hop_length: The distance of neighbouring frames, at least 1.
        window_samples: The length of the window, at most n_fft; zeros on both sides fill it up to that.

    Raises:
        ValueError: A setting is out of its range.
    """

    n_fft: int
    hop_length: int
    window_samples: int

    def __post_init__(self) -> None:
        if self.hop_length < 1 or not 1 <= self.window_samples <= self.n_fft:
            raise ValueError(
                f"STFT of n_fft {self.n_fft}, hop_length {self.hop_length}, window_samples {self.window_samples}; the "
                "hop must be at least 1 and the window between 1 and n_fft"
            )


UNIVNET_RESOLUTIONS = (StftResolution(1024, 120, 600), StftResolution(2048, 240, 1200), StftResolution(512, 50, 240))


def spectra(audio: Tensor, resolution: StftResolution, reflected: int, window: Tensor | None = None) -> Tensor:
    """Audio (B, T) → complex spectra (B, n_fft / 2 + 1, L') of every frame that fits, but for the phase.

    The window begins at the first sample of the transform, not amid its zeros, which turns phases alone.

    Args:
        audio: The waveforms; reduced precision is widened to float32.
        resolution: The settings of the transform.
        reflected: The number of samples by which both ends are continued by reflection.
        window: The window (window_samples,); None for a rectangular one.
    """
    start = (resolution.n_fft - resolution.window_samples) // 2
    with without_autocast(audio):  # cuFFT has no bfloat16
        signal = audio.to(torch.promote_types(audio.dtype, torch.float32)).unsqueeze(1)
        frames = reflection_padded(signal, reflected).squeeze(1).unfold(-1, resolution.n_fft, resolution.hop_length)
        frames = frames[..., start : start + resolution.window_samples]
        frames = frames if window is None else frames * window.to(frames)
        return torch.fft.rfft(frames, resolution.n_fft).transpose(1, 2)


def rectangular_magnitudes(audio: Tensor, resolution: StftResolution) -> Tensor:
    """Audio (B, T) → magnitudes (B, n_fft / 2 + 1, L') of a rectangular window, L' = ⌊T / hop⌋ for an even n_fft − hop.

    Both ends are continued by reflection, by (n_fft − hop) / 2 samples.
    """
    return spectra(audio, resolution, (resolution.n_fft - resolution.hop_length) // 2).abs()


class SpectrogramStack(ConvolutionStack):
    """Convolutions over time and frequency of one resolution; kernels of a layer are those of its frames."""

    def __init__(self, layers: Sequence[ConvolutionSettings], slope: float, resolution: StftResolution):
        super().__init__(layers, slope)
        self.resolution = resolution

    @staticmethod
    def _convolution(width: int, layer: ConvolutionSettings) -> nn.Module:
        return nn.Conv2d(width, layer.channels, (3, layer.kernel), (1, layer.stride), padding=(1, layer.kernel // 2))

    def forward(self, signal: Tensor) -> Judgement:
        """Audio (B, 1, T) → scores (B, F · L') and features (B, C, F, L''), F = n_fft / 2 + 1 bins."""
        return super().forward(rectangular_magnitudes(signal.squeeze(1), self.resolution).unsqueeze(1))


class MultiResolutionDiscriminator(nn.Module):
    """UnivNet, section 2.2 (MRSD): equal stacks over magnitudes of several resolutions.

    Args:
        resolutions: The resolutions, one per stack.
        slope: The slope of the leaky ReLUs for negative values: 0.2 in UnivNet, 0.1 in BigVGAN.
        channels: The channels of all layers but the last, at least 1.
    """

    def __init__(
        self, resolutions: Sequence[StftResolution] = UNIVNET_RESOLUTIONS, slope: float = 0.2, channels: int = 32
    ):
        super().__init__()
        kernels_and_strides = ((9, 1), (9, 2), (9, 2), (9, 2), (3, 1))
        layers = [ConvolutionSettings(channels, kernel, stride) for kernel, stride in kernels_and_strides]
        layers.append(ConvolutionSettings(1, 3))
        self.stacks = nn.ModuleList(SpectrogramStack(layers, slope, resolution) for resolution in resolutions)

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Audio (B, T) → a judgement per resolution."""
        return [stack(audio.unsqueeze(1)) for stack in self.stacks]
