"""The parts of Flow2GAN (`flow2gan.py`): ConvNeXt blocks, and a branch of them from the spectra of audio to spectra.

A branch has frames of two hops under a periodic Hann window, the first of them centred on the first sample. Its spectra
are the real parts of all bins, then the imaginary ones.
"""

import math
from collections.abc import Sequence
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.chunks import kernel_reach
from vocoder_pareto.models.layers import ChannelsLastConv1d, ModulesOf, at_least_single, without_autocast
from vocoder_pareto.reflection import reflection_padded

KERNEL = 7
_TIME_SCALE, _LARGEST_RATIO = 1000.0, 10000.0  # of the frequencies that embed the time


class BiasNorm(nn.Module):
    """x · e^s / √(mean over channels of (x − b)²), with a trained s and b per channel (Yao et al., 2024)."""

    def __init__(self, channels: int):
        super().__init__()
        self.bias = nn.Parameter(0.01 * torch.randn(channels))
        self.log_scale = nn.Parameter(torch.tensor(1.0))

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, L) → (B, C, L)."""
        power = (signal - self.bias[:, None]).square().mean(dim=1, keepdim=True)
        return signal * (power.rsqrt() * self.log_scale.exp())


class ConvNeXtBlock(nn.Module):
    """A depthwise convolution, a normalisation, two layers on each frame with a PReLU, beside a scaled shortcut."""

    def __init__(self, channels: int, expansion: int):
        super().__init__()
        self.depthwise = ChannelsLastConv1d(channels, channels, KERNEL, padding=kernel_reach(KERNEL), groups=channels)
        self.norm = BiasNorm(channels)
        self.expand = ChannelsLastConv1d(channels, expansion * channels, 1)
        self.rectifier = nn.PReLU(expansion * channels)
        self.contract = ChannelsLastConv1d(expansion * channels, channels, 1)
        self.shortcut = nn.Parameter(torch.ones(channels, 1))

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, L) → (B, C, L)."""
        return self._mixed(self.norm(self.depthwise(signal)), signal)

    def _mixed(self, inner: Tensor, signal: Tensor) -> Tensor:
        return torch.addcmul(self.contract(self.rectifier(self.expand(inner))), signal, self.shortcut)


class ConditionedBlock(ConvNeXtBlock):
    """Such a block that hears a condition, which is added, and a time, which scales, after the normalisation."""

    def __init__(self, channels: int, expansion: int, condition_channels: int, time_channels: int):
        super().__init__(channels, expansion)
        self.condition = ChannelsLastConv1d(condition_channels, channels, 1)
        self.time = nn.Linear(time_channels, channels)

    def forward(self, signal: Tensor, condition: Tensor, scale: Tensor, repeats: int) -> Tensor:  # type: ignore[override]
        """(B, C, F), condition (B, C, …) as `add_repeated` takes it, scale (B, C, 1) → (B, C, F)."""
        inner = add_repeated(self.norm(self.depthwise(signal)), condition, repeats)
        return self._mixed(inner * scale, signal)


def add_repeated(signal: Tensor, condition: Tensor, repeats: int) -> Tensor:
    """Add to frames (B, C, L · repeats + 1), in place, a condition (B, C, L + 1), each frame but the last repeated.

    With one repetition they have the same frames.
    """
    if repeats == 1:
        return signal.add_(condition)
    whole = (condition.shape[2] - 1) * repeats
    signal[..., :whole].unflatten(2, (-1, repeats)).add_(condition[..., :-1, None])
    signal[..., whole:].add_(condition[..., -1:])
    return signal


def time_embedding(times: Tensor, channels: int) -> Tensor:
    """Times (B,) from 0 to 1 → sines, then cosines of frequencies that fall geometrically, (B, channels)."""
    half = channels // 2
    exponents = torch.arange(half, device=times.device, dtype=torch.float64) / max(half - 1, 1)
    angles = _TIME_SCALE * times.double()[:, None] * torch.exp(-math.log(_LARGEST_RATIO) * exponents)
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class Ends(Protocol):
    """What leads from audio to the signal of the first block, and from that of the last one to audio."""

    def analysed(self, audio: Tensor) -> Tensor:
        """(B, T) → (B, C, F), with a frame more than hops."""

    def synthesised(self, signal: Tensor) -> Tensor:
        """(B, C, F) → (B, T)."""


class SpectralEnds(nn.Module):
    """A Fourier transform and a projection of its spectra; a projection onto spectra and the inverse transform."""

    window: Tensor

    def __init__(self, hop: int, channels: int):
        super().__init__()
        self.hop = hop
        self.first = ChannelsLastConv1d(2 * hop + 2, channels, 1)
        self.last = ChannelsLastConv1d(channels, 2 * hop + 2, 1)
        self.register_buffer("window", torch.hann_window(2 * hop, dtype=torch.float64), persistent=False)

    def analysed(self, audio: Tensor) -> Tensor:
        """See `Ends`."""
        with without_autocast(audio):  # a Fourier transform has no bfloat16
            frames = frames_of(at_least_single(audio), self.hop)
            spectra = torch.fft.rfft(frames * self.window.to(frames.dtype))
        return self.first(torch.cat([spectra.real, spectra.imag], dim=2).transpose(1, 2))

    def synthesised(self, signal: Tensor) -> Tensor:
        """See `Ends`; where frames overlap they are divided by the sum of their squared windows."""
        prediction = self.last(signal).transpose(1, 2)  # (B, F, 2 · bins)
        with without_autocast(prediction):
            real, imaginary = at_least_single(prediction).chunk(2, dim=2)
            frames = torch.fft.irfft(torch.complex(real, imaginary), 2 * self.hop)
            return overlap_added(frames * self.synthesis_window.to(frames.dtype))

    @property
    def synthesis_window(self) -> Tensor:
        """The window over the sum of the squares that it has at a sample in both frames that hold it, (2 · hop,)."""
        squares = self.window.square()
        return self.window / (squares + squares.roll(self.hop))


