"""BigVGAN's recipe (Lee et al., 2023, sections 3.1 and 3.4): HiFi-GAN's, with other discriminators.

The multi-scale discriminator gives way to UnivNet's multi-resolution one, and the learning rate is half of HiFi-GAN's.
From the official code (github.com/NVIDIA/BigVGAN):

- v2 has a discriminator of constant-Q transforms in its place (`transform: constant_q`), of 128 channels; feature
  matching leaves out its scores. Its module says where it deviates, as at rates that nine octaves do not fit into.
- The learning rate decays by 0.9999996 per step, which is HiFi-GAN's 0.999 per epoch of 2,500 steps.
- v2 compares mel-spectrograms of seven scales, with λ_mel = 15 (`mel_scales: seven`).
- The norm of gradients is clipped, at 1,000 (section 3.4), in v2 at 500: `gradient_clip` of the configuration. There
  each of the two discriminators has a norm of its own, here both have one.

The official code trains base on segments of 32 frames and v2 on 256 (`segment_frames` of the configuration).
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor, nn
from torch.optim.lr_scheduler import ExponentialLR

from vocoder_pareto.models.constant_q_discriminator import ConstantQDiscriminator
from vocoder_pareto.models.discriminators import JointDiscriminator, MultiPeriodDiscriminator
from vocoder_pareto.models.resolution_discriminator import MultiResolutionDiscriminator
from vocoder_pareto.study.sections.front_ends import BUILT_IN
from vocoder_pareto.training.objectives.least_squares import LeastSquaresObjective
from vocoder_pareto.training.objectives.mel_distance import mel_distance, multi_scale_mel_distance
from vocoder_pareto.training.objectives.objective import Schedule


@dataclass(frozen=True)
class BigVGANRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of AdamW, for both networks.
        betas: The decay rates of AdamW's moments.
        decay_per_step: The factor of the learning rate after each step.
        feature_matching_weight: The weight λ_fm.
        mel_weight: The weight λ_mel; 15 goes with seven scales.
        mel_scales: What the mel-spectrogram loss compares: "one" for ln(max(mel magnitude, 1e-5)) as in HiFi-GAN,
            "seven" for log10 of seven scales.
        period_channels: The channels of the widest layers of the multi-period discriminator, a multiple of 32.
        transform: What the second discriminator judges: "fourier" for magnitudes of short-time Fourier transforms, as
            in base, "constant_q" for complex constant-Q transforms, as in v2.
        resolution_channels: The channels of the second discriminator, at least 1; 128 go with constant-Q transforms.

    Raises:
        ValueError: A number of channels is out of its range.
    """

    learning_rate: float = 1.0e-4
    betas: tuple[float, float] = (0.8, 0.99)
    decay_per_step: float = 0.9999996
    feature_matching_weight: float = 2.0
    mel_weight: float = 45.0
    mel_scales: Literal["one", "seven"] = "one"
    period_channels: int = 1024
    transform: Literal["fourier", "constant_q"] = "fourier"
    resolution_channels: int = 32

    def __post_init__(self):
        if self.period_channels < 32 or self.period_channels % 32:
            raise ValueError(f"period_channels is {self.period_channels}; must be a multiple of 32")
        if self.resolution_channels < 1:
            raise ValueError(f"resolution_channels is {self.resolution_channels}; must be at least 1")


class BigVGANObjective(LeastSquaresObjective):
    """HiFi-GAN's objective with other discriminators."""

    Recipe = BigVGANRecipe
    recipe: BigVGANRecipe

    def __init__(self, vocoder, recipe: BigVGANRecipe, sample_rate: int = 16000):
        by_resolution: nn.Module
        if recipe.transform == "constant_q":
            by_resolution = ConstantQDiscriminator(sample_rate, recipe.resolution_channels)
        else:
            by_resolution = MultiResolutionDiscriminator(slope=0.1, channels=recipe.resolution_channels)
        discriminator = JointDiscriminator(MultiPeriodDiscriminator(channels=recipe.period_channels), by_resolution)
        super().__init__(vocoder, recipe, discriminator, sample_rate)
        # Up to half the sample rate (`fmax_for_loss: null`).
        self.mel_front_end = replace(
            BUILT_IN["hifigan_22k"],
            sample_rate=sample_rate,
            hop_length=vocoder.hop_length,
            n_mels=vocoder.n_mels,
            fmax=None,
        )

    def mel_distance(self, audio: Tensor, generated: Tensor) -> Tensor:
        """See `LeastSquaresObjective`."""
        if self.recipe.mel_scales == "seven":
            return multi_scale_mel_distance(audio, generated, self.sample_rate)
        return mel_distance(audio, generated, self.mel_front_end)

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return an exponential decay per step."""
        return Schedule(ExponentialLR(optimizer, self.recipe.decay_per_step), "step")
