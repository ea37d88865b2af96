"""A vocoder that does all that the study asks of one, small: what the broken ones are made from."""

from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional

from vocoder_pareto.models.vocoder import NoSettings, Vocoder, draw_noise
from vocoder_pareto.training.objectives.objective import Objective


class SoundVocoder(Vocoder):
    """Mel → hop_length samples per frame by a convolution over three frames, and noise."""

    Architecture = NoSettings

    def __init__(self, architecture=None, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)
        self.layer = nn.utils.parametrizations.weight_norm(nn.Conv1d(n_mels, hop_length, 3, padding=1))
        self.register_buffer("level", torch.rand(1) + 0.5)

    def forward(self, mel):
        return torch.tanh(self.level * self.layer(mel).transpose(1, 2).flatten(1))

    def generate(self, mel, generator=None):
        audio = self(mel)
        return torch.clamp(audio + 0.01 * draw_noise(audio.shape, audio, generator), -1, 1)

    def generate_plainly(self, mel, generator=None):
        return SoundVocoder.generate(self, mel, generator)

    def context_frames(self):
        return 1

    def generate_in_chunks(self, mel, chunk_frames, generator=None):
        from vocoder_pareto.models.chunks import in_chunks

        noise = 0.01 * draw_noise((len(mel), mel.shape[2] * self.hop_length), mel, generator)

        def compute(frames, samples):
            return torch.clamp(self(mel[..., frames]) + noise[..., samples], -1, 1)

        return in_chunks(compute, mel.shape[2], chunk_frames, self.context_frames(), self.hop_length)


@dataclass(frozen=True)
class Recipe:
    learning_rate: float = 1e-3


class SoundObjective(Objective):
    Recipe = Recipe

    def loss(self, turn, batch):
        loss = functional.mse_loss(self.vocoder(batch.mel), batch.audio)
        return loss, {"loss": loss.detach()}

    def optimizer(self, turn):
        return torch.optim.Adam(self.vocoder.parameters(), lr=self.recipe.learning_rate)
