"""The constant-Q transform (Brown, 1991): bins a constant ratio apart, each under a window of as many periods.

With B bins per octave from f_0 on, bin k has the frequency f_k and a Hann window of N_k samples at the rate f_s:

    (1)  f_k = f_0 2^(k / B),    N_k = Q f_s / f_k,    Q = 1 / (2^(1 / B) − 1)
    (2)  w_k[n] = (1 + cos(2 π n / N_k)) / 2 for |n| < N_k / 2, else 0
    (3)  X_k[m] = √N_k Σ_n w_k[n] exp(−2 π i f_k n / f_s) x[n + m · hop] / Σ_n w_k[n]

The signal is 0 beyond its ends. The root of N_k, which makes noise as loud in all bins, is librosa's and nnAudio's.

One octave lower all windows last twice as long; at half the rate they have as many samples. So the kernels of the
highest octave serve all, on a signal whose rate is halved from one to the next (Schörkhuber & Klapuri, 2010). Before
that, and after zeros between samples double a rate, goes a low-pass filter, a sinc under a Kaiser window:

    (4)  h[n] = sinc(n / 2) / 2 · kaiser(n; 8), |n| ≤ 32,    sinc(x) = sin(π x) / (π x)

What it leaves of the frequencies that fold onto bins is below −80 dB up to four fifths of half the rate.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.layers import at_least_single, without_autocast

LOWEST_HERTZ = 32.70  # C1
HALF_WIDTH = 32  # of the low-pass filter, in samples
BETA = 8.0


@dataclass(frozen=True)
class ConstantQResolution:
    """The settings of a constant-Q transform.

    Attributes:
        hop_length: The distance of neighbouring frames in samples, a multiple of 2^(octaves − 1).
        octaves: The number of octaves from 32.7 Hz on, at least 1.
        bins_per_octave: B, at least 1.

    Raises:
        ValueError: A setting is out of its range.
    """

    hop_length: int
    octaves: int
    bins_per_octave: int

    def __post_init__(self) -> None:
        if self.octaves < 1 or self.bins_per_octave < 1:
            raise ValueError(f"octaves is {self.octaves}, bins_per_octave {self.bins_per_octave}; must be at least 1")
        if self.hop_length < 1 or self.hop_length % 2 ** (self.octaves - 1):
            raise ValueError(
                f"hop_length is {self.hop_length}; must be a multiple of {2 ** (self.octaves - 1)}, since "
                f"{self.octaves} octaves halve it {self.octaves - 1} times"
            )


class RateChange(nn.Module):
    """Half and twice the rate of a signal, through the filter of (4); what lies beyond its ends is 0."""

    low_pass: Tensor

    def __init__(self) -> None:
        super().__init__()
        places = np.arange(-HALF_WIDTH, HALF_WIDTH + 1)
        low_pass = 0.5 * np.sinc(places / 2) * np.kaiser(len(places), BETA)
        self.register_buffer("low_pass", torch.from_numpy(low_pass)[None, None], persistent=False)

    def halved(self, signal: Tensor) -> Tensor:
        """(B, 1, T) → (B, 1, ⌈T / 2⌉): the samples 0, 2, 4, … of the filtered signal."""
        return functional.conv1d(signal, self.low_pass.to(signal.dtype), stride=2, padding=HALF_WIDTH)

    def doubled(self, signal: Tensor) -> Tensor:
        """(B, 1, T) → (B, 1, 2 T)."""
        taps = 2 * self.low_pass.to(signal.dtype)
        return functional.conv_transpose1d(signal, taps, stride=2, padding=HALF_WIDTH, output_padding=1)


class ConstantQTransform(nn.Module):
    """Equations (1) to (3), octave by octave; buffers that follow from the settings, so that checkpoints hold none.

    Args:
        sample_rate: f_s of the audio. It is analysed at twice that, so that the highest octave stays below half of it.
        resolution: The settings at that doubled rate.

    Raises:
        ValueError: The octaves end above the sample rate, which is half of the doubled one.
    """

    kernels: Tensor
    scales: Tensor

    def __init__(self, sample_rate: int, resolution: ConstantQResolution):
        super().__init__()
        bins, octaves = resolution.bins_per_octave, resolution.octaves
        if LOWEST_HERTZ * 2**octaves > sample_rate:
            raise ValueError(
                f"{octaves} octaves from {LOWEST_HERTZ} Hz end above the sample rate, {sample_rate}; take fewer"
            )
        self.resolution = resolution
        self.rate_change = RateChange()
        steps = 2.0 ** (np.arange(bins) / bins)
        quality = 1 / (2 ** (1 / bins) - 1)
        samples = quality * 2 * sample_rate / (LOWEST_HERTZ * 2 ** (octaves - 1) * steps)  # N_k of the highest octave
        octave = np.arange(octaves)[:, None]  # from the lowest one on
        self._keep("kernels", _kernels(samples, quality))
        self._keep("scales", np.sqrt(samples * 2.0 ** (octaves - 1 - octave)))  # √N_k, (octaves, B)

    def forward(self, audio: Tensor) -> Tensor:
        """Audio (B, T) → real and imaginary parts (B, 2, L, octaves, bins per octave), L = ⌊2 T / hop⌋ + 1 frames."""
        octaves = self.resolution.octaves
        with without_autocast(audio):
            signal = self.rate_change.doubled(at_least_single(audio).unsqueeze(1))
            signal = functional.pad(signal, (0, -signal.shape[-1] % 2 ** (octaves - 1)))  # halved without a remainder
            kernels, scales = self.kernels.to(signal.dtype), self.scales.to(signal.dtype)
            half, hop, found = kernels.shape[-1] // 2, self.resolution.hop_length, []
            for octave in reversed(range(octaves)):
                frames = functional.conv1d(functional.pad(signal, (half, half + 1)), kernels, stride=hop)
                found.append(frames.unflatten(1, (2, -1)) * scales[octave, :, None])  # (B, 2, bins, L)
                if octave:
                    signal, hop = self.rate_change.halved(signal), hop // 2
            return torch.stack(found[::-1], dim=2).movedim(-1, 2)

    def _keep(self, name: str, values: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(values), persistent=False)


def _kernels(samples: np.ndarray, quality: float) -> np.ndarray:
    """w exp(−2 π i f n / f_s) / Σ w of (3), with f / f_s = Q / N, windows of N `samples`: (2 B, 1, n), real first."""
    half = int(samples.max() / 2)
    places = np.arange(-half, half + 1)
    turns = places / samples[:, None]
    windows = np.where(np.abs(turns) < 0.5, 0.5 + 0.5 * np.cos(2 * np.pi * turns), 0)
    waves = windows * np.exp(-2j * np.pi * quality * turns) / windows.sum(axis=1, keepdims=True)
    return np.concatenate([waves.real, waves.imag])[:, None]
