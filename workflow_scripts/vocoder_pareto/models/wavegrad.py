"""WaveGrad (Chen et al., 2021): a diffusion vocoder that upsamples the mel-spectrogram under modulation by the noise.

Where the paper leaves a choice, and who takes which; public code is lmnt-com/wavegrad and ivanvovk/WaveGrad, the study
is Douwes et al. (2023):

- Noise schedule of generation in 50 steps. The paper: linear from 1e-4 to 0.05 (table 2), which ends at √ᾱ = 0.53, and
  so do we. The study, and ivanvovk's validation: from 1e-6 to 0.01, which ends at 0.88, where the network is told noise
  of deviation 0.47 and given 1; `sampling: {first_beta: 1.0e-6, last_beta: 0.01}` is that one.
- Noise schedule of training. The paper, both public codes and we: 1,000 steps from 1e-6 to 0.01, which cover every
  level down to √ᾱ = 0.08. The study: 50 steps from 1e-6 to 0.01, those of its generation, which is
  `architecture: {diffusion_steps: 50}`. Generation at levels that training does not cover is refused.
- Posterior. As the paper, public code and we have it; in the study's code √ᾱ_n stands where the factor of the noisy
  waveform has √α_n, and where the noise is subtracted its factor 1 / √ᾱ_n is missing.
- Bounds. Lmnt clips every state to [−1, 1], ivanvovk and the study what each step takes for the clean waveform. We clip
  the result, and of the states what lies far outside.
- Blocks. Leaky ReLUs have slope 0.2 in public code and here, 0.01 in the study. Up- and downsampling is linear
  interpolation in ivanvovk's code, the study and here; lmnt takes the nearest sample: `interpolation: nearest`. FiLM's
  first convolution goes to the channels of the upsampling block in the study and here, and keeps those of its input in
  public code: `film_channels: input`. Downsampling blocks have dilations 1, 2, 1 in the study and here, 1, 2, 4 in the
  paper and public code: `down_dilations`.
- Noise level. The paper, ivanvovk, the study and we encode 5,000 √ᾱ; lmnt encodes √ᾱ itself: `noise_level_scale: 1.0`.
- Large size. Its configuration is not published in full; ours stacks every block twice, and the first of each pair
  changes the rate.
- Loss and learning rate: see `training/objectives/wavegrad.py`.

`predict_noise` is the network as in figure 3. An upsampling block (figure 4) computes, from a signal x (C_in, T), with
U the interpolation as a matrix (T, T · factor), φ the leaky ReLU, convolutions A_1 … A_4 and a skip connection K, k of
kernel 1, and with scale γ and shift ξ (FiLM, figure 5) from the features F of the noisy waveform and the noise level:

    (1)  h = A_1(φ(x) U);  y = K (x U) + k 1ᵀ + A_2 φ(γ ⊙ h + ξ)
    (2)  output = y + A_4 φ(γ ⊙ A_3 φ(γ ⊙ y + ξ) + ξ)
    (3)  [γ; ξ] = B_2(φ(B_1(F)) + e(√ᾱ_n)), with convolutions B_1 and B_2, and e the encoding of the level of step n

`noise_predictor` computes the same for all steps n of a schedule:

    (4)  K (x U) + k 1ᵀ = (K x + k 1ᵀ) U: products from the left and from the right commute, and 1ᵀ U = 1ᵀ, since the
         weights of an interpolation sum to 1. So the skip connection runs at the lower rate.
    (5)  In the first block x is the mel-spectrogram after its convolution, so h and the skip connection depend neither
         on n nor on the noisy waveform: they are computed once. So is e(√ᾱ_n), for all n.
    (6)  The other sums of (1) to (3) are added, and φ is applied, in the memory of an operand.
"""

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil, prod
from typing import Literal, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.chunks import kernel_reach
from vocoder_pareto.models.diffusion import DiffusionVocoder, NoisePredictor, NoiseSchedule
from vocoder_pareto.models.layers import ChannelsLastConv1d, ModulesOf, channels_last, same_padding

SLOPE = 0.2  # of the leaky ReLUs

Block = TypeVar("Block", bound=nn.Module)


