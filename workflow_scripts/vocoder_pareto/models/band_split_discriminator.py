"""The multi-resolution discriminator of Vocos: convolutions over bands of complex spectrograms.

Until its published weights, the official code (github.com/gemelo-ai/vocos) had that of UnivNet, over magnitudes. It has
replaced it by this one, after that of the Descript Audio Codec (Kumar et al., 2023), and so do we. Deviation: a signal
that is no longer than half a window is reflected as often as needed, where the official code gives up.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.discriminators import Judgement
from vocoder_pareto.models.layers import ModulesOf, at_least_single, normed_conv2d, without_autocast
from vocoder_pareto.reflection import reflection_padded

BAND_EDGES = (0.0, 0.1, 0.25, 0.5, 0.75, 1.0)  # as shares of the bins
N_FFTS = (2048, 1024, 512)
LEAKY_SLOPE = 0.1
PEAK = 0.8  # of what is analysed


class BandSplitStack(nn.Module):
    """A spectrogram in bands, each with convolutions of its own, and one convolution over them all that gives scores.

    Args:
        n_fft: The samples of a frame; frames are a quarter of it apart.
        channels: The channels of all layers.
    """

    window: Tensor

    def __init__(self, n_fft: int, channels: int):
        super().__init__()
        self.n_fft = n_fft
        bins = n_fft // 2 + 1
        self.edges = [int(edge * bins) for edge in BAND_EDGES]
        self.bands = ModulesOf(self._layers(channels) for _ in self.edges[1:])
        self.last = normed_conv2d(channels, 1, 3, padding=1)
        self.register_buffer("window", torch.hann_window(n_fft, dtype=torch.float64), persistent=False)

    @staticmethod
    def _layers(channels: int) -> ModulesOf[nn.Conv2d]:
        """Kernels of 3 frames and 9 bins, of which the middle three take every other bin; then one of 3 and 3."""
        strided = [normed_conv2d(channels, channels, (3, 9), (1, 2), padding=(1, 4)) for _ in range(3)]
        first = normed_conv2d(2, channels, (3, 9), padding=(1, 4))
        return ModulesOf([first, *strided, normed_conv2d(channels, channels, 3, padding=1)])

    def forward(self, audio: Tensor) -> Judgement:
        """Audio (B, T) → its judgement, whose features are those of each band but of its first layer."""
        spectrogram = self._spectrogram(audio)
        features, ends = [], []
        for layers, low, high in zip(self.bands, self.edges, self.edges[1:], strict=False):
            outputs = [spectrogram[..., low:high]]
            for layer in layers:
                outputs.append(functional.leaky_relu(layer(outputs[-1]), LEAKY_SLOPE))
            features += outputs[2:]
            ends.append(outputs[-1])
        return Judgement(self.last(torch.cat(ends, dim=-1)).flatten(1), tuple(features))

    def _spectrogram(self, audio: Tensor) -> Tensor:
        """Audio (B, T) → its spectra (B, 2, L, n_fft / 2 + 1), real and imaginary, at a mean of 0 and the same peak."""
        with without_autocast(audio):
            signal = at_least_single(audio)
            signal = signal - signal.mean(dim=-1, keepdim=True)
            signal = PEAK * signal / (signal.abs().amax(dim=-1, keepdim=True) + 1e-9)
            padded = reflection_padded(signal.unsqueeze(1), self.n_fft // 2).squeeze(1)
            window = self.window.to(signal.dtype)
            spectra = torch.stft(padded, self.n_fft, self.n_fft // 4, window=window, center=False, return_complex=True)
            return torch.view_as_real(spectra).permute(0, 3, 2, 1)  # (B, bins, L, 2) -> (B, 2, L, bins)


class MultiResolutionDiscriminator(nn.Module):
    """Stacks over spectrograms of several resolutions.

    Args:
        n_ffts: The samples of the frames of each.
        channels: The channels of all layers.
    """

    def __init__(self, n_ffts: Sequence[int] = N_FFTS, channels: int = 32):
        super().__init__()
        self.stacks = nn.ModuleList(BandSplitStack(n_fft, channels) for n_fft in n_ffts)

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Audio (B, T) → a judgement per resolution."""
        return [stack(audio) for stack in self.stacks]
