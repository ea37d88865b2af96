"""A vocoder of one layer whose audio is its mel and the noise of its generators, for the tests of generation."""

import torch
from torch import nn

from vocoder_pareto.models.vocoder import NoSettings, Vocoder, draw_noise


class NoisyVocoder(Vocoder):
    """Mel → hop_length samples per frame by one linear layer, plus noise."""

    Architecture = NoSettings

    def __init__(self, architecture=None, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)
        self.layer = nn.utils.parametrizations.weight_norm(nn.Conv1d(n_mels, hop_length, 1))

    def generate(self, mel, generator=None):
        audio = self.layer(mel).transpose(1, 2).flatten(1)
        return torch.tanh(audio + 0.1 * draw_noise(audio.shape, audio, generator))
