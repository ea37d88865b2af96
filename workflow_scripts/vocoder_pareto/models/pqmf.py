"""A pseudo-QMF bank: a signal as K critically sampled sub-bands of equal width, and back, nearly without error.

With a prototype low-pass filter p of N + 1 taps, n = 0 … N, N even (Nguyen, 1994), band k = 0 … K − 1 has the filters

    (1)  analysis   a_k[n] = 2 p[n] cos((2 k + 1) π / (2 K) · (n − N / 2) + (−1)^k π / 4)
    (2)  synthesis  s_k[n] = 2 p[n] cos((2 k + 1) π / (2 K) · (n − N / 2) − (−1)^k π / 4)

The prototype is a sinc under a Kaiser window (Lin & Vaidyanathan, 1998):

    (3)  p[n] = c · sinc(c (n − N / 2)) · w[n],    sinc(x) = sin(π x) / (π x)

Analysis correlates with its filters, centred, and keeps every K-th sample; synthesis puts K − 1 zeros between samples,
correlates with its filters, centred, and multiplies the sum by K, so that neither delays:

    (4)  b_k[m] = Σ_n a_k[n − K m + N / 2] x[n]
    (5)  y[n] = K Σ_k Σ_m s_k[K m − n + N / 2] b_k[m]

Most products of the synthesis are with zeros. With n = K q + r and m = q + j, sample r of the K samples that belong to
column q of the bands is a sum over the columns around q: an ordinary convolution at the bands' rate, with K channels in
and out, whose output is the waveform, column by column:

    (6)  y[K q + r] = Σ_k Σ_j (K s_k[K j − r + N / 2]) b_k[q + j]
"""

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional


class FilterBank(nn.Module):
    """The filters of (1) and (2); buffers that follow from the settings, so that checkpoints do not hold them.

    Args:
        bands: K, at least 2.
        taps: N, even, at least K.
        cutoff: c of the prototype, as a share of half the sample rate, in (0, 1).
        beta: That of the Kaiser window, at least 0.

    Raises:
        ValueError: A setting is out of its range.
    """

    analysis_filters: Tensor
    synthesis_filters: Tensor
    phases: Tensor

    def __init__(self, bands: int = 4, taps: int = 62, cutoff: float = 0.142, beta: float = 9.0):
        super().__init__()
        if bands < 2 or taps < bands or taps % 2:
            raise ValueError(f"bands is {bands}, taps {taps}; must be at least 2, and even and no fewer than bands")
        if not 0 < cutoff < 1 or beta < 0:
            raise ValueError(f"cutoff is {cutoff}, beta {beta}; must be in (0, 1), and at least 0")
        self.bands, self.taps = bands, taps
        analysis, synthesis = filters(bands, taps, cutoff, beta)
        self._keep("analysis_filters", analysis[:, None])  # (K, 1, N + 1)
        self._keep("synthesis_filters", synthesis[None])  # (1, K, N + 1)
        self._keep("phases", _phases(synthesis))

    def analysis(self, audio: Tensor) -> Tensor:
        """Audio (B, T), T a multiple of K → bands (B, K, T / K), by (4)."""
        return functional.conv1d(audio.unsqueeze(1), self.analysis_filters, stride=self.bands, padding=self.taps // 2)

    def synthesis(self, bands: Tensor) -> Tensor:
        """Bands (B, K, T / K) → audio (B, T), by (6), fastest in channels-last memory."""
        image = bands.unsqueeze(2)  # as an image of height 1, which keeps that memory layout
        samples = functional.conv2d(image, self.phases.unsqueeze(2), padding=(0, self.phases.shape[2] // 2)).squeeze(2)
        return samples.transpose(1, 2).flatten(1)

    def synthesis_plainly(self, bands: Tensor) -> Tensor:
        """The same by (5)."""
        stuffed = functional.pad(bands.unsqueeze(3), (0, self.bands - 1)).flatten(2)
        return functional.conv1d(self.bands * stuffed, self.synthesis_filters, padding=self.taps // 2).squeeze(1)

    def reach(self) -> int:
        """How many columns of the bands on each side a sample of the audio depends on."""
        return self.phases.shape[2] // 2

    def _keep(self, name: str, values: np.ndarray) -> None:
        self.register_buffer(name, torch.from_numpy(values).float(), persistent=False)


def filters(bands: int, taps: int, cutoff: float, beta: float) -> tuple[np.ndarray, np.ndarray]:
    """The filters of (1) and of (2), each (K, N + 1), in double precision."""
    places = np.arange(taps + 1) - taps / 2
    prototype = cutoff * np.sinc(cutoff * places) * np.kaiser(taps + 1, beta)
    index = np.arange(bands)[:, None]
    angles, shifts = (2 * index + 1) * np.pi / (2 * bands) * places, (-1.0) ** index * np.pi / 4
    return 2 * prototype * np.cos(angles + shifts), 2 * prototype * np.cos(angles - shifts)


def _phases(synthesis: np.ndarray) -> np.ndarray:
    """The weight of (6), (K samples, K bands, 2 J + 1 columns) for j = −J … J; zero where a filter has no tap."""
    bands, taps = synthesis.shape[0], synthesis.shape[1] - 1
    columns = (taps // 2 + bands - 1) // bands  # J
    weight = np.zeros((bands, bands, 2 * columns + 1))
    for sample in range(bands):
        for place in range(2 * columns + 1):
            tap = bands * (place - columns) - sample + taps // 2
            if 0 <= tap <= taps:
                weight[sample, :, place] = bands * synthesis[:, tap]
    return weight
