"""iSTFTNet (Kaneko et al., 2022): HiFi-GAN whose last upsamplings are replaced by an inverse STFT of few samples.

C8C8I keeps the first two upsamplings of HiFi-GAN V1, by 8 each, and predicts spectra of 16 samples every 4; C8C1I keeps
the first one and both fusions, and predicts spectra of 128 samples every 32. The authors published no code; details are
those of the usual re-implementation (github.com/rishikksh20/iSTFTNet-pytorch), with whose weights C8C8I gives the same
audio: 13.26 M parameters, and 12.86 GMACs per second at 16,000 Hz.

- Magnitudes are the exponential of the first half of the last convolution's channels, phases the sine of the others.
- A step of reflection before the last convolution, at the start alone, makes one spectrum more than there are steps, so
  that the inverse transform, with frames centred, gives all samples. The last convolution of a clip does one step more
  for it.
- The slope of the last leaky ReLU is 0.01, as in HiFi-GAN's official code.

The second stage of C8C1I, which that code cannot build, has no layer for its factor of 1 and keeps its channels, as the
authors say of it in their paper on iSTFTNet2 (Kaneko et al., 2023): fusions of 256 channels both, 19.15 M parameters.

Training is that of HiFi-GAN (`training/objectives/hifigan.py`), whose variants the paper's models are. Spectra are
computed in single precision at least, since an inverse Fourier transform has no bfloat16.
"""

import math
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.inverse_stft import InverseSTFT
from vocoder_pareto.models.layers import at_least_single, without_autocast
from vocoder_pareto.models.vocoder import NoSettings


@dataclass(frozen=True)
class ISTFTNetArchitecture(HiFiGANArchitecture):
    """That of HiFi-GAN, with the defaults of C8C8I.

    Attributes:
        upsampling: The factors from the frame rate to that of the spectra; their product divides hop_length, and the
            quotient is the hop of the spectra. A factor of 1 is a stage without upsampling, which keeps its channels.
        upsampling_kernels: The kernel of each transposed convolution; of a factor of 1, which has none, any odd number.
        n_fft: The samples of the frames of the inverse STFT; even, and a whole number of their hops, 3 or more.

    Raises:
        ValueError: A setting is out of its range; the message says which.
    """

    upsampling: tuple[int, ...] = (8, 8)
    upsampling_kernels: tuple[int, ...] = (16, 16)
    n_fft: int = 16

    def __post_init__(self) -> None:
        super().__post_init__()
        if math.prod(self.upsampling) < 2:
            raise ValueError(f"upsampling {list(self.upsampling)} multiplies to 1; must to 2 or more")


class ISTFTNet(HiFiGAN):
    """Kaneko et al. 2022: mel-spectrogram → waveform in one pass, without noise.

    Raises:
        ValueError: The upsampling factors or n_fft do not fit hop_length.
    """

    Architecture = ISTFTNetArchitecture
    architecture: ISTFTNetArchitecture

    def __init__(
        self,
        architecture: ISTFTNetArchitecture,
        sampling: NoSettings | None = None,
        n_mels: int = 80,
        hop_length: int = 256,
    ):
        steps = math.prod(architecture.upsampling)
        if hop_length % steps:
            raise ValueError(
                f"upsampling {list(architecture.upsampling)} multiplies to {steps}; "
                f"the product must divide hop_length, {hop_length}"
            )
        super().__init__(architecture, sampling, n_mels, hop_length)
        self.inverse_stft = InverseSTFT(architecture.n_fft, hop_length // steps)

    @property
    def steps_per_frame(self) -> int:
        """See `HiFiGAN`; each step has a spectrum."""
        return math.prod(self.architecture.upsampling)

    @property
    def outputs(self) -> int:
        """See `HiFiGAN`: the magnitudes and phases of a spectrum."""
        return self.architecture.n_fft + 2

    def upsampling(self, channels: int, factor: int, kernel: int) -> tuple[nn.Module, int]:
        """See `HiFiGAN`."""
        return (nn.Identity(), channels) if factor == 1 else super().upsampling(channels, factor, kernel)

    def forward(self, mel: Tensor) -> Tensor:
        """Mel-spectrogram (B, M, L) → waveform (B, T), which may swing over 1 by some percent."""
        # As an image of height 1, since padding in one dimension leaves channels-last memory.
        signal = functional.pad(self.upsampled(mel).unsqueeze(2), (1, 0, 0, 0), mode="reflect").squeeze(2)
        prediction = self.last(signal).transpose(1, 2)  # (B, C, T' + 1) -> (B, T' + 1, n_fft + 2)
        with without_autocast(prediction):
            log_magnitudes, phases = at_least_single(prediction).chunk(2, dim=2)
            spectra = torch.polar(log_magnitudes.exp(), phases.sin())
            audio = self.inverse_stft(spectra, mel.shape[2] * self.hop_length)
        return audio.to(mel.dtype)

    def context_frames(self) -> int:
        """See `Vocoder`: the reach of HiFi-GAN's layers, of the step of reflection, and of the inverse STFT."""
        return math.ceil(self.reach() + (1 + self.inverse_stft.context_frames()) / self.steps_per_frame)
