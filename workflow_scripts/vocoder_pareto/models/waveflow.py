"""WaveFlow (Ping et al., 2020): a flow that is autoregressive over the few rows of a waveform in two dimensions.

Where the paper leaves a choice, this follows what Douwes et al. (2023) counted: the first row of a flow passes
unchanged (it is transformed in the next flow, where the rows are reversed); and residual and skip connections are plain
sums. The permutation is the paper's (a): the rows are reversed after each flow.

A flow (section 3), with x_i the rows of its input, z_i those of its output, i = 0 … h − 1, · and exp by elements:

    (1)  z_0 = x_0;  z_i = x_i · exp(log σ_i) + μ_i, where [log σ_i; μ_i] = network(x_0, …, x_i−1; mel rows 1, …, i)
    (2)  x_0 = z_0;  x_i = (z_i − μ_i) · exp(−log σ_i), row by row, since σ_i and μ_i need the x before

In training all rows of (1) are known, and one pass of the network over h − 1 rows gives them; generation by (2) as it
stands (`invert_plainly`) passes 1, 2, …, h − 1 rows, h (h − 1) / 2 altogether. The queues save that. In layer k the
convolution, of `kernel_size` r along the height, is causal. With a_k,i (2 C, w) what it gives for row i of its input
x_k, and S_t and W_k,d,t the shift and the matrix of tap t, d rows above:

    (3)  a_k,i = Σ_d=0…r−1 Σ_t W_k,d,t S_t x_k,i−d, with x_k,j = 0 for j < 0
    (4)  x_k+1,i = x_k,i + what the gate and the residual connection make of a_k,i and of mel row i + 1

So x_k,j never changes once row j was computed, and (3) for a new row needs the last r rows of x_k and nothing else. A
`RowQueue` for each layer holds them, and (2) passes one row a step, h − 1 altogether: the convolution queues of the
paper (section 3, after Paine et al., 2016). `GatedMatrices` computes that row; −log σ and −μ come out of it directly,
because the end convolution is linear, and its sign is turned beforehand.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from vocoder_pareto.models.chunks import in_chunks, kernel_reach, upsampler_reach
from vocoder_pareto.models.flow import Encoding, FlowSampling, FlowVocoder, from_rows, gated, to_rows
from vocoder_pareto.models.gated_matrices import GatedLayer, GatedMatrices, Workspace
from vocoder_pareto.models.layers import MelUpsampler, ModulesOf, bias_of, normed_conv2d, same_padding


@dataclass(frozen=True)
class WaveFlowArchitecture:
    """Size of the flow.

    Attributes:
        flows: The number of flows, at least 1.
        layers: The number of residual layers of each flow, at least 1; the dilation along the width doubles from 1,
            along the height it is 1.
        channels: C, the number of channels between them, at least 1.
        height: h, the number of rows that the waveform is folded into, at least 2: the sequential steps of a flow at
            generation. It divides hop_length.
        kernel_size: r, the size of the convolutions along height and width; odd.
        upsample_factors: The strides of the transposed convolutions of the mel-spectrogram; even, with the product
            hop_length.
        audio_scale: What audio in [−1, 1] is multiplied by before it is encoded, more than 0; 1 in the paper, see
            `audio_scale_of`.

    Raises:
        ValueError: A size is too small, or the kernel size is even.
    """

    flows: int = 8
    layers: int = 8
    channels: int = 64
    height: int = 16
    kernel_size: int = 3
    upsample_factors: tuple[int, ...] = (16, 16)
    audio_scale: float = 1.0

    def __post_init__(self) -> None:
        if min(self.flows, self.layers, self.channels) < 1 or self.height < 2:
            raise ValueError("flows, layers and channels must be at least 1, height at least 2")
        if self.kernel_size < 1 or self.kernel_size % 2 == 0:
            raise ValueError(f"kernel_size is {self.kernel_size}; must be odd")


class ResidualLayer(nn.Module):
    """A dilated 2-D convolution, causal along the height, with the mel-spectrogram, gated (section 3)."""

    def __init__(self, channels: int, kernel_size: int, dilation: int, n_mels: int):
        super().__init__()
        self.rows_above, self.columns = kernel_size - 1, same_padding(kernel_size, dilation)  # zeros around the signal
        self.convolution = normed_conv2d(
            channels, 2 * channels, kernel_size, padding=(self.rows_above, self.columns), dilation=(1, dilation)
        )
        self.conditioner = normed_conv2d(n_mels, 2 * channels, 1)
        self.output = normed_conv2d(channels, 2 * channels, 1)

    def forward(self, hidden: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """Hidden rows (B, C, n, w), their conditioning (B, 2 C, n, w) → next hidden rows, skip, each (B, C, n, w)."""
        convolved = functional.conv2d(
            functional.pad(hidden, (0, 0, self.rows_above, 0)),
            self.convolution.weight,
            self.convolution.bias,
            padding=(0, self.columns),
            dilation=self.convolution.dilation,
        )
        return self._connected(hidden, convolved + conditioning)

    def forward_plainly(self, hidden: Tensor, conditioning: Tensor) -> tuple[Tensor, Tensor]:
        """The same by the layer itself, which pads above and below; the surplus rows are computed and cut off."""
        convolved = self.convolution(hidden)[:, :, : hidden.shape[2]]
        return self._connected(hidden, convolved + conditioning)

    def weights(self) -> GatedLayer:
        """The weights of this layer as `GatedMatrices` takes them."""
        residual, skip = self.output.weight[..., 0, 0].chunk(2)
        residual_bias, skip_bias = bias_of(self.output).chunk(2)
        return GatedLayer(
            kernel=self.convolution.weight,
            dilation=self.convolution.dilation[1],
            conditioner=self.conditioner.weight[..., 0, 0],
            bias=bias_of(self.convolution) + bias_of(self.conditioner),
            residual=(residual, residual_bias),
            skip=skip,
            skip_bias=skip_bias,
        )

    def _connected(self, hidden: Tensor, activation: Tensor) -> tuple[Tensor, Tensor]:
        residual, skip = self.output(gated(activation)).chunk(2, dim=1)
        return hidden + residual, skip


class Flow(nn.Module):
    """One affine autoregressive transformation of the rows, equations 1 and 2 at the top of this file.

    The network starts as the identity: its last convolution is zero.
    """

    def __init__(self, architecture: WaveFlowArchitecture, n_mels: int):
        super().__init__()
        channels = architecture.channels
        self.front = normed_conv2d(1, channels, 1)
        self.layers = ModulesOf(
            ResidualLayer(channels, architecture.kernel_size, 2**layer, n_mels) for layer in range(architecture.layers)
        )
        self.end = nn.Conv2d(channels, 2, 1)
        nn.init.zeros_(self.end.weight)
        nn.init.zeros_(bias_of(self.end))

    def forward(self, signal: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of audio (B, 1, h, w) and mel (B, M, h, w) → rows of the latent (B, 1, h, w), log-determinant (B,)."""
        hidden, skips = self.front(signal[:, :, :-1]), signal.new_zeros(())
        mel = mel[:, :, 1:].contiguous()
        for layer in self.layers:
            hidden, skip = layer(hidden, layer.conditioner(mel))
            skips = skips + skip
        log_sigma, mu = self.end(skips).to(signal.dtype).chunk(2, dim=1)
        latent = torch.cat([signal[:, :, :1], signal[:, :, 1:] * log_sigma.exp() + mu], dim=2)
        return latent, log_sigma.sum(dim=(1, 2, 3))

    def invert_plainly(self, latent: Tensor, mel: Tensor) -> Tensor:
        """The inverse for rows (B, 1, h, w): for each of them the network sees all rows before it again.

        Only the conditioning, which no row depends on, is computed once, as in what Douwes et al. (2023) counted.
        """
        conditioning = [layer.conditioner(mel) for layer in self.layers]
        signal = latent[:, :, :1]
        for row in range(1, latent.shape[2]):
            hidden, skips = self.front(signal), signal.new_zeros(())
            for layer, condition in zip(self.layers, conditioning, strict=True):
                hidden, skip = layer.forward_plainly(hidden, condition[:, :, 1 : row + 1])
                skips = skips + skip
            log_sigma, mu = self.end(skips)[:, :, -1:].chunk(2, dim=1)
            signal = torch.cat([signal, (latent[:, :, row : row + 1] - mu) * torch.exp(-log_sigma)], dim=2)
        return signal


