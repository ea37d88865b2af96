"""Flow2GAN (Yao et al., 2025): a network at three resolutions that turns noise into audio in one, two or four steps.

Trained by flow matching on the straight line from noise x₀ to audio x₁, x_t = (1 − t) x₀ + t x₁, the network g tells
the end of the line from where it stands. A step of Euler's solver goes a part of the way there,

    x ← x + (g(x, t, mel) − x) / (N − n),    t = n / N,    n = 0 … N − 1,                                           (1)

from 0.1 times white noise; the last one arrives at what g says. g is the mean of branches: each takes the spectra of x
at its resolution through ConvNeXt blocks, which hear an encoded mel-spectrogram and the time t, to those of an estimate
(`spectral_branch.py`). A second stage of training adapts this sampler as a whole to its number of steps
(`training/objectives/flow2gan.py`).

All facts are of the official code (github.com/k2-fsa/Flow2GAN, `mel_24k_base`); of the paper, arXiv 2512.23278, the
abstract and the introduction were at hand. Every window there is two hops long, so the architecture names hops alone.
At 16,000 Hz, a hop of 256 and 80 bands there are 78,918,822 parameters. The plain form, as the official code, takes
7.18 · 10⁹ multiply-accumulates per second of a clip of 10 s in one step, 13.96 · 10⁹ in two, 27.51 · 10⁹ in four (7.24,
14.08 and 27.77 · 10⁹ in one of 64 frames, since spectra have a frame more); the fast one 6.36, 11.59 and 22.06 · 10⁹.

As there, the encoded mel-spectrogram of L frames goes on with zeros under the last of the L · r + 1 frames of a branch
(each is repeated r times). Deviations: a clip that is no longer than half a window is reflected as often as needed,
where the official code gives up, and the sines of the time are computed in double precision.

`generate_plainly` is the official order of work. `generate` computes what depends neither on x nor on the step once,
and at the rate of the mel-spectrogram: what acts on each frame by itself may do so before frames are repeated. Prepared
for inference, it also has

- a transform and the projection beside it as one matrix, since both are linear: with D the windowed Fourier transform
  of a frame s, and W and b the projection, W (D s) + b = (W D) s + b; and so back                                  (2)
- the scales of each block at each of the N times, which depend on nothing else.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.chunks import in_chunks, kernel_reach
from vocoder_pareto.models.layers import ChannelsLastConv1d, ModulesOf, channels_last
from vocoder_pareto.models.spectral_branch import KERNEL, BiasNorm, Branch, ConvNeXtBlock, Ends, MergedEnds
from vocoder_pareto.models.vocoder import Generators, Vocoder, draw_noise

Estimate = Callable[[Tensor, int], Tensor]  # (x (B, T), step n) -> g(x, n / N, mel) (B, T)
Fuse = Callable[[Tensor], Tensor]  # estimates (B, branches, T) -> g (B, T)


@dataclass(frozen=True)
class Flow2GANArchitecture:
    """The configuration `mel_24k_base` by default.

    Attributes:
        hops: The samples from frame to frame of the spectra of each branch; parts of hop_length.
        channels: The channels of each branch.
        blocks: The number of blocks of a branch, at least 1.
        expansion: How many times as many channels blocks have inside, at least 1.
        encoder_channels: The channels of the encoded mel-spectrogram.
        encoder_blocks: The number of blocks that encode it, at least 0.
        time_channels: The channels of the embedding of the time, even.
        noise_scale: The deviation of the noise that generation begins with, greater than 0.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    hops: tuple[int, ...] = (256, 128, 64)
    channels: tuple[int, ...] = (768, 512, 384)
    blocks: int = 8
    expansion: int = 3
    encoder_channels: int = 512
    encoder_blocks: int = 4
    time_channels: int = 512
    noise_scale: float = 0.1

    def __post_init__(self) -> None:
        if not self.hops or len(self.hops) != len(self.channels):
            raise ValueError(
                f"hops {list(self.hops)} and channels {list(self.channels)} must have the same length, of at least 1"
            )
        if min(*self.hops, *self.channels) < 1:
            raise ValueError(f"hops {list(self.hops)} and channels {list(self.channels)} must be at least 1")
        for name, least in (("blocks", 1), ("expansion", 1), ("encoder_channels", 1), ("encoder_blocks", 0)):
            if getattr(self, name) < least:
                raise ValueError(f"{name} is {getattr(self, name)}; must be at least {least}")
        if self.time_channels < 2 or self.time_channels % 2:
            raise ValueError(f"time_channels is {self.time_channels}; must be even, and at least 2")
        if self.noise_scale <= 0:
            raise ValueError(f"noise_scale is {self.noise_scale}; must be greater than 0")


