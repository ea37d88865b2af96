"""What the recipes of diffusion vocoders share: predict the noise in a noised waveform, judged by its L1 distance."""

from abc import abstractmethod

import torch
from torch import Tensor

from vocoder_pareto.models.diffusion import DiffusionVocoder
from vocoder_pareto.models.vocoder import draw_noise
from vocoder_pareto.training.objectives.decay import AdamObjective, DecayingRate
from vocoder_pareto.training.objectives.objective import Batch


class DenoisingObjective(AdamObjective):
    """Adam minimises the L1 distance of noise and predicted noise at random levels of the schedule of training."""

    trains = DiffusionVocoder
    vocoder: DiffusionVocoder
    scales: Tensor  # √ᾱ of all steps of that schedule from 0, float64

    def __init__(self, vocoder: DiffusionVocoder, recipe: DecayingRate, sample_rate: int = 16000):
        super().__init__(vocoder, recipe, sample_rate)
        scales = torch.tensor(vocoder.trained_schedule.signal_scales, dtype=torch.float64)
        self.audio_scale = vocoder.audio_scale
        self.register_buffer("scales", scales, persistent=False)

    def loss(self, turn: str, batch: Batch) -> tuple[Tensor, dict[str, Tensor]]:
        """See `Objective.loss`."""
        audio = batch.audio * self.audio_scale
        scales, levels = self.draw_levels(audio)
        noise = draw_noise(audio.shape, audio)
        noise_scales = (1 - scales.square()).sqrt()
        noisy = scales.to(noise)[:, None] * audio + noise_scales.to(noise)[:, None] * noise
        loss = (noise - self.vocoder.predict_noise(noisy, levels, batch.mel)).abs().mean()
        return loss, {"noise_l1_loss": loss.detach()}

    @abstractmethod
    def draw_levels(self, audio: Tensor) -> tuple[Tensor, Tensor]:
        """Draw for audio (B, T) random scales √ᾱ (B,) of the signal; return them and what `predict_noise` is told (B,).

        The scales are of double precision, since 1 − ᾱ starts at 10⁻⁶.
        """
