"""HiFi-GAN's recipe (Kong et al., 2020, section 2.5): least squares, feature matching and a mel-spectrogram loss.

Two things are taken from the official code (github.com/jik876/hifi-gan), where the paper leaves them open; the code of
the study's authors has them alike:

- The mel-spectrogram of the loss is ln(max(mel magnitude, 1e-5)) with n_fft 1024, and λ_mel = 45 is of its scale. With
  log(1 + mel power), the input of the vocoder, the same weight would hardly tell noise, or what lies above 4 kHz.
- Feature matching goes over all layers of the discriminators, the last one (the scores) included.

The learning rate decays by 0.999 per epoch, as in the paper and the official code; in that of the study's authors it
stays as it is (`decay_per_epoch: 1.0`). AdamW's weight decay is 0.01 everywhere, PyTorch's default.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor
from torch.optim.lr_scheduler import ExponentialLR

from vocoder_pareto.models.discriminators import PERIODS, SCALE_NORMS, hifigan_discriminator, require_periods
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndSettings
from vocoder_pareto.training.objectives.least_squares import LeastSquaresObjective
from vocoder_pareto.training.objectives.mel_distance import mel_distance
from vocoder_pareto.training.objectives.objective import Schedule

_MEL_FRONT_ENDS: dict[str, FrontEndSettings] = {"hifigan": BUILT_IN["hifigan_22k"], "paper": BUILT_IN["paper"]}


@dataclass(frozen=True)
class HiFiGANRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of AdamW, for both networks.
        betas: The decay rates of AdamW's moments.
        decay_per_epoch: The factor of the learning rate after each epoch.
        feature_matching_weight: The weight λ_fm of equation 5.
        mel_weight: The weight λ_mel of equation 5.
        mel_front_end: What the mel-spectrogram loss compares: "hifigan" for ln(max(mel magnitude, 1e-5)), "paper" for
            log(1 + mel power), the study's mel-spectrograms.
        mel_n_fft: The samples of the analysis window of the mel-spectrogram loss, at least the hop; 2048 is that of the
            study's mel-spectrograms.
        discriminator_channels: The channels of the discriminators' widest layers, a multiple of 128; 1024 in the paper.
        discriminator_periods: The periods by which the multi-period discriminator folds the audio, in samples.
        discriminator_scales: The number of scales of the multi-scale discriminator, 1 to 3; each after the first halves
            the rate.

    Raises:
        ValueError: The sizes of the discriminators are out of their ranges.
    """

    learning_rate: float = 2.0e-4
    betas: tuple[float, float] = (0.8, 0.99)
    decay_per_epoch: float = 0.999
    feature_matching_weight: float = 2.0
    mel_weight: float = 45.0
    mel_front_end: Literal["hifigan", "paper"] = "hifigan"
    mel_n_fft: int = 1024
    discriminator_channels: int = 1024
    discriminator_periods: tuple[int, ...] = PERIODS
    discriminator_scales: int = len(SCALE_NORMS)

    def __post_init__(self):
        if self.discriminator_channels < 128 or self.discriminator_channels % 128:
            raise ValueError(f"discriminator_channels is {self.discriminator_channels}; must be a multiple of 128")
        require_periods(self.discriminator_periods, "discriminator_periods")
        if not 1 <= self.discriminator_scales <= len(SCALE_NORMS):
            raise ValueError(f"discriminator_scales is {self.discriminator_scales}; must be 1 to {len(SCALE_NORMS)}")


class HiFiGANObjective(LeastSquaresObjective):
    """The objective of equations 1 to 6."""

    Recipe = HiFiGANRecipe

    def __init__(self, vocoder, recipe: HiFiGANRecipe, sample_rate: int = 16000):
        discriminator = hifigan_discriminator(
            recipe.discriminator_channels, recipe.discriminator_periods, recipe.discriminator_scales
        )
        super().__init__(vocoder, recipe, discriminator, sample_rate)
        # Up to half the sample rate, as in the official code, whose vocoders hear less (`fmax_for_loss: null`).
        self.mel_front_end = replace(
            _MEL_FRONT_ENDS[recipe.mel_front_end],
            sample_rate=sample_rate,
            n_fft=recipe.mel_n_fft,
            hop_length=vocoder.hop_length,
            n_mels=vocoder.n_mels,
            fmax=None,
        )
        self.decay_per_epoch = recipe.decay_per_epoch

    def mel_distance(self, audio: Tensor, generated: Tensor) -> Tensor:
        """See `LeastSquaresObjective`; of the recipe's front end."""
        return mel_distance(audio, generated, self.mel_front_end)

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return an exponential decay per epoch."""
        return Schedule(ExponentialLR(optimizer, self.decay_per_epoch), "epoch")
