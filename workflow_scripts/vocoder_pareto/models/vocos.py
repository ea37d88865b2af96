"""Vocos (Siuzdak, 2024): ConvNeXt blocks at the rate of the frames predict spectra, which an inverse STFT makes audio.

Layers, sizes and constants are those of the official code (github.com/gemelo-ai/vocos, configuration `vocos.yaml`): L
has its 512 channels and 8 blocks; S and M are sizes of this study. With 80 bands L has 13,459,970 parameters, with the
100 of its published weights 13,531,650, as the official network has.

Deviations from the official code, none of which touches the weights or their number:

- The study's mel-spectrograms have T / hop_length frames, without the one on the very end of the clip which the
  official front end has. Of L frames, the official code gives L - 1 hops, up to the centre of the last frame. The hop
  after it lies under the windows of the last two frames, and is computed from these; the audio before it is that of
  the official code for the same frames. So L hops cost L frames, 0.8390 GMACs per second at 16,000 Hz.
- Spectra are computed in single precision at least: an inverse Fourier transform has no bfloat16.

`padding: same` is the official code's other form of the inverse STFT, for front ends whose frames are not centred
(`padding: reflect` of a front end): the first frame is centred on the middle of the first hop.

The fast form is the plain one in channels-last memory on a CPU: all layers but the first see (batch, frames, channels)
as it lies, so that neither normalisation nor products of matrices copy their input.
"""

from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.chunks import kernel_reach
from vocoder_pareto.models.inverse_stft import InverseSTFT
from vocoder_pareto.models.layers import ChannelsLastConv1d, ModulesOf, at_least_single, channels_last, without_autocast
from vocoder_pareto.models.vocoder import Generators, NoSettings, Vocoder

KERNEL = 7
EPSILON = 1e-6  # of the layer normalisations
LARGEST_MAGNITUDE = 100.0


@dataclass(frozen=True)
class VocosArchitecture:
    """Size of the generator; the defaults are those of the paper.

    Attributes:
        channels: The number of channels of all blocks, at least 1.
        blocks: The number of ConvNeXt blocks, at least 1.
        expansion: How many times as many channels a block has inside, at least 1.
        n_fft: The samples of the frames of the inverse STFT; even, and a whole number of hops, 3 or more.
        padding: Where the frames of the mel-spectrogram lie: "center" where the first is centred on the first sample,
            "same" where it is centred on the middle of the first hop.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    channels: int = 512
    blocks: int = 8
    expansion: int = 3
    n_fft: int = 1024
    padding: Literal["center", "same"] = "center"

    def __post_init__(self) -> None:
        for name in ("channels", "blocks", "expansion"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} is {getattr(self, name)}; must be at least 1")


class ConvNeXtBlock(nn.Module):
    """A depthwise convolution, a normalisation, and two linear layers with a GELU, scaled, beside a shortcut.

    Source: section 3 of the paper; Liu et al. (2022), in one dimension.
    """

    def __init__(self, channels: int, hidden_channels: int, scale: float):
        super().__init__()
        self.depthwise = ChannelsLastConv1d(channels, channels, KERNEL, padding=kernel_reach(KERNEL), groups=channels)
        self.norm = nn.LayerNorm(channels, eps=EPSILON)
        self.expand = nn.Linear(channels, hidden_channels)
        self.contract = nn.Linear(hidden_channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), scale))

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, L) → (B, C, L), in the memory layout of `signal`."""
        inner = self.norm(self.depthwise(signal).transpose(1, 2))  # (B, L, C)
        inner = self.contract(functional.gelu(self.expand(inner)))
        return torch.addcmul(signal.transpose(1, 2), inner, self.scale).transpose(1, 2)


class Vocos(Vocoder):
    """Siuzdak 2024, section 3: mel-spectrogram → waveform in one pass, without noise.

    Raises:
        ValueError: The n_fft of the architecture does not fit hop_length.
    """

    Architecture = VocosArchitecture
    architecture: VocosArchitecture

    def __init__(
        self,
        architecture: VocosArchitecture,
        sampling: NoSettings | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        channels, blocks = architecture.channels, architecture.blocks
        self.first = ChannelsLastConv1d(n_mels, channels, KERNEL, padding=kernel_reach(KERNEL))
        self.first_norm = nn.LayerNorm(channels, eps=EPSILON)
        self.blocks = ModulesOf(
            ConvNeXtBlock(channels, architecture.expansion * channels, 1 / blocks) for _ in range(blocks)
        )
        self.last_norm = nn.LayerNorm(channels, eps=EPSILON)
        self.apply(_initialise)
        self.head = nn.Linear(channels, architecture.n_fft + 2)  # as PyTorch initialises it
        self.inverse_stft = InverseSTFT(architecture.n_fft, hop_length, architecture.padding == "center")

    def forward(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T), which may swing over 1 by some percent, as the official one."""
        signal = self.first_norm(self.first(mel).transpose(1, 2)).transpose(1, 2)  # (B, C, L)
        for block in self.blocks:
            signal = block(signal)
        prediction = self.head(self.last_norm(signal.transpose(1, 2)))  # (B, L, n_fft + 2)
        with without_autocast(prediction):
            log_magnitudes, phases = at_least_single(prediction).chunk(2, dim=2)
            magnitudes = log_magnitudes.exp().clamp(max=LARGEST_MAGNITUDE)
            audio = self.inverse_stft(torch.polar(magnitudes, phases), mel.shape[2] * self.hop_length)
        return audio.to(mel.dtype)

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder.generate`; nothing here is random."""
        return self(channels_last(mel))

    def context_frames(self) -> int:
        """See `Vocoder`: the reach of the convolutions, one after the other, and of the inverse STFT."""
        return kernel_reach(KERNEL) * (1 + self.architecture.blocks) + self.inverse_stft.context_frames()

    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: `forward` in the usual memory layout."""
        return self(mel)


def _initialise(layer: nn.Module) -> None:
    """As the official code: weights of a normal distribution of 0.02, cut at ±2, and no bias."""
    if isinstance(layer, nn.Conv1d | nn.Linear) and layer.bias is not None:
        nn.init.trunc_normal_(layer.weight, std=0.02)
        nn.init.zeros_(layer.bias)
