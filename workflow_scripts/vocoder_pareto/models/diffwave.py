"""DiffWave (Kong et al., 2021): a diffusion vocoder of dilated, gated residual layers at the rate of the waveform.

Where the paper leaves a choice, and who takes which; the usual code is lmnt-com/diffwave, which the authors of the
study (Douwes et al., 2023) took over:

- Step embedding. The paper takes sines of 10^(4 i / 63) times the step. Fast sampling (appendix B) has fractional
  steps, which training never draws, and sines of up to 10⁴ rad per step tell nothing between two whole ones. The usual
  code interpolates a table of whole steps linearly, and so do we. It counts steps from 0, the paper and we from 1; its
  weights need `architecture: {first_step: 0}`.
- Start. As in the usual code, convolutions start as He et al. (2015) draw them, and the weights of the last one at
  zero, so that a fresh network predicts a constant. The paper is silent.
- Scales. As in the usual code, a layer divides its sum of signal and residual by √2, and the sum of the skips is
  divided by the root of the number of layers. The paper is silent.
- Sampling. The paper draws noise after every step, of variance β_1 after the last; the usual code and we return the
  mean of the last one. The usual code clips every state to [−1, 1], and so the noise in it; we clip the result, and of
  the states what lies far outside. The study's code adds no noise after the start: the lines that add it stand behind
  the loop, where the last step takes none.
- Loss and learning rate: see `training/objectives/diffwave.py`.

`predict_noise` is the network as in figure 2. Letters: k = 0 … K − 1 counts the residual layers, n the diffusion steps;
x_k (C, T) is the input of layer k, p_k(n) (C, 1) the projection of the step, A_k the dilated convolution with its bias,
M_k what the conditioner makes of the upsampled mel-spectrogram; R_k, r_k and Q_k, q_k are the halves of matrix and bias
of the output convolution, for the residual and the skip; σ is the sigmoid, ⊙ the product by elements:

    (1)  [f_k; g_k] = A_k(x_k + p_k(n)) + M_k
    (2)  y_k = tanh(f_k) ⊙ σ(g_k)
    (3)  x_k+1 = (x_k + R_k y_k + r_k) / √2
    (4)  s = Σ_k (Q_k y_k + q_k), and the noise is a function of s / √K

`noise_predictor` computes the same for all n, with M_k and p_k(n) at hand and one pass over the signal a product:

    (5)  σ(g) = (1 + tanh(g / 2)) / 2, so 2 y_k = u + u ⊙ v with [u; v] = tanh(H [f_k; g_k]), where the diagonal matrix
         H holds 1 for the filter and ½ for the gate: one tanh for both. H M_k is kept from step to step.
    (6)  z_k = x_k + p_k(n), what the dilated convolution sees, follows from (3) without x_k:
         z_k+1 = z_k / √2 + R_k (2 y_k) / √8 + o_k+1(n), where o_k+1(n) = p_k+1(n) + (r_k − p_k(n)) / √2 and
         o_0(n) = p_0(n) are equal for all samples, and computed for all steps beforehand.
    (7)  s = Σ_k q_k + Σ_k Q_k (2 y_k) / 2, where the first sum depends on nothing.
"""

from dataclasses import dataclass
from math import ceil, prod, sqrt
from typing import Literal

import torch
from torch import Tensor, nn

from vocoder_pareto.models.chunks import kernel_reach, upsampler_reach
from vocoder_pareto.models.diffusion import DiffusionVocoder, NoisePredictor, NoiseSchedule, training_schedule
from vocoder_pareto.models.layers import ChannelsLastConv1d, MelUpsampler, ModulesOf, channels_last, same_padding

EMBEDDING_SIZES = (128, 512, 512)  # of the diffusion step: sines, then two layers (section 3.1)