@torch.no_grad()
def matrices_of(flow: Flow) -> GatedMatrices:
    """The network of a flow, with −log σ and −μ as its output, which equation 2 takes."""
    return GatedMatrices(
        front=flow.front.weight[..., 0, 0],
        front_bias=bias_of(flow.front),
        layers=[layer.weights() for layer in flow.layers],
        end=-flow.end.weight[..., 0, 0],
        end_bias=-bias_of(flow.end),
    )


def invert_by_queues(matrices: GatedMatrices, latent: Tensor, mel: Sequence[Tensor], workspace: Workspace) -> Tensor:
    """The inverse of a flow, equation 2, where each row is computed once, from queues.

    Args:
        matrices: The network of the flow, from `matrices_of`.
        latent: The rows z_i, (B, h, w).
        mel: The upsampled mel-spectrograms of the rows with a band of ones, h times (B, M + 1, w).
        workspace: Room for the layers, from `GatedMatrices.new_workspace`.

    Returns:
        The rows x_i, (B, h, w).
    """
    network = matrices.in_workspace(workspace)
    signal = matrices.new_signal(workspace.gates, len(mel))
    rows = torch.empty_like(latent)
    rows[:, 0] = latent[:, 0]
    for row in range(1, len(mel)):
        signal.push()[:, 0] = rows[:, row - 1]
        negative_log_sigma, negative_mu = network(signal, mel[row]).to(latent.dtype).unbind(1)
        torch.mul(latent[:, row] + negative_mu, negative_log_sigma.exp_(), out=rows[:, row])
    return rows


