"""WaveGlow (Prenger et al., 2019): affine couplings on groups of samples, mixed by invertible 1 × 1 convolutions.

Where we differ from the paper, its authors' code (NVIDIA/waveglow) and the study of Douwes et al. (2023):

- Weight normalisation. Both codes train with it; ours has none, as the parameters that the study counted.
- σ, the deviation of the latent. In training √0.5 in the paper (section 2.4), 1.0 in both codes and here
  (`training: {sigma: …}`); at generation 0.6 in the paper and here, 1.0 in the study (`sampling: {sigma: …}`).
- Upsampling. Both codes cut the end of the upsampled mel-spectrogram; ours cuts both ends equally, so that frame and
  samples stay aligned, and the end alone by `upsample_cut: end`, which their weights need.

A flow maps channels x (C, w) to z with a matrix W (C, C) and a coupling of the halves a and b; · and exp by elements:

    (1)  y = W x, for each column (section 2.2)
    (2)  z_a = y_a;  z_b = y_b · exp(log σ) + μ, where [log σ; μ] = network(y_a; mel) (section 2.1)
    (3)  log |det ∂z / ∂x| = w log |det W| + Σ log σ, over all channels of b and all columns

Its inverse, with z_a = y_a known at once, so that the network runs once over all columns:

    (4)  y_b = (z_b − μ) · exp(−log σ);  x = W⁻¹ [z_a; y_b]

What is folded for it: W⁻¹ is computed once, in double precision (`keep_inverse`). The network becomes products of
matrices (`GatedMatrices`, with kernels of one row), whose end convolution E, e, which is linear, is taken as −E, −e, so
that it gives −log σ and −μ as (4) takes them. Channels that leave early (section 2.3) are rows of the latent; they come
back in where they left.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Self

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.chunks import kernel_reach, transposed_reach
from vocoder_pareto.models.flow import Encoding, FlowSampling, FlowVocoder, from_rows, gated, to_rows
from vocoder_pareto.models.gated_matrices import GatedLayer, GatedMatrices, Workspace
from vocoder_pareto.models.layers import ModulesOf, bias_of, same_padding, without_autocast


@dataclass(frozen=True)
class WaveGlowArchitecture:
    """Size of the flow.

    Attributes:
        flows: The number of flows, at least 1.
        groups: h, the number of samples that are squeezed into channels; even, and a divisor of hop_length.
        early_every: Channels leave to the latent before each flow whose number is a multiple of this, at least 1; flows
            are numbered from 0, and none leave before the first.
        early_channels: The number of channels that leave there; even, at least 0.
        layers: The number of layers of each coupling's network, at least 1; the dilation doubles from 1.
        channels: The number of channels between those layers, at least 1.
        kernel_size: The size of their convolutions; odd.
        upsample_kernel: The size of the transposed convolution of the mel-spectrogram in samples; hop_length, or more
            by an even number.
        upsample_cut: Where its surplus is cut: at both ends alike, or at the end alone, as by the authors' code.
        upsample_groups: The groups of the mel bands that it mixes, a divisor of their number: 1, the paper's, mixes all
            bands, and as many groups as bands filter each by itself, which takes 80 times fewer weights.
        audio_scale: What audio in [−1, 1] is multiplied by before it is encoded, more than 0; 1 in the paper, see
            `audio_scale_of`.

    Raises:
        ValueError: A size is too small or odd, or no channels are left for the last flow.
    """

    flows: int = 12
    groups: int = 8
    early_every: int = 4
    early_channels: int = 2
    layers: int = 8
    channels: int = 256
    kernel_size: int = 3
    upsample_kernel: int = 1024
    upsample_cut: Literal["both", "end"] = "both"
    upsample_groups: int = 1
    audio_scale: float = 1.0

    def __post_init__(self) -> None:
        if min(self.flows, self.layers, self.channels, self.early_every) < 1:
            raise ValueError("flows, layers, channels and early_every must be at least 1")
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {self.kernel_size}; must be odd")
        if self.groups % 2 or self.early_channels % 2 or self.early_channels < 0:
            raise ValueError(f"groups ({self.groups}) and early_channels ({self.early_channels}) must be even")
        if self.channels_of_flow(self.flows - 1) < 2:
            raise ValueError(f"{self.groups} groups leave no channels to the last flow; lower early_channels")

    def channels_of_flow(self, flow: int) -> int:
        """The number of channels that are left at the flow of this number, from 0."""
        return self.groups - self.early_channels * (flow // self.early_every)

    def leaves_early(self, flow: int) -> bool:
        """Whether channels leave before the flow of this number, from 0."""
        return flow > 0 and flow % self.early_every == 0


class InvertibleConvolution(nn.Module):
    """A 1 × 1 convolution with as many outputs as inputs (section 2.2; Kingma & Dhariwal, 2018).

    It starts as a random rotation: orthonormal, with determinant 1.
    """

    inverse_weight: Tensor | None  # W⁻¹, (C, C, 1)

    def __init__(self, channels: int):
        super().__init__()
        self.convolution = nn.Conv1d(channels, channels, 1, bias=False)
        rotation, _ = torch.linalg.qr(torch.randn(channels, channels, dtype=torch.float64))
        rotation[:, 0] *= torch.linalg.det(rotation).sign()
        self.convolution.weight.data.copy_(rotation[..., None])
        self.register_buffer("inverse_weight", None, persistent=False)

    def forward(self, signal: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, w) → (B, C, w), and the log-determinant of the map for one item, (), in nats."""
        log_determinant = torch.linalg.slogdet(self.convolution.weight[..., 0].double()).logabsdet
        with without_autocast(signal):  # rounded samples could not be inverted
            return self.convolution(signal), signal.shape[2] * log_determinant.to(signal.dtype)

    def invert(self, signal: Tensor) -> Tensor:
        """The inverse of `forward`: (B, C, w) → (B, C, w)."""
        weight = self._inverted_weight() if self.inverse_weight is None else self.inverse_weight
        with without_autocast(signal):
            return functional.conv1d(signal, weight)

    def keep_inverse(self) -> None:
        """Compute the inverse matrix now, for all further calls of `invert`."""
        self.inverse_weight = self._inverted_weight()

    def _inverted_weight(self) -> Tensor:
        weight = self.convolution.weight
        return torch.linalg.inv(weight[..., 0].double())[..., None].to(weight.dtype)