@dataclass(frozen=True)
class DiffWaveArchitecture:
    """Sizes, and the noise schedule of training, in whose steps the network is told the noise level.

    Attributes:
        residual_layers: K, the number of residual layers, at least 1.
        residual_channels: C, the number of channels between them, at least 1.
        dilation_cycle: The number of layers for which the dilation doubles from 1, before it starts again; at least 1.
        upsample_factors: The strides of the transposed convolutions of the mel-spectrogram; even, with the product
            hop_length.
        first_beta: β_1 of the linear noise schedule of training, in (0, 1).
        last_beta: β_N of that schedule, in (0, 1).
        diffusion_steps: N, the number of its steps, at least 1.
        audio_scale: What audio in [−1, 1] is multiplied by before it is noised, more than 0; 1 in all papers, see
            `audio_scale_of`.
        first_step: The number that the network is told for the first of them: 1 as in the paper, or 0 as in
            lmnt-com/diffwave.
    """

    residual_layers: int = 30
    residual_channels: int = 64
    dilation_cycle: int = 10
    upsample_factors: tuple[int, ...] = (16, 16)
    first_beta: float = 1e-4
    last_beta: float = 0.05
    diffusion_steps: int = 50
    audio_scale: float = 1.0
    first_step: Literal[0, 1] = 1


@dataclass(frozen=True)
class DiffWaveSampling:
    """The noise schedule of generation.

    Attributes:
        betas: β_1, β_2, … in (0, 1); by default the fast schedule of appendix B, with 6 steps.
    """

    betas: tuple[float, ...] = (1e-4, 1e-3, 1e-2, 0.05, 0.2, 0.5)


class StepEmbedding(nn.Module):
    """Section 3.1: 128 sines of the diffusion step, then two layers with swish.

    Args:
        first_step: The number of the first step, see `DiffWaveArchitecture`.
    """

    def __init__(self, first_step: int = 1) -> None:
        super().__init__()
        self.first_step = first_step
        sines, hidden, out = EMBEDDING_SIZES
        self.layers = nn.Sequential(nn.Linear(sines, hidden), nn.SiLU(), nn.Linear(hidden, out), nn.SiLU())

    def forward(self, step: Tensor) -> Tensor:
        """Diffusion steps (B,), counted from 1, whole or fractional → (B, 512).

        Between two whole steps, which are all that training draws, their sines are interpolated linearly.
        """
        step = step.double() - 1 + self.first_step
        below = step.floor()
        sines = torch.lerp(_sines(below), _sines(below + 1), (step - below)[:, None])
        return self.layers(sines.to(next(self.parameters()).dtype))


