"""UnivNet (Jang et al., 2021): noise becomes audio by convolutions whose kernels a network predicts for every frame.

The location-variable convolution (section 2.1, after LVCNet, Zeng et al., 2021) has for frame l of h samples a kernel
K_l (C, 2 C, 3) and a bias b_l (2 C,); x is its input, zero beyond both ends of the whole signal:

    (1)  y[o, l h + i] = b_l[o] + Σ_t Σ_c K_l[c, o, t] x[c, l h + i + t − 1],    i = 0 … h − 1

The sum over taps and channels is a product of matrices for each frame, (h, 3 C) by (3 C, 2 C), whose rows are three
neighbouring columns of x side by side. Where a signal is stored column by column (see `channels_last`) these are pieces
of memory, so that the fast form copies them and multiplies all frames at once. The predictor gives its kernels tap by
tap, then input by input channel, which is the order of the rows.

Of the generator the paper's figure 1 shows the layers and their order. What it leaves open is as in the code whose
weights people use (github.com/maum-ai/univnet, which is not its authors'): the noise has 64 channels at the rate of the
frames, the predictor 64 hidden channels, kernels of 5 in its first convolution and of 3 after it; transposed
convolutions have kernels of two strides, the first and the last convolution reflect, and the gate comes before the
filter. Figure 1 draws kernels and biases as parts of one convolution; there and here they are two with the same weights
together. Deviations from that code:

- It appends ten frames of silence, −11.5129, to its input and cuts their audio off; here the input ends where it ends.
- `strides: [8, 8, 4]` make 256 samples of a frame and cannot be changed there; here `upsampling` may be any factors
  with the product hop_length.

Counts at 80 bands and 62.5 frames per second, equal to that code's: 3,978,226 parameters (3,957,809 once weight norm is
folded) and 0.446 GMACs per second for 16 channels, 14,846,306 (14,769,953) and 1.715 for 32. What is told of it, 4.00 M
and 0.447, 14.87 M and 1.72, is at 100 bands, with the MACs of a frame at this rate.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.chunks import in_chunks, kernel_reach, transposed_reach
from vocoder_pareto.models.layers import (
    ModulesOf,
    channels_last,
    normed_conv1d,
    normed_conv_transpose1d,
    require_product,
)
from vocoder_pareto.models.vocoder import Generators, NoSettings, Vocoder, draw_noise
from vocoder_pareto.reflection import reflection_padded

LEAKY_SLOPE = 0.2
TAPS = 3  # of the location-variable convolution
PREDICTOR_BLOCKS = 3

LocationVariableConvolution = Callable[[Tensor, Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class UnivNetArchitecture:
    """Size of the generator.

    Attributes:
        channels: The channels of the signal, at least 1: 16 and 32 in the paper.
        upsampling: The factors from the frame rate to the audio rate, at least 2, with the product hop_length.
        dilations: The dilations of the layers after each upsampling, at least 1.
        noise_channels: The channels of the noise, at least 1.
        predictor_channels: The hidden channels of the kernel predictors, at least 1.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    channels: int = 32
    upsampling: tuple[int, ...] = (8, 8, 4)
    dilations: tuple[int, ...] = (1, 3, 9, 27)
    noise_channels: int = 64
    predictor_channels: int = 64

    def __post_init__(self) -> None:
        for name in ("channels", "noise_channels", "predictor_channels"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; must be at least 1")
        if not self.upsampling or min(self.upsampling) < 2:
            raise ValueError(f"upsampling is {list(self.upsampling)}; must be one or more factors of at least 2")
        if not self.dilations or min(self.dilations) < 1:
            raise ValueError(f"dilations are {list(self.dilations)}; must be one or more of at least 1")


def location_variable_convolution(signal: Tensor, kernels: Tensor, biases: Tensor) -> Tensor:
    """Equation (1) as one product of matrices per frame.

    Args:
        signal: x, (B, C, L · h), fastest in channels-last memory.
        kernels: For each frame, (B, L, 3 C, 2 C), the rows tap by tap.
        biases: (B, L, 2 C).

    Returns:
        y, (B, 2 C, L · h) in channels-last memory.
    """
    batch, channels, samples = signal.shape
    frames = kernels.shape[1]
    padded = functional.pad(signal.transpose(1, 2), (0, 0, 1, 1))  # (B, L · h + 2, C)
    rows = torch.cat([padded[:, tap : tap + samples] for tap in range(TAPS)], dim=2)  # (B, L · h, 3 C)
    products = torch.baddbmm(
        biases.flatten(0, 1).unsqueeze(1),
        rows.view(batch * frames, samples // frames, TAPS * channels),
        kernels.flatten(0, 1),
    )
    return products.view(batch, samples, -1).transpose(1, 2)


def location_variable_convolution_plainly(signal: Tensor, kernels: Tensor, biases: Tensor) -> Tensor:
    """Equation (1) tap by tap, with the arguments and the values of `location_variable_convolution`."""
    frames = kernels.shape[1]
    padded = functional.pad(signal, (1, 1))
    output = biases.unsqueeze(-1)  # (B, L, 2 C, 1)
    for tap, kernel in enumerate(kernels.chunk(TAPS, dim=2)):
        seen = padded[..., tap : tap + signal.shape[2]].unflatten(2, (frames, -1))  # (B, C, L, h)
        output = output + kernel.transpose(2, 3) @ seen.transpose(1, 2)
    return output.transpose(1, 2).flatten(2)


class KernelPredictor(nn.Module):
    """Figure 1, right: a mel-spectrogram → the kernels and biases of the layers of a block."""

    def __init__(self, n_mels: int, architecture: UnivNetArchitecture):
        super().__init__()
        hidden, channels = architecture.predictor_channels, architecture.channels
        self.layers = len(architecture.dilations)
        self.first = normed_conv1d(n_mels, hidden, 5, padding=2)
        self.blocks = ModulesOf(
            nn.ModuleList(normed_conv1d(hidden, hidden, 3, padding=1) for _ in range(2))
            for _ in range(PREDICTOR_BLOCKS)
        )
        self.kernels = normed_conv1d(hidden, self.layers * TAPS * channels * 2 * channels, 3, padding=1)
        self.biases = normed_conv1d(hidden, self.layers * 2 * channels, 3, padding=1)

    def forward(self, mel: Tensor) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Mel-spectrogram (B, M, L) → for each layer kernels (B, L, 3 C, 2 C), and for each biases (B, L, 2 C)."""
        hidden = functional.leaky_relu(self.first(mel), LEAKY_SLOPE)
        for first, second in self.blocks:
            inner = functional.leaky_relu(first(hidden), LEAKY_SLOPE, inplace=True)
            hidden = hidden + functional.leaky_relu(second(inner), LEAKY_SLOPE, inplace=True)
        biases = self.biases(hidden).transpose(1, 2).unflatten(2, (self.layers, -1))  # (B, L, layers, 2 C)
        kernels = self.kernels(hidden).transpose(1, 2).unflatten(2, (self.layers, -1, biases.shape[3]))
        return kernels.unbind(2), biases.unbind(2)


class LocationVariableBlock(nn.Module):
    """Figure 1, left: an upsampling, then gated layers, whose kernels are predicted, each beside a shortcut."""

    def __init__(self, n_mels: int, factor: int, architecture: UnivNetArchitecture):
        super().__init__()
        channels = architecture.channels
        self.upsampling = normed_conv_transpose1d(
            channels, channels, 2 * factor, factor, padding=(factor + 1) // 2, output_padding=factor % 2
        )
        self.predictor = KernelPredictor(n_mels, architecture)
        self.convolutions = ModulesOf(
            normed_conv1d(channels, channels, 3, dilation=dilation, padding=dilation)
            for dilation in architecture.dilations
        )

    def forward(self, signal: Tensor, mel: Tensor, convolve: LocationVariableConvolution) -> Tensor:
        """Signal (B, C, T'), mel-spectrogram (B, M, L) → (B, C, T' · factor); `convolve` is a form of equation (1)."""
        signal = self.upsampling(functional.leaky_relu(signal, LEAKY_SLOPE))
        for convolution, kernels, biases in zip(self.convolutions, *self.predictor(mel), strict=True):
            hidden = convolution(functional.leaky_relu(signal, LEAKY_SLOPE))
            hidden = convolve(functional.leaky_relu(hidden, LEAKY_SLOPE, inplace=True), kernels, biases)
            gate, filtered = hidden.chunk(2, dim=1)
            signal = torch.addcmul(signal, gate.sigmoid(), filtered.tanh())
        return signal


class UnivNet(Vocoder):
    """Jang et al. 2021, section 2.1: noise and a mel-spectrogram → waveform in one pass.

    Raises:
        ValueError: The upsampling factors do not multiply to hop_length.
    """

    Architecture = UnivNetArchitecture
    architecture: UnivNetArchitecture

    def __init__(
        self,
        architecture: UnivNetArchitecture,
        sampling: NoSettings | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        require_product(architecture.upsampling, hop_length)
        self.first = normed_conv1d(architecture.noise_channels, architecture.channels, 7)
        self.blocks = ModulesOf(
            LocationVariableBlock(n_mels, factor, architecture) for factor in architecture.upsampling
        )
        self.last = normed_conv1d(architecture.channels, 1, 7)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T) in [-1, 1], of noise from PyTorch's own generator."""
        return self.generate(mel)

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder.generate`."""
        return self.decode(self.draw(mel, generator), mel)

    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: in the usual memory layout, with equation (1) as it stands."""
        return self._decode(self.draw(mel, generator), mel, location_variable_convolution_plainly)

    def generate_in_chunks(self, mel: Tensor, chunk_frames: int, generator: Generators = None) -> Tensor:
        """See `Vocoder`; the noise is that of the whole clip, cut."""
        noise = self.draw(mel, generator)
        return in_chunks(
            lambda frames, _: self.decode(noise[..., frames], mel[..., frames]),
            mel.shape[2],
            chunk_frames,
            self.context_frames(),
            self.hop_length,
        )

    def context_frames(self) -> int:
        """See `Vocoder`: the reach of the signal's convolutions, and of a predictor for the farthest kernel there."""
        reach, rate = 0.0, 1
        for factor in self.architecture.upsampling:
            reach += transposed_reach(2 * factor, factor) / rate
            rate *= factor
            layers = (kernel_reach(3, dilation) + kernel_reach(TAPS) for dilation in self.architecture.dilations)
            reach += sum(layers) / rate
        of_predictor = kernel_reach(5) + (2 * PREDICTOR_BLOCKS + 1) * kernel_reach(3)
        return math.ceil(reach + kernel_reach(7) / rate) + max(of_predictor, kernel_reach(7))

    def draw(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """Noise (B, noise_channels, L) for a mel-spectrogram (B, M, L)."""
        return draw_noise((mel.shape[0], self.architecture.noise_channels, mel.shape[2]), mel, generator)

    def decode(self, noise: Tensor, mel: Tensor) -> Tensor:
        """Noise (B, noise_channels, L), mel-spectrogram (B, M, L) → waveform (B, T) in [-1, 1]."""
        return self._decode(channels_last(noise), channels_last(mel), location_variable_convolution)

    def _decode(self, noise: Tensor, mel: Tensor, convolve: LocationVariableConvolution) -> Tensor:
        signal = self.first(reflection_padded(noise, kernel_reach(7)))
        for block in self.blocks:
            signal = block(signal, mel, convolve)  # (B, C, T') -> (B, C, T' · factor)
        signal = reflection_padded(functional.leaky_relu(signal, LEAKY_SLOPE), kernel_reach(7))
        return self.last(signal).tanh().squeeze(1)
