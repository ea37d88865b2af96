"""HiFi-GAN's recipe (Kong et al., 2020, section 2.5): least squares, feature matching and a mel-spectrogram loss."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional
from torch.optim.lr_scheduler import ExponentialLR

from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.spectrogram import log_mel_spectrogram
from vocoder_pareto.models.discriminators import hifigan_discriminator
from vocoder_pareto.models.layers import without_autocast
from vocoder_pareto.training.objectives.adversarial import AdversarialObjective, feature_matching
from vocoder_pareto.training.objectives.objective import Schedule


@dataclass(frozen=True)
class HiFiGANRecipe:
    """The hyper-parameters of the recipe.

    Attributes:
        learning_rate: The learning rate of AdamW, for both networks.
        betas: The decay rates of AdamW's moments.
        decay_per_epoch: The factor of the learning rate after each epoch.
        feature_matching_weight: The weight λ_fm of equation 5.
        mel_weight: The weight λ_mel of equation 5.
        mel_n_fft: The samples of the analysis window of the mel-spectrogram loss; the default is that of the study's
            mel-spectrograms.
    """

    learning_rate: float = 2.0e-4
    betas: tuple[float, float] = (0.8, 0.99)
    decay_per_epoch: float = 0.999
    feature_matching_weight: float = 2.0
    mel_weight: float = 45.0
    mel_n_fft: int = 2048


class HiFiGANObjective(AdversarialObjective):
    """The objective of equations 1 to 6.

    The mel-spectrogram loss takes this study's log(1 + mel power), the input of the vocoder.
    """

    Recipe = HiFiGANRecipe

    def __init__(self, vocoder, recipe: HiFiGANRecipe, sample_rate: int = 16000):
        super().__init__(vocoder, recipe, hifigan_discriminator(), sample_rate)

    def discriminator_loss(self, real, generated) -> Tensor:
        """Return the least squares of equation 1, summed over sub-discriminators."""
        return torch.stack([
            (truth.scores - 1).square().mean() + guess.scores.square().mean()
            for truth, guess in zip(real, generated, strict=True)
        ]).sum()  # fmt: skip

    def generator_losses(self, batch, generated, real, judged) -> dict[str, Tensor]:
        """Return the terms of equations 2 to 5."""
        mel_distance = functional.l1_loss(self._log_mel(generated), self._log_mel(batch.audio))
        return {
            "adversarial_loss": torch.stack([(guess.scores - 1).square().mean() for guess in judged]).sum(),
            "feature_matching_loss": self.recipe.feature_matching_weight * feature_matching(real, judged),
            "mel_loss": self.recipe.mel_weight * mel_distance,
        }

    def optimizer(self, turn: str) -> torch.optim.Optimizer:
        """Return AdamW (section 3.1), with the same hyper-parameters for both networks."""
        return torch.optim.AdamW(self.parameters_of(turn), self.recipe.learning_rate, self.recipe.betas)

    def schedule(self, turn: str, optimizer: torch.optim.Optimizer) -> Schedule:
        """Return an exponential decay per epoch."""
        return Schedule(ExponentialLR(optimizer, self.recipe.decay_per_epoch), "epoch")

    def _log_mel(self, audio: Tensor) -> Tensor:
        hop_length = self.vocoder.hop_length
        audio_format = AudioFormat(
            self.sample_rate, audio.shape[-1], self.recipe.mel_n_fft, hop_length, self.vocoder.n_mels
        )
        with without_autocast(audio):  # powers lie beyond the range of float16, and cuFFT has no bfloat16
            return log_mel_spectrogram(audio.float(), audio_format)