@dataclass(frozen=True)
class WaveGradArchitecture:
    """Sizes, from the mel-spectrogram up to the waveform (appendix A), and the noise schedule of training.

    Attributes:
        up_channels: The channels after the first convolution of the mel-spectrogram, then after each upsampling stage;
            the latter are even.
        down_channels: The channels after the first convolution of the waveform, then after each downsampling stage.
        upsample_factors: The factors of the upsampling stages, with the product hop_length. Downsampling goes the same
            way back.
        up_dilations: The dilations of the four convolutions in the blocks of each upsampling stage.
        down_dilations: The dilations of the three convolutions in every downsampling block.
        blocks_per_stage: The number of blocks stacked in each stage, at least 1.
        interpolation: What the signal between samples is: linear, or as in lmnt-com/wavegrad the nearest.
        film_channels: The channels between FiLM's convolutions: those of its output, or as in public code of its input.
        noise_level_scale: What √ᾱ is multiplied by before its positional encoding: 5,000 as in section 3 of the paper,
            or 1 as in lmnt-com/wavegrad.
        first_beta: β_1 of the linear noise schedule whose levels training draws between, in (0, 1).
        last_beta: β_N of that schedule, in (0, 1).
        diffusion_steps: N, the number of its steps, at least 1.
        audio_scale: What audio in [−1, 1] is multiplied by before it is noised, more than 0; 1 in all papers, see
            `audio_scale_of`.
    """

    up_channels: tuple[int, ...] = (768, 512, 512, 256, 128, 128)
    down_channels: tuple[int, ...] = (32, 128, 128, 256, 512)
    upsample_factors: tuple[int, ...] = (4, 4, 4, 2, 2)
    up_dilations: tuple[tuple[int, int, int, int], ...] = (*[(1, 2, 4, 8)] * 3, *[(1, 2, 1, 2)] * 2)
    down_dilations: tuple[int, int, int] = (1, 2, 1)
    blocks_per_stage: int = 1
    interpolation: Literal["linear", "nearest"] = "linear"
    film_channels: Literal["output", "input"] = "output"
    noise_level_scale: float = 5000.0
    first_beta: float = 1e-6
    last_beta: float = 1e-2
    diffusion_steps: int = 1000
    audio_scale: float = 1.0


@dataclass(frozen=True)
class WaveGradSampling:
    """The linear noise schedule of generation.

    Attributes:
        first_beta: β_1, in (0, 1).
        last_beta: β_N, in (0, 1).
        steps: N, the number of steps, at least 1.
    """

    first_beta: float = 1e-4
    last_beta: float = 0.05
    steps: int = 50