@dataclass(frozen=True)
class Flow2GANSampling:
    """How many steps generation takes.

    Attributes:
        steps: N of equation (1), at least 1; best the number that the second stage of training was for.

    Raises:
        ValueError: There is no step.
    """

    steps: int = 1

    def __post_init__(self) -> None:
        if self.steps < 1:
            raise ValueError(f"steps is {self.steps}; must be at least 1")


class Prepared(nn.Module):
    """What of a branch is computed before it generates; no state_dict holds it.

    Attributes:
        ends: The ends of the branch as matrices.
        scales: What each block multiplies by in each step, (N, blocks, 1, C, 1).
    """

    scales: Tensor

    def __init__(self, branch: Branch, times: Tensor):
        super().__init__()
        self.ends = MergedEnds(branch.ends)
        scales = torch.stack(branch.scales(times), dim=1)  # (N, blocks, C, 1)
        self.register_buffer("scales", scales.detach().unsqueeze(2), persistent=False)


class Flow2GAN(Vocoder):
    """Yao et al. 2025: noise → waveform, given its mel-spectrogram, in a few steps.

    Raises:
        ValueError: A hop of the architecture is no part of hop_length.
    """

    Architecture = Flow2GANArchitecture
    Sampling = Flow2GANSampling
    architecture: Flow2GANArchitecture
    sampling: Flow2GANSampling

    def __init__(
        self,
        architecture: Flow2GANArchitecture,
        sampling: Flow2GANSampling | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        if any(hop_length % hop for hop in architecture.hops):
            raise ValueError(f"hops are {list(architecture.hops)}; each must be a part of hop_length, {hop_length}")
        encoded, expansion = architecture.encoder_channels, architecture.expansion
        self.encoder = nn.Sequential(
            ChannelsLastConv1d(n_mels, encoded, 3, padding=1),
            BiasNorm(encoded),
            *(ConvNeXtBlock(encoded, expansion) for _ in range(architecture.encoder_blocks)),
        )
        self.branches = ModulesOf(
            Branch(hop, channels, architecture.blocks, expansion, encoded, architecture.time_channels)
            for hop, channels in zip(architecture.hops, architecture.channels, strict=True)
        )
        self.repeats = [hop_length // hop for hop in architecture.hops]
        self.prepared: ModulesOf[Prepared] | None = None
        self.apply(_initialise)

    def forward(
        self, mel: Tensor, generator: Generators = None, steps: int | None = None, fuse: Fuse | None = None
    ) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T) by equation (1), as the second stage of training has it.

        Args:
            mel: The mel-spectrograms.
            generator: The source of noise, see `Vocoder.generate`.
            steps: N; that of the sampling by default.
            fuse: What makes of the estimates of the branches (B, branches, T) the one (B, T); their mean by default.
        """
        steps = self.sampling.steps if steps is None else steps
        conditions = self.conditions(mel)

        def estimate(noisy: Tensor, step: int) -> Tensor:
            times = torch.full((len(mel),), step / steps, dtype=torch.float64, device=mel.device)
            return (fuse or _mean)(self.estimates(noisy, times, conditions))

        return _flowed(self.noise(mel, generator), estimate, steps)

    def noise(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """The noise x₀ (B, T) of mel-spectrograms (B, M, L)."""
        shape = (len(mel), mel.shape[2] * self.hop_length)
        return self.architecture.noise_scale * draw_noise(shape, mel, generator)

    def conditions(self, mel: Tensor) -> list[list[Tensor]]:
        """Mel-spectrogram (B, M, L) → of each branch what each of its blocks adds, (B, C, L + 1)."""
        encoded = functional.pad(self.encoder(mel).unsqueeze(2), (0, 1)).squeeze(2)  # in its memory layout
        return [branch.conditions(encoded) for branch in self.branches]

    def estimates(self, noisy: Tensor, times: Tensor, conditions: Sequence[Sequence[Tensor]]) -> Tensor:
        """x (B, T) at times (B,), and what `conditions` gives → the estimate of each branch, (B, branches, T)."""
        return self._estimates(noisy, conditions, [branch.scales(times) for branch in self.branches])

    @torch.no_grad()
    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: equation (1), with all that can be computed before."""
        noise = self.noise(mel, generator)
        return _flowed(noise, self._estimate(mel), self.sampling.steps).clamp_(-1, 1)

    @torch.no_grad()
    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: the whole network but the encoder at every step, as in the official code."""
        noise, encoded = self.noise(mel, generator), self.encoder(mel)

        def estimate(noisy: Tensor, step: int) -> Tensor:
            times = torch.full((len(mel),), step / self.sampling.steps, dtype=torch.float64, device=mel.device)
            estimates = []
            for branch, repeats in zip(self.branches, self.repeats, strict=True):
                conditions = branch.conditions(functional.pad(encoded.repeat_interleave(repeats, dim=2), (0, 1)))
                estimates.append(branch(noisy, conditions, branch.scales(times), repeats=1))
            return torch.stack(estimates, dim=1).mean(dim=1)

        return _flowed(noise, estimate, self.sampling.steps).clamp_(-1, 1)

    @torch.no_grad()
    def generate_in_chunks(self, mel: Tensor, chunk_frames: int, generator: Generators = None) -> Tensor:
        """See `Vocoder`; each step goes through all chunks, so that the context is that of one step."""
        context_frames = self.context_frames()

        def estimate(noisy: Tensor, step: int) -> Tensor:
            return in_chunks(
                lambda frames, samples: self._estimate(mel[..., frames])(noisy[:, samples], step),
                mel.shape[2],
                chunk_frames,
                context_frames,
                self.hop_length,
            )

        return _flowed(self.noise(mel, generator), estimate, self.sampling.steps).clamp_(-1, 1)

    def context_frames(self) -> int:
        """See `Vocoder`: the reach of one step, that of the encoder and then of the branch that reaches farthest."""
        encoder = 1 + kernel_reach(KERNEL) * self.architecture.encoder_blocks
        return encoder + max(
            -(-branch.reach() // repeats) for branch, repeats in zip(self.branches, self.repeats, strict=True)
        )

    def prepare_for_inference(self) -> Self:
        """See `Vocoder`; the matrices of equation (2) and the scales of all steps are computed here once."""
        super().prepare_for_inference()
        steps = self.sampling.steps
        times = torch.arange(steps, dtype=torch.float64, device=self.like.device) / steps
        self.prepared = ModulesOf(Prepared(branch, times) for branch in self.branches)
        return self

    def _estimate(self, mel: Tensor) -> Estimate:
        """g of `mel` at the times of the sampling, in the fast form."""
        conditions, prepared, steps = self.conditions(channels_last(mel)), self.prepared, self.sampling.steps

        def estimate(noisy: Tensor, step: int) -> Tensor:
            if prepared is None:
                times = torch.full((1,), step / steps, dtype=torch.float64, device=noisy.device)
                return _mean(self.estimates(noisy, times, conditions))
            scales, ends = [list(each.scales[step]) for each in prepared], [each.ends for each in prepared]
            return _mean(self._estimates(noisy, conditions, scales, ends))

        return estimate

    def _estimates(
        self,
        noisy: Tensor,
        conditions: Sequence[Sequence[Tensor]],
        scales: Sequence[Sequence[Tensor]],
        ends: Sequence[Ends | None] | None = None,
    ) -> Tensor:
        parts = zip(self.branches, conditions, scales, self.repeats, ends or [None] * len(scales), strict=True)
        return torch.stack([branch(noisy, *rest) for branch, *rest in parts], dim=1)


def _flowed(noise: Tensor, estimate: Estimate, steps: int) -> Tensor:
    """Equation (1) from `noise` (B, T)."""
    signal = noise
    for step in range(steps):
        signal = signal + (estimate(signal, step) - signal) / (steps - step)
    return signal


def _mean(estimates: Tensor) -> Tensor:
    return estimates.mean(dim=1)


def _initialise(layer: nn.Module) -> None:
    """As the official code: weights of a normal distribution of 0.015, cut at ±2, and no bias."""
    if isinstance(layer, nn.Conv1d | nn.Linear):
        nn.init.trunc_normal_(layer.weight, std=0.015)
        if layer.bias is not None:
            nn.init.zeros_(layer.bias)
