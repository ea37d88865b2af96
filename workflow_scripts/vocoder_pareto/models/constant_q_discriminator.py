"""The multi-scale sub-band constant-Q discriminator (Gu et al., 2024) of BigVGAN-v2.

Each of its stacks judges the complex constant-Q spectrogram of the audio (see `constant_q.py`) as an image of two
channels. A convolution of its own brings each octave in step with the others before they become one image again (the
sub-band processor), since windows of lower ones last longer. Layers, hops and bins are those of
BigVGAN's official code (github.com/NVIDIA/BigVGAN), which took them over from the authors' with 128 channels instead of
32: hops of 512, 256 and 256 samples with 24, 36 and 48 bins per octave, at twice the rate of the audio.

Deviations from that code:

- It has nine octaves, up to 16,742 Hz, which audio of 22,050 Hz and more can have at twice its rate. Here there are as
  many as it takes to reach half the sample rate, at most nine: eight at 16,000 Hz, whose highest ends at 8,371 Hz.
- Octaves are in step: nnAudio's filter of an even number of taps is late by half a sample at each halving of the rate,
  so that the lowest octave comes 2.7 ms after the highest at 24,000 Hz.
- Windows have N samples as in Brown's definition; nnAudio rounds N up. The filter of the first doubling is another than
  torchaudio's.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from vocoder_pareto.models.constant_q import LOWEST_HERTZ, ConstantQResolution, ConstantQTransform
from vocoder_pareto.models.discriminators import Judgement
from vocoder_pareto.models.layers import ModulesOf, normed_conv2d

HOPS_AND_BINS = ((512, 24), (256, 36), (256, 48))
MOST_OCTAVES = 9
DILATIONS = (1, 2, 4)  # over the frames
LEAKY_SLOPE = 0.1


def resolutions_at(sample_rate: int) -> list[ConstantQResolution]:
    """The resolutions for audio of `sample_rate`: octaves up to half of it, at most nine."""
    octaves = min(MOST_OCTAVES, math.ceil(math.log2(sample_rate / 2 / LOWEST_HERTZ)))
    return [ConstantQResolution(hop_length, octaves, bins) for hop_length, bins in HOPS_AND_BINS]


class ConstantQStack(nn.Module):
    """Convolutions over time and frequency of one resolution; kernels of 3 frames and 9 bins, the last two of 3 and 3.

    Args:
        sample_rate: The sample rate of the audio.
        resolution: The settings of the transform.
        channels: The channels of all layers but those of the octaves, which have 2.
    """

    def __init__(self, sample_rate: int, resolution: ConstantQResolution, channels: int):
        super().__init__()
        self.transform = ConstantQTransform(sample_rate, resolution)
        self.octaves = ModulesOf(nn.Conv2d(2, 2, (3, 9), padding=(1, 4)) for _ in range(resolution.octaves))
        strided = [
            normed_conv2d(channels, channels, (3, 9), (1, 2), dilation=(dilation, 1), padding=(dilation, 4))
            for dilation in DILATIONS
        ]
        first = nn.Conv2d(2, channels, (3, 9), padding=(1, 4))
        self.convolutions = ModulesOf([first, *strided, normed_conv2d(channels, channels, 3, padding=1)])
        self.last = normed_conv2d(channels, 1, 3, padding=1)

    def forward(self, audio: Tensor) -> Judgement:
        """Audio (B, T) → scores (B, L · bins') and features (B, C, L, bins'); scores are not among what is matched."""
        octaves = self.transform(audio).unbind(3)  # (B, 2, L, octaves, bins) -> each (B, 2, L, bins)
        image = torch.cat([layer(octave) for layer, octave in zip(self.octaves, octaves, strict=True)], dim=-1)
        features = []
        for convolution in self.convolutions:
            image = functional.leaky_relu(convolution(image), LEAKY_SLOPE)
            features.append(image)
        return Judgement(self.last(image).flatten(1), tuple(features), matches_scores=False)


class ConstantQDiscriminator(nn.Module):
    """Stacks over constant-Q spectrograms of several resolutions.

    Args:
        sample_rate: The sample rate of the audio.
        channels: The channels of all layers but those of the octaves.
        resolutions: The settings of the transforms; None for those of `resolutions_at`.
    """

    def __init__(self, sample_rate: int, channels: int = 128, resolutions: Sequence[ConstantQResolution] | None = None):
        super().__init__()
        self.stacks = nn.ModuleList(
            ConstantQStack(sample_rate, resolution, channels)
            for resolution in resolutions or resolutions_at(sample_rate)
        )

    def forward(self, audio: Tensor) -> list[Judgement]:
        """Audio (B, T) → a judgement per resolution."""
        return [stack(audio) for stack in self.stacks]
