"""Multi-band MelGAN (Yang et al., 2021): MelGAN that gives four sub-bands at a quarter of the rate, and a filter bank.

The generator is MelGAN's (see `melgan.py`) with four outputs; a fixed pseudo-QMF bank (see `pqmf.py`) makes a waveform
of them. The layers and the filter bank are those of the code whose weights people use, `multi_band_melgan.v2` of
github.com/kan-bayashi/ParallelWaveGAN: 384 channels, upsampling by 8, 4 and 2, four residual blocks after each, filters
of 62 taps with the cutoff 0.142 and the Kaiser window of beta 9. The paper upsamples by other factors to the hop of its
own front end, and reports 1.91 M parameters and 0.95 GFLOPS; that code's and ours have 2.54 M at 256 samples of a hop.

Deviations: what lies beyond [-1, 1] once the bands are summed is clipped at generation; that code leaves this to the
writer of its files. The plain form multiplies by the zeros between the samples of the bands, as that code does; the
fast form leaves these products out, three quarters of those of the filter bank.

Counts at 80 mel bands and 62.5 frames per second: 2,539,448 parameters (2,534,356 once weight norm is folded), as in
that code, 2.54 M; and 1.1288 GMACs per second in the plain form. There they are 1.1290, or 1.13, since it puts the
zeros between samples by a transposed convolution with an identity, 4 · 4 · 4 products for each column of the bands.
"""

import math
from dataclasses import dataclass

from torch import Tensor

from vocoder_pareto.models.layers import channels_last
from vocoder_pareto.models.melgan import melgan_layers, melgan_reach
from vocoder_pareto.models.pqmf import FilterBank
from vocoder_pareto.models.vocoder import Generators, NoSettings, Vocoder


@dataclass(frozen=True)
class MultiBandMelGANArchitecture:
    """Size of the generator, and the filter bank.

    Attributes:
        channels: The number of channels at the frame rate, a multiple of 2^(number of upsamplings): each halves them.
        residual_layers: The number of residual blocks after each upsampling, at least 0, with dilations 1, 3, 9, …
        band_upsampling: The factors from the frame rate to the rate of the bands, at least 2; their product with
            `bands` is hop_length.
        bands: The number of sub-bands, at least 2.
        taps, cutoff, beta: The filter bank's, which go with the number of bands; see `FilterBank`.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    channels: int = 384
    residual_layers: int = 4
    band_upsampling: tuple[int, ...] = (8, 4, 2)
    bands: int = 4
    taps: int = 62
    cutoff: float = 0.142
    beta: float = 9.0

    def __post_init__(self) -> None:
        if not self.band_upsampling or min(self.band_upsampling) < 2:
            raise ValueError(
                f"band_upsampling is {list(self.band_upsampling)}; must be one or more factors of at least 2"
            )
        stages = 2 ** len(self.band_upsampling)
        if self.channels < 1 or self.channels % stages:
            raise ValueError(f"channels is {self.channels}; must be a multiple of {stages}, since upsampling halves it")
        if self.residual_layers < 0:
            raise ValueError(f"residual_layers is {self.residual_layers}; must be at least 0")


class MultiBandMelGAN(Vocoder):
    """Yang et al. 2021, section 2: mel-spectrogram → sub-bands → waveform in one pass, without noise.

    Raises:
        ValueError: The upsampling factors and the bands do not multiply to hop_length, or no such filter bank exists.
    """

    Architecture = MultiBandMelGANArchitecture
    architecture: MultiBandMelGANArchitecture

    def __init__(
        self,
        architecture: MultiBandMelGANArchitecture,
        sampling: NoSettings | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        super().__init__(architecture, sampling, n_mels, hop_length)
        upsampling, bands = architecture.band_upsampling, architecture.bands
        if math.prod(upsampling) * bands != hop_length:
            raise ValueError(
                f"band_upsampling {list(upsampling)} and {bands} bands multiply to {math.prod(upsampling) * bands}; "
                f"the product must be hop_length, {hop_length}"
            )
        self.layers = melgan_layers(n_mels, architecture.channels, upsampling, architecture.residual_layers, bands)
        self.filter_bank = FilterBank(bands, architecture.taps, architecture.cutoff, architecture.beta)

    def sub_bands(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → sub-bands (B, bands, T / bands) in [-1, 1]."""
        return self.layers(mel)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T), not clipped."""
        return self.filter_bank.synthesis(self.sub_bands(mel))

    def generate(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder.generate`; nothing here is random."""
        return self(channels_last(mel)).clamp(-1, 1)

    def generate_plainly(self, mel: Tensor, generator: Generators = None) -> Tensor:
        """See `Vocoder`: in the usual memory layout, with the filter bank as it is defined."""
        return self.filter_bank.synthesis_plainly(self.sub_bands(mel)).clamp(-1, 1)

    def context_frames(self) -> int:
        """See `Vocoder`: MelGAN's, and what the filter bank reaches for."""
        architecture = self.architecture
        reach = melgan_reach(architecture.band_upsampling, architecture.residual_layers)
        return math.ceil(reach + self.filter_bank.reach() / math.prod(architecture.band_upsampling))