def _sines(step: Tensor) -> Tensor:
    """Steps (B,) in double precision, since the arguments reach 10⁴ times the number of steps → (B, 128)."""
    exponents = torch.linspace(0, 4, EMBEDDING_SIZES[0] // 2, dtype=torch.float64, device=step.device)
    angles = step[:, None] * 10**exponents
    return torch.cat([angles.sin(), angles.cos()], dim=1)


class ResidualLayer(nn.Module):
    """Figure 2: a dilated convolution of signal and diffusion step, conditioned on the mel-spectrogram, and gated."""

    halves: Tensor  # the diagonal of H, (2 C, 1), see equation 5 above

    def __init__(self, channels: int, dilation: int, n_mels: int):
        super().__init__()
        padding = same_padding(3, dilation)
        self.step = nn.Linear(EMBEDDING_SIZES[-1], channels)
        self.dilated = ChannelsLastConv1d(channels, 2 * channels, 3, padding=padding, dilation=dilation)
        self.conditioner = ChannelsLastConv1d(n_mels, 2 * channels, 1)
        self.output = ChannelsLastConv1d(channels, 2 * channels, 1)
        halves = torch.cat([torch.ones(channels, 1), torch.full((channels, 1), 0.5)])
        self.register_buffer("halves", halves, persistent=False)

    def forward(self, signal: Tensor, embedding: Tensor, mel: Tensor) -> tuple[Tensor, Tensor]:
        """Signal (B, C, T), step embedding (B, 512), upsampled mel (B, M, T) → next signal, skip, each (B, C, T)."""
        hidden = self.dilated(signal + self.step(embedding).unsqueeze(2)) + self.conditioner(mel)
        filtered, gate = hidden.chunk(2, dim=1)
        residual, skip = self.output(torch.tanh(filtered) * torch.sigmoid(gate)).chunk(2, dim=1)
        return (signal + residual) / sqrt(2), skip

    def conditioning(self, mel: Tensor) -> Tensor:
        """Upsampled mel (B, M, T) → H M_k, (B, 2 C, T), which `doubled_gate` takes."""
        conditioning = self.conditioner(mel)
        return conditioning.mul_(self.halves.to(conditioning.dtype))

    def doubled_gate(self, signal: Tensor, conditioning: Tensor) -> Tensor:
        """Signal z_k (B, C, T), which holds the projection of the step, H M_k (B, 2 C, T) → 2 y_k (B, C, T)."""
        hidden = self.dilated(signal)
        torch.addcmul(conditioning, hidden, self.halves.to(hidden.dtype), out=hidden).tanh_()
        u, v = hidden.chunk(2, dim=1)
        return torch.addcmul(u, u, v)


class DiffWave(DiffusionVocoder):
    """Kong et al. 2021, section 3 and figure 2; its noise levels are (fractional) steps of the training schedule.

    Raises:
        ValueError: The settings do not fit each other; the message says which.
    """

    Architecture = DiffWaveArchitecture
    Sampling = DiffWaveSampling
    architecture: DiffWaveArchitecture
    sampling: DiffWaveSampling

    # Bound on the conditioning that `generate` keeps for all diffusion steps: enough for clips of 17, 8 and 4 s at the
    # sizes S, M and L. Of longer ones, the layers that do not fit compute theirs in each step anew.
    CONDITIONING_BYTES = 2 * 2**30

    def __init__(
        self,
        architecture: DiffWaveArchitecture,
        sampling: DiffWaveSampling | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        factors, channels = architecture.upsample_factors, architecture.residual_channels
        if prod(factors) != hop_length or any(factor % 2 for factor in factors):
            raise ValueError(
                f"upsample_factors are {list(factors)}; they must be even and multiply to hop_length, {hop_length}"
            )
        if min(architecture.residual_layers, channels, architecture.dilation_cycle) < 1:
            raise ValueError("residual_layers, residual_channels and dilation_cycle must be at least 1")
        sampling = self.Sampling() if sampling is None else sampling
        schedule = NoiseSchedule(sampling.betas)
        levels = aligned_steps(schedule, training_schedule(architecture))
        super().__init__(architecture, sampling, n_mels, hop_length, schedule, levels)
        self.upsampler = MelUpsampler(factors)
        self.embedding = StepEmbedding(architecture.first_step)
        self.input = ChannelsLastConv1d(1, channels, 1)
        self.layers = ModulesOf(
            ResidualLayer(channels, 2 ** (layer % architecture.dilation_cycle), n_mels)
            for layer in range(architecture.residual_layers)
        )
        self.skip = ChannelsLastConv1d(channels, channels, 1)
        for module in self.modules():
            if isinstance(module, ChannelsLastConv1d):
                nn.init.kaiming_normal_(module.weight)
        self.output = ChannelsLastConv1d(channels, 1, 1)
        nn.init.zeros_(self.output.weight)

    def predict_noise(self, noisy: Tensor, noise_level: Tensor, mel: Tensor) -> Tensor:
        """See `DiffusionVocoder`; the noise level is the step, whole or fractional, up to `diffusion_steps`."""
        mel = self.upsampler(mel)
        embedding = self.embedding(noise_level)
        signal = torch.relu(self.input(noisy.unsqueeze(1)))
        skips = signal.new_zeros(())
        for layer in self.layers:
            signal, skip = layer(signal, embedding, mel)
            skips = skips + skip
        return self._output(skips)

    def _output(self, skips: Tensor) -> Tensor:
        skips = torch.relu(self.skip(skips / sqrt(len(self.layers))))
        return self.output(skips).squeeze(1)  # (B, C, T) -> (B, T)

    def noise_predictor(self, mel: Tensor) -> NoisePredictor:
        """See `DiffusionVocoder`: upsampled mel, conditioning and step embeddings are computed once for all steps.

        Residuals and skips are added in place by the product with a half of the output convolution's matrix, and all
        that is equal for every sample (its biases, the projections of the steps) is gathered in one offset a layer:
        equations 5 to 7 at the top of this file.
        """
        return self._predictor(mel, self.CONDITIONING_BYTES)

    def step_predictor(self, mel: Tensor) -> NoisePredictor:
        """See `DiffusionVocoder`; keeps no conditioning."""
        return self._predictor(mel, 0)

    def context_frames(self) -> int:
        """See `Vocoder`; of one diffusion step."""
        samples = sum(kernel_reach(*layer.dilated.kernel_size, *layer.dilated.dilation) for layer in self.layers)
        return ceil(samples / self.hop_length + upsampler_reach(self.architecture.upsample_factors))

    def _predictor(self, mel: Tensor, conditioning_bytes: int) -> NoisePredictor:
        mel = channels_last(self.upsampler(mel))
        bytes_per_layer = 2 * self.architecture.residual_channels * mel.shape[0] * mel.shape[2] * mel.element_size()
        kept = [layer.conditioning(mel) for layer in self.layers[: conditioning_bytes // bytes_per_layer]]
        weights = [layer.output.weight.squeeze(2).expand(len(mel), -1, -1) for layer in self.layers]
        residual_biases, skip_biases = torch.stack([layer.output.bias for layer in self.layers]).chunk(2, dim=1)
        skip_bias = skip_biases.sum(dim=0).unsqueeze(1)  # Σ_k q_k of (7)
        embeddings = self.embedding(torch.tensor(self.noise_levels, dtype=torch.float64, device=mel.device))
        offsets = torch.stack([layer.step(embeddings) for layer in self.layers], dim=1)  # p_k(n): (N, K, C)
        offsets[:, 1:] += sqrt(0.5) * (residual_biases - offsets)[:, :-1]  # o_k(n) of (6)
        offsets = offsets.unsqueeze(3)

        def predict(noisy: Tensor, step: int) -> Tensor:
            signal = channels_last(torch.relu_(self.input(noisy.unsqueeze(1))))
            if signal.device.type == "cpu":
                # Under autocast too: a product of bf16 matrices in this layout takes up to 1000 times longer on a CPU.
                signal = signal.to(self.input.weight.dtype)
            skips = torch.empty_like(signal).copy_(skip_bias)
            for index, layer in enumerate(self.layers):
                signal.add_(offsets[step - 1, index])
                gated = layer.doubled_gate(signal, kept[index] if index < len(kept) else layer.conditioning(mel))
                gated = gated.to(signal.dtype)
                to_residual, to_skip = weights[index].to(gated.dtype).chunk(2, dim=1)  # another type under autocast
                torch.baddbmm(skips, to_skip, gated, alpha=0.5, out=skips)
                if index + 1 < len(self.layers):
                    torch.baddbmm(signal, to_residual, gated, beta=sqrt(0.5), alpha=sqrt(0.5) / 2, out=signal)
            return self._output(skips)

        return predict


def aligned_steps(schedule: NoiseSchedule, training: NoiseSchedule) -> list[float]:
    """For each step of `schedule`, the fractional step of `training` with the same noise level.

    Between two steps of the training the noise level √ᾱ is interpolated linearly. Levels that are noisier than all of
    the training, which `DiffusionVocoder` refuses, get its last step.

    Raises:
        ValueError: `schedule` begins cleaner than the first step of `training`, below which there is no step.

    Source: appendix B.
    """
    levels = training.signal_scales
    if schedule.signal_scales[1] > levels[1]:
        raise ValueError(
            f"the noise schedule of generation begins with a variance of {schedule.betas[0]:g}, cleaner than that of "
            f"training, {training.betas[0]:g}; raise the first of the betas of sampling or lower first_beta"
        )
    aligned = []
    for level in schedule.signal_scales[1:]:
        step = next((step for step in range(1, training.steps) if levels[step + 1] <= level), None)
        if step is None:
            aligned.append(float(training.steps))
        else:
            aligned.append(step + (levels[step] - level) / (levels[step] - levels[step + 1]))
    return aligned