class MergedEnds(nn.Module):
    """What `SpectralEnds` computes, as one matrix each (equation 2 of `flow2gan.py`); no state_dict holds them."""

    analysis: Tensor
    analysis_bias: Tensor
    synthesis: Tensor
    synthesis_bias: Tensor

    def __init__(self, ends: SpectralEnds):
        super().__init__()
        self.hop = ends.hop
        window, bins = ends.window.double(), ends.hop + 1
        transform = torch.fft.rfft(torch.diag(window))  # (2 · hop, bins): a row is the spectrum of one sample
        units = torch.eye(2 * bins, dtype=torch.float64, device=window.device)
        inverse = torch.fft.irfft(torch.complex(units[:, :bins], units[:, bins:]), 2 * ends.hop)
        inverse = inverse * ends.synthesis_window.double()  # (2 · bins, 2 · hop)
        first, last = (layer.weight[..., 0].double() for layer in (ends.first, ends.last))
        matrices = {
            "analysis": first @ torch.cat([transform.real, transform.imag], dim=1).T,
            "analysis_bias": ends.first.bias,
            "synthesis": (last.T @ inverse).T,
            "synthesis_bias": ends.last.bias.double() @ inverse,
        }
        for name, matrix in matrices.items():
            self.register_buffer(name, matrix.detach().to(ends.first.weight.dtype), persistent=False)

    def analysed(self, audio: Tensor) -> Tensor:
        """See `Ends`."""
        return functional.linear(frames_of(audio, self.hop), self.analysis, self.analysis_bias).transpose(1, 2)

    def synthesised(self, signal: Tensor) -> Tensor:
        """See `Ends`."""
        return overlap_added(functional.linear(signal.transpose(1, 2), self.synthesis, self.synthesis_bias))


class Branch(nn.Module):
    """Audio → an estimate of the audio that it comes from, at one resolution.

    Args:
        hop: The samples from one frame of the spectra to the next.
        channels: The channels of the blocks.
        blocks: The number of blocks.
        expansion: How many times as many channels a block, and each network of the condition and the time, has inside.
        condition_channels: The channels of the encoded mel-spectrogram.
        time_channels: The channels of the embedding of the time, even.
    """

    def __init__(
        self, hop: int, channels: int, blocks: int, expansion: int, condition_channels: int, time_channels: int
    ):
        super().__init__()
        self.hop = hop
        self.time_channels = time_channels
        self.ends = SpectralEnds(hop, channels)
        self.norm = BiasNorm(channels)
        inside = expansion * condition_channels
        self.condition = nn.Sequential(
            ChannelsLastConv1d(condition_channels, inside, 1),
            nn.PReLU(inside),
            ChannelsLastConv1d(inside, condition_channels, 1),
        )
        self.time = nn.Sequential(
            nn.Linear(time_channels, expansion * time_channels),
            nn.SiLU(),
            nn.Linear(expansion * time_channels, time_channels),
        )
        self.blocks = ModulesOf(
            ConditionedBlock(channels, expansion, condition_channels, time_channels) for _ in range(blocks)
        )

    def conditions(self, encoded: Tensor) -> list[Tensor]:
        """The encoded mel-spectrogram (B, E, L) → what each block adds, (B, C, L)."""
        inner = self.condition(encoded)
        return [block.condition(inner) for block in self.blocks]

    def scales(self, times: Tensor) -> list[Tensor]:
        """Times (B,) → what each block multiplies by, (B, C, 1)."""
        embedding = self.time(time_embedding(times, self.time_channels).to(self.ends.first.weight.dtype))
        return [1 + block.time(embedding).unsqueeze(-1) for block in self.blocks]

    def forward(
        self,
        audio: Tensor,
        conditions: Sequence[Tensor],
        scales: Sequence[Tensor],
        repeats: int,
        ends: Ends | None = None,
    ) -> Tensor:
        """Audio (B, T), and of each block its condition and its scale → the estimate (B, T).

        Args:
            audio: The audio.
            conditions: What `conditions` gives, with a frame more.
            scales: What `scales` gives.
            repeats: How often each frame of a condition but the last is repeated.
            ends: Another form of the ends of the branch; its own by default.
        """
        ends = self.ends if ends is None else ends
        signal = self.norm(ends.analysed(audio))
        for block, condition, scale in zip(self.blocks, conditions, scales, strict=True):
            signal = block(signal, condition, scale, repeats)
        return ends.synthesised(signal)

    def reach(self) -> int:
        """How many of its frames on each side a frame of its estimate depends on: both transforms and the blocks."""
        return 2 + kernel_reach(KERNEL) * len(self.blocks)


def frames_of(audio: Tensor, hop: int) -> Tensor:
    """Audio (B, T) → frames (B, T / hop + 1, 2 · hop), centred on every hop-th sample; the ends are reflected."""
    return reflection_padded(audio.unsqueeze(1), hop).squeeze(1).unfold(-1, 2 * hop, hop)


def overlap_added(frames: Tensor) -> Tensor:
    """Frames (B, F, 2 · hop), each a hop after the one before → their sum between the first and last centre."""
    hop = frames.shape[2] // 2
    return (frames[:, :-1, hop:] + frames[:, 1:, :hop]).flatten(1)