class CouplingNetwork(nn.Module):
    """WaveNet's layers without causality (section 2.1), which give scale and shift of one half of the channels.

    It starts as the identity: its last convolution is zero.
    """

    def __init__(self, half: int, architecture: WaveGlowArchitecture, mel_channels: int):
        super().__init__()
        channels, layers, kernel_size = architecture.channels, architecture.layers, architecture.kernel_size
        self.start = nn.Conv1d(half, channels, 1)
        self.conditioner = nn.Conv1d(mel_channels, 2 * channels * layers, 1)
        self.convolutions = ModulesOf(
            nn.Conv1d(
                channels, 2 * channels, kernel_size, padding=same_padding(kernel_size, 2**layer), dilation=2**layer
            )
            for layer in range(layers)
        )
        self.outputs = ModulesOf(
            nn.Conv1d(channels, 2 * channels if layer + 1 < layers else channels, 1) for layer in range(layers)
        )
        self.end = nn.Conv1d(channels, 2 * half, 1)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(bias_of(self.end))

    def forward(self, half: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Half of the channels, squeezed mel (B, M · h, w) → log σ and μ for the others, each (B, C/2, w)."""
        hidden, skips = self.start(half), half.new_zeros(())
        conditioning = self.conditioner(mel).chunk(len(self.convolutions), dim=1)
        for convolution, output, condition in zip(self.convolutions, self.outputs, conditioning, strict=True):
            connections = output(gated(convolution(hidden) + condition))
            if connections.shape[1] > hidden.shape[1]:  # the last layer has a skip connection only
                residual, connections = connections.chunk(2, dim=1)
                hidden = hidden + residual
            skips = skips + connections
        log_sigma, mu = self.end(skips).to(half.dtype).chunk(2, dim=1)
        return log_sigma, mu

    @torch.no_grad()
    def matrices(self) -> GatedMatrices:
        """The network as matrices, with −log σ and −μ as output, which equation 4 takes."""
        layers = len(self.convolutions)
        conditioners = zip(
            self.conditioner.weight[..., 0].chunk(layers), bias_of(self.conditioner).chunk(layers), strict=True
        )
        return GatedMatrices(
            front=self.start.weight[..., 0],
            front_bias=bias_of(self.start),
            layers=[
                self._layer(convolution, *conditioner, output)
                for convolution, conditioner, output in zip(self.convolutions, conditioners, self.outputs, strict=True)
            ],
            end=-self.end.weight[..., 0],
            end_bias=-bias_of(self.end),
        )

    @staticmethod
    def _layer(convolution: nn.Conv1d, conditioner: Tensor, conditioner_bias: Tensor, output: nn.Conv1d) -> GatedLayer:
        channels, output_bias = convolution.in_channels, bias_of(output)
        residual, skip = output.weight[:-channels, :, 0], output.weight[-channels:, :, 0]
        return GatedLayer(
            kernel=convolution.weight.unsqueeze(2),  # of one row
            dilation=convolution.dilation[0],
            conditioner=conditioner,
            bias=bias_of(convolution) + conditioner_bias,
            residual=(residual, output_bias[:-channels]) if len(residual) else None,  # the last layer has none
            skip=skip,
            skip_bias=output_bias[-channels:],
        )


class Flow(nn.Module):
    """An invertible convolution, then an affine coupling: equations 1 to 4 at the top of this file."""

    def __init__(self, channels: int, architecture: WaveGlowArchitecture, mel_channels: int):
        super().__init__()
        self.mixing = InvertibleConvolution(channels)
        self.network = CouplingNetwork(channels // 2, architecture, mel_channels)

    def forward(self, signal: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """(B, C, w), squeezed mel (B, M · h, w) → (B, C, w), log-determinant (B,)."""
        signal, log_determinant = self.mixing(signal)
        first, second = signal.chunk(2, dim=1)
        log_sigma, mu = self.network(first, mel)
        signal = torch.cat([first, second * log_sigma.exp() + mu], dim=1)
        return signal, log_determinant + log_sigma.sum(dim=(1, 2))

    def invert(self, signal: Tensor, mel: Tensor, matrices: GatedMatrices, workspace: Workspace) -> Tensor:
        """The inverse of `forward`, with the network as matrices.

        Args:
            signal: The channels z, (B, C, w).
            mel: The squeezed mel with a channel of ones below it, (B, M · h + 1, w).
            matrices: The network of this flow, from `CouplingNetwork.matrices`.
            workspace: Room for its layers, from `GatedMatrices.new_workspace`.

        Returns:
            The channels x, (B, C, w).
        """
        first, second = signal.chunk(2, dim=1)
        queue = matrices.new_signal(workspace.gates, 1)
        queue.push()[:, :-1] = first
        output = matrices.in_workspace(workspace)(queue, mel)
        negative_log_sigma, negative_mu = output.to(signal.dtype).chunk(2, dim=1)
        return self.mixing.invert(torch.cat([first, (second + negative_mu) * negative_log_sigma.exp()], dim=1))

    def invert_plainly(self, signal: Tensor, mel: Tensor) -> Tensor:
        """The inverse of `forward`: (B, C, w), squeezed mel (B, M · h, w) → (B, C, w)."""
        first, second = signal.chunk(2, dim=1)
        log_sigma, mu = self.network(first, mel)
        return self.mixing.invert(torch.cat([first, (second - mu) * torch.exp(-log_sigma)], dim=1))


@dataclass(frozen=True)
class WaveGlowSampling(FlowSampling):
    """As `FlowSampling`; 0.6 is that of section 2.4, less than the 1.0 of training."""

    sigma: float = 0.6


class WaveGlow(FlowVocoder):
    """Prenger et al. 2019, section 2.

    Raises:
        ValueError: The groups do not divide hop_length, upsample_kernel does not fit it, or upsample_groups do not
            divide n_mels.
    """

    Architecture = WaveGlowArchitecture
    Sampling = WaveGlowSampling
    architecture: WaveGlowArchitecture
    exports_plainly = True

    def __init__(
        self,
        architecture: WaveGlowArchitecture,
        sampling: FlowSampling | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        surplus = architecture.upsample_kernel - hop_length
        if hop_length % architecture.groups:
            raise ValueError(f"groups is {architecture.groups}; it must divide hop_length, {hop_length}")
        if surplus < 0 or surplus % 2:
            raise ValueError(
                f"upsample_kernel is {architecture.upsample_kernel}; it must be hop_length, {hop_length}, "
                "or more by an even number"
            )
        if architecture.upsample_groups < 1 or n_mels % architecture.upsample_groups:
            raise ValueError(f"upsample_groups is {architecture.upsample_groups}; it must divide n_mels, {n_mels}")
        cut_at_start = surplus // 2 if architecture.upsample_cut == "both" else 0
        self.upsampler = nn.ConvTranspose1d(
            n_mels,
            n_mels,
            architecture.upsample_kernel,
            stride=hop_length,
            padding=cut_at_start,
            groups=architecture.upsample_groups,
        )
        self.flows = ModulesOf(
            Flow(architecture.channels_of_flow(flow), architecture, n_mels * architecture.groups)
            for flow in range(architecture.flows)
        )
        self.matrices: ModulesOf[GatedMatrices] | None = None

    def encode(self, audio: Tensor, mel: Tensor) -> Encoding:
        """See `FlowVocoder`; equations 1 to 3 for each flow."""
        signal, mel = to_rows(audio, self.architecture.groups), self._squeezed_mel(mel)  # (B, h, w), (B, M · h, w)
        early, log_determinant = [], signal.new_zeros(())
        for index, flow in enumerate(self.flows):
            if self.architecture.leaves_early(index):
                early.append(signal[:, : self.architecture.early_channels])
                signal = signal[:, self.architecture.early_channels :]
            signal, logarithms = flow(signal, mel)
            log_determinant = log_determinant + logarithms
        return Encoding(from_rows(torch.cat([*early, signal], dim=1)), log_determinant)

    @torch.no_grad()
    def decode(self, latent: Tensor, mel: Tensor) -> Tensor:
        """See `FlowVocoder`; equation 4 for each flow, with the networks as matrices."""
        matrices = self.matrices or [flow.network.matrices() for flow in self.flows]
        mel = functional.pad(self._squeezed_mel(mel), (0, 0, 0, 1), value=1.0)
        workspace = matrices[0].new_workspace(mel)

        def invert(index: int, signal: Tensor) -> Tensor:
            return self.flows[index].invert(signal, mel, matrices[index], workspace)

        return self._inverted(latent, invert)

    def decode_plainly(self, latent: Tensor, mel: Tensor) -> Tensor:
        """See `FlowVocoder`; equation 4 for each flow, with the networks as in training."""
        mel = self._squeezed_mel(mel)
        return self._inverted(latent, lambda index, signal: self.flows[index].invert_plainly(signal, mel))

    def context_frames(self) -> int:
        """See `Vocoder`: the reach of all coupling networks, which follow one another."""
        architecture = self.architecture
        columns = sum(kernel_reach(architecture.kernel_size, 2**layer) for layer in range(architecture.layers))
        samples = architecture.flows * columns * architecture.groups
        upsampler = transposed_reach(architecture.upsample_kernel, self.hop_length)
        return math.ceil(samples / self.hop_length) + upsampler

    def prepare_for_inference(self) -> Self:
        """See `Vocoder`; the inverse matrices and those of the networks are computed here once."""
        super().prepare_for_inference()
        for flow in self.flows:
            flow.mixing.keep_inverse()
        self.matrices = ModulesOf(flow.network.matrices() for flow in self.flows)
        return self

    def _inverted(self, latent: Tensor, invert: Callable[[int, Tensor], Tensor]) -> Tensor:
        rows, architecture = to_rows(latent, self.architecture.groups), self.architecture
        early = architecture.groups - architecture.channels_of_flow(architecture.flows - 1)  # channels yet to come in
        signal = rows[:, early:]
        for index in range(architecture.flows - 1, -1, -1):
            signal = invert(index, signal)
            if architecture.leaves_early(index):
                early -= architecture.early_channels
                signal = torch.cat([rows[:, early : early + architecture.early_channels], signal], dim=1)
        return from_rows(signal)

    def _squeezed_mel(self, mel: Tensor) -> Tensor:
        upsampled = self.upsampler(mel)[..., : mel.shape[2] * self.hop_length]
        return to_rows(upsampled, self.architecture.groups).flatten(1, 2)  # (B, M, L) -> (B, M · h, w)