class FiLM(nn.Module):
    """Figure 5: feature-wise linear modulation, from features of the noisy waveform and the noise level."""

    def __init__(self, in_channels: int, out_channels: int, architecture: WaveGradArchitecture):
        super().__init__()
        self.channels = out_channels if architecture.film_channels == "output" else in_channels
        self.noise_level_scale = architecture.noise_level_scale
        self.input = _convolution(in_channels, self.channels)
        self.modulation = _convolution(self.channels, 2 * out_channels)

    def forward(self, features: Tensor, encoding: Tensor) -> tuple[Tensor, Tensor]:
        """Features (B, C_in, T), encoding of the noise level (B or 1, C_inner, 1) → scale and shift, each (B, C, T)."""
        return self.modulation(_activated(self.input(features)) + encoding).chunk(2, dim=1)

    def in_place(self, features: Tensor, encoding: Tensor) -> tuple[Tensor, Tensor]:
        """`forward` without copies, where no gradient is wanted."""
        return self.modulation(_activated_in_place(self.input(features)).add_(encoding)).chunk(2, dim=1)

    def encoding(self, noise_level: Tensor) -> Tensor:
        """Noise levels √ᾱ (B,) → sines and cosines (B, C_inner, 1), the positional encoding of Transformers."""
        # In double precision, since the arguments reach 5000 and neighbouring levels differ little.
        places = torch.arange(self.channels // 2, dtype=torch.float64, device=noise_level.device)
        angles = self.noise_level_scale * noise_level.double()[:, None] * 1e4 ** (-2 * places / self.channels)
        return torch.cat([angles.sin(), angles.cos()], dim=1).unsqueeze(2).to(self.input.weight.dtype)


class UpsamplingBlock(nn.Module):
    """Figure 4 (UBlock): two residual blocks of two convolutions, modulated before all but the first of the four."""

    def __init__(
        self, in_channels: int, out_channels: int, factor: int, dilations: tuple[int, ...], interpolation: str
    ):
        super().__init__()
        self.factor, self.interpolation = factor, interpolation
        first, *rest = dilations
        self.first = _convolution(in_channels, out_channels, first)
        self.rest = ModulesOf(_convolution(out_channels, out_channels, dilation) for dilation in rest)
        self.skip = ChannelsLastConv1d(in_channels, out_channels, 1)

    def forward(self, signal: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """Signal (B, C_in, T), modulation (B, C, T · factor) → (B, C, T · factor)."""
        second, third, fourth = self.rest
        upsampled = resampled(signal, signal.shape[2] * self.factor, self.interpolation)
        hidden = self.first(resampled(_activated(signal), upsampled.shape[2], self.interpolation))
        signal = self.skip(upsampled) + second(_activated(hidden * scale + shift))
        hidden = third(_activated(signal * scale + shift))
        return signal + fourth(_activated(hidden * scale + shift))

    def unmodulated(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """Signal (B, C_in, T) → h of equation 1, skip of equation 4, each (B, C, T · factor); needs no noise level."""
        length = signal.shape[2] * self.factor
        hidden = self.first(resampled(_activated(signal), length, self.interpolation))
        return hidden, resampled(self.skip(signal), length, self.interpolation)

    def modulated(self, hidden: Tensor, skip: Tensor, scale: Tensor, shift: Tensor) -> Tensor:
        """The rest of `forward`, from what `unmodulated` gives, in place: → (B, C, T · factor)."""
        second, third, fourth = self.rest
        signal = second(_activated_in_place(torch.addcmul(shift, hidden, scale))).add_(skip)
        hidden = third(_activated_in_place(torch.addcmul(shift, signal, scale)))
        return fourth(_activated_in_place(torch.addcmul(shift, hidden, scale, out=hidden))).add_(signal)


class DownsamplingBlock(nn.Module):
    """Figure 6 (DBlock): a residual block of three convolutions after downsampling."""

    def __init__(
        self, in_channels: int, out_channels: int, factor: int, dilations: tuple[int, ...], interpolation: str
    ):
        super().__init__()
        self.factor, self.interpolation = factor, interpolation
        self.convolutions = ModulesOf(
            _convolution(out_channels if index else in_channels, out_channels, dilation)
            for index, dilation in enumerate(dilations)
        )
        self.skip = ChannelsLastConv1d(in_channels, out_channels, 1)

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C_in, T) → (B, C, T / factor)."""
        signal = hidden = resampled(signal, signal.shape[2] // self.factor, self.interpolation)
        for convolution in self.convolutions:
            hidden = convolution(_activated(hidden))
        return hidden + self.skip(signal)


class WaveGrad(DiffusionVocoder):
    """Chen et al. 2021, figure 3; its noise levels are √ᾱ, continuous.

    Raises:
        ValueError: The settings do not fit each other; the message says which.
    """

    Architecture = WaveGradArchitecture
    Sampling = WaveGradSampling
    architecture: WaveGradArchitecture
    sampling: WaveGradSampling

    def __init__(
        self,
        architecture: WaveGradArchitecture,
        sampling: WaveGradSampling | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        _check(architecture, hop_length)
        sampling = self.Sampling() if sampling is None else sampling
        schedule = NoiseSchedule.linear(sampling.first_beta, sampling.last_beta, sampling.steps)
        super().__init__(architecture, sampling, n_mels, hop_length, schedule, list(schedule.signal_scales[1:]))
        up, down, factors = architecture.up_channels, architecture.down_channels, architecture.upsample_factors
        self.mel_convolution = _convolution(n_mels, up[0])
        self.waveform_convolution = ChannelsLastConv1d(1, down[0], 5, padding=2)
        self.downsampling = ModulesOf(  # from the rate of the waveform down to that of the first upsampling stage
            nn.Sequential(*_stacked(architecture, DownsamplingBlock, source, into, factor, architecture.down_dilations))
            for source, into, factor in zip(down[:-1], down[1:], factors[:0:-1], strict=True)
        )
        self.upsampling = ModulesOf(
            ModulesOf(_stacked(architecture, UpsamplingBlock, source, into, factor, dilations))
            for source, into, factor, dilations in zip(up[:-1], up[1:], factors, architecture.up_dilations, strict=True)
        )
        self.films = ModulesOf(  # one for each upsampling block, from the features at its rate
            ModulesOf(FiLM(source, into, architecture) for _ in range(architecture.blocks_per_stage))
            for source, into in zip(down[::-1], up[1:], strict=True)
        )
        self.output = _convolution(up[-1], 1)
        for module in self.modules():
            if isinstance(module, ChannelsLastConv1d):
                nn.init.orthogonal_(module.weight)
                nn.init.zeros_(module.bias)

    def context_frames(self) -> int:
        """See `Vocoder`; of one diffusion step: down to the lowest rate, through its modulation, and up again."""
        architecture = self.architecture
        factors, blocks = architecture.upsample_factors, architecture.blocks_per_stage
        reach, rate = kernel_reach(5) / self.hop_length, self.hop_length
        for factor in factors[:0:-1]:
            rate //= factor
            reach += (1 + blocks * sum(architecture.down_dilations)) / rate  # the interpolation, the convolutions
        reach += 2 * kernel_reach(3) / rate  # FiLM
        reach, rate = reach + kernel_reach(3), 1
        for factor, dilations in zip(factors, architecture.up_dilations, strict=True):
            reach += 1 / rate
            rate *= factor
            reach += blocks * sum(dilations) / rate
        return ceil(reach + kernel_reach(3) / rate)

    def predict_noise(self, noisy: Tensor, noise_level: Tensor, mel: Tensor) -> Tensor:
        """See `DiffusionVocoder`; the noise level is √ᾱ."""
        features = self._features(self.waveform_convolution(noisy.unsqueeze(1)))
        signal = self.mel_convolution(mel)
        for stage, films in zip(self.upsampling, self.films, strict=True):
            at_this_rate = features.pop()
            for block, film in zip(stage, films, strict=True):
                signal = block(signal, *film(at_this_rate, film.encoding(noise_level)))
        return self.output(signal).squeeze(1)

    def _features(self, waveform_features: Tensor) -> list[Tensor]:
        """Features of the noisy waveform at all rates, from its own down."""
        features = [waveform_features]
        for stage in self.downsampling:
            features.append(stage(features[-1]))
        return features

    def noise_predictor(self, mel: Tensor) -> NoisePredictor:
        """See `DiffusionVocoder`: equations 4 to 6 at the top of this file."""
        start = self.upsampling[0][0].unmodulated(channels_last(self.mel_convolution(mel)))
        levels = torch.tensor(self.noise_levels, dtype=torch.float64, device=mel.device)
        encodings = [[film.encoding(levels).unsqueeze(1) for film in films] for films in self.films]

        def predict(noisy: Tensor, step: int) -> Tensor:
            features = self._features(channels_last(self.waveform_convolution(noisy.unsqueeze(1))))
            signal = None
            for stage, films, stage_encodings in zip(self.upsampling, self.films, encodings, strict=True):
                at_this_rate = features.pop()
                for block, film, encoding in zip(stage, films, stage_encodings, strict=True):
                    hidden, skip = start if signal is None else block.unmodulated(signal)
                    signal = block.modulated(hidden, skip, *film.in_place(at_this_rate, encoding[step - 1]))
            return self.output(signal).squeeze(1)

        return predict


def _stacked(
    architecture: WaveGradArchitecture,
    block: Callable[[int, int, int, tuple[int, ...], str], Block],
    source: int,
    into: int,
    factor: int,
    dilations: tuple[int, ...],
) -> list[Block]:
    """The blocks of a stage; the first changes the rate and the channels."""
    mode, more = architecture.interpolation, architecture.blocks_per_stage - 1
    return [block(source, into, factor, dilations, mode), *(block(into, into, 1, dilations, mode) for _ in range(more))]


def _convolution(in_channels: int, out_channels: int, dilation: int = 1) -> ChannelsLastConv1d:
    padding = same_padding(3, dilation)
    return ChannelsLastConv1d(in_channels, out_channels, 3, padding=padding, dilation=dilation)


def _activated(signal: Tensor) -> Tensor:
    return functional.leaky_relu(signal, SLOPE)


def _activated_in_place(signal: Tensor) -> Tensor:
    return functional.leaky_relu(signal, SLOPE, inplace=True)


def resampled(signal: Tensor, length: int, interpolation: str) -> Tensor:
    """(B, C, T) → (B, C, length) by interpolation; as an image of height 1, which keeps channels-last memory."""
    if length == signal.shape[2]:
        return signal
    mode = {"linear": "bilinear", "nearest": "nearest"}[interpolation]
    return functional.interpolate(signal.unsqueeze(2), size=(1, length), mode=mode).squeeze(2)


def _check(architecture: WaveGradArchitecture, hop_length: int) -> None:
    factors = architecture.upsample_factors
    if prod(factors) != hop_length:
        raise ValueError(f"upsample_factors are {list(factors)}; they must multiply to hop_length, {hop_length}")
    stages = len(factors)
    if len(architecture.up_channels) != stages + 1 or len(architecture.down_channels) != stages:
        raise ValueError(f"{stages} upsample_factors need {stages + 1} up_channels and {stages} down_channels")
    if len(architecture.up_dilations) != stages:
        raise ValueError(f"{stages} upsample_factors need {stages} up_dilations")
    inner = architecture.up_channels[1:] if architecture.film_channels == "output" else architecture.down_channels
    if any(channels % 2 for channels in inner):
        raise ValueError(
            f"{'up' if architecture.film_channels == 'output' else 'down'}_channels must be even, since half of them "
            "are sines and half cosines of the noise level"
        )
    if architecture.noise_level_scale <= 0:
        raise ValueError(f"noise_level_scale is {architecture.noise_level_scale:g}; must be more than 0")
    if architecture.blocks_per_stage < 1:
        raise ValueError("blocks_per_stage must be at least 1")