class WaveFlow(FlowVocoder):
    """Ping et al. 2020, section 3. At generation its default standard deviation of the latent is the paper's, 1.

    Raises:
        ValueError: The upsampling factors do not multiply to hop_length, or the height does not divide it.
    """

    Architecture = WaveFlowArchitecture
    architecture: WaveFlowArchitecture

    def __init__(
        self,
        architecture: WaveFlowArchitecture,
        sampling: FlowSampling | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        factors = architecture.upsample_factors
        if math.prod(factors) != hop_length or any(factor % 2 for factor in factors):
            raise ValueError(
                f"upsample_factors are {list(factors)}; they must be even and multiply to hop_length, {hop_length}"
            )
        if hop_length % architecture.height:
            raise ValueError(f"height is {architecture.height}; it must divide hop_length, {hop_length}")
        self.upsampler = MelUpsampler(factors)
        for convolution in self.upsampler.convolutions:
            weight_norm(convolution)
        self.flows = ModulesOf(Flow(architecture, n_mels) for _ in range(architecture.flows))
        self.matrices: ModulesOf[GatedMatrices] | None = None

    def encode(self, audio: Tensor, mel: Tensor) -> Encoding:
        """See `FlowVocoder`; all rows at once."""
        signal, mel = self._rows(audio), self._mel_rows(mel)
        log_determinant = signal.new_zeros(())
        for flow in self.flows:
            signal, logarithms = flow(signal, mel)
            log_determinant = log_determinant + logarithms
            signal, mel = signal.flip(2), mel.flip(2)
        return Encoding(from_rows(signal).squeeze(1), log_determinant)

    def decode_plainly(self, latent: Tensor, mel: Tensor) -> Tensor:
        """See `FlowVocoder`: each row of each flow from all rows before it."""
        signal, mel = self._rows(latent), self._mel_rows(mel)
        if len(self.flows) % 2:
            mel = mel.flip(2)
        for flow in reversed(self.flows):
            signal, mel = signal.flip(2), mel.flip(2)
            signal = flow.invert_plainly(signal, mel)
        return from_rows(signal).squeeze(1)

    @torch.no_grad()
    def decode(self, latent: Tensor, mel: Tensor) -> Tensor:
        """See `FlowVocoder`; each row of each flow from convolution queues."""
        return self._decoded(latent, mel, range(len(self.flows)))

    @torch.no_grad()
    def decode_in_chunks(self, latent: Tensor, mel: Tensor, chunk_frames: int) -> Tensor:
        """See `FlowVocoder`; each flow goes through all chunks, so that the context is that of one flow."""
        for index in range(len(self.flows) - 1, -1, -1):
            latent = self._decoded_in_chunks(latent, mel, index, chunk_frames)
        return latent

    def context_frames(self) -> int:
        """See `Vocoder`: of one flow, where every row depends on the one before it, and that again."""
        architecture = self.architecture
        columns = sum(kernel_reach(architecture.kernel_size, 2**layer) for layer in range(architecture.layers))
        samples = (architecture.height - 1) * columns * architecture.height
        return math.ceil(samples / self.hop_length + upsampler_reach(architecture.upsample_factors))

    def _decoded_in_chunks(self, signal: Tensor, mel: Tensor, flow: int, chunk_frames: int) -> Tensor:
        return in_chunks(
            lambda frames, samples: self._decoded(signal[:, samples], mel[..., frames], [flow]),
            mel.shape[2],
            chunk_frames,
            self.context_frames(),
            self.hop_length,
        )

    def _decoded(self, latent: Tensor, mel: Tensor, flows: Sequence[int]) -> Tensor:
        """Undo `flows`, from the last to the first of them."""
        matrices = [self.matrices[index] if self.matrices else matrices_of(self.flows[index]) for index in flows]
        with_ones = functional.pad(self._mel_rows(mel).permute(2, 0, 1, 3), (0, 0, 0, 1), value=1.0)  # (h, B, M + 1, w)
        workspace = matrices[0].new_workspace(with_ones[0])
        mel_rows, signal = with_ones.unbind(0), to_rows(latent, self.architecture.height)
        for index, own_matrices in zip(reversed(flows), reversed(matrices), strict=True):
            rows_seen = mel_rows if index % 2 == 0 else mel_rows[::-1]
            signal = invert_by_queues(own_matrices, signal.flip(1), rows_seen, workspace)
        return from_rows(signal)

    def prepare_for_inference(self) -> Self:
        """See `Vocoder`; the matrices of the queues are derived here once."""
        super().prepare_for_inference()
        self.matrices = ModulesOf(matrices_of(flow) for flow in self.flows)
        return self

    def _rows(self, signal: Tensor) -> Tensor:
        return to_rows(signal, self.architecture.height).unsqueeze(1)  # (B, T) -> (B, 1, h, w)

    def _mel_rows(self, mel: Tensor) -> Tensor:
        return to_rows(self.upsampler(mel), self.architecture.height).contiguous()  # (B, M, L) -> (B, M, h, w)
