"""A vocoder of one layer of each kind, whose operations are counted by hand in the tests."""

import torch
from torch import nn

from vocoder_pareto.models.layers import normed_conv1d, normed_conv_transpose1d
from vocoder_pareto.models.vocoder import NoSettings, Vocoder
from vocoder_pareto.study.systems import SystemSettings

SMALL = SystemSettings("small", "S", "tests/unit/measurement/small_vocoder.py:SmallVocoder")


class SmallVocoder(Vocoder):
    """Mel → 4 channels (k 3), transposed convolution 4 → 2 (k 512, stride 256), linear 2 → 2 twice, 2 → 1 (k 5)."""

    Architecture = NoSettings

    def __init__(self, architecture=None, sampling=None, n_mels=80, hop_length=256):
        super().__init__(architecture or NoSettings(), sampling, n_mels, hop_length)
        self.input = normed_conv1d(n_mels, 4, 3, padding=1)
        self.upsample = normed_conv_transpose1d(4, 2, 2 * hop_length, stride=hop_length, padding=hop_length // 2)
        self.activation = nn.LeakyReLU(0.2)
        self.linear = nn.Linear(2, 2)
        self.output = nn.Conv1d(2, 1, 5, padding=2)

    def generate(self, mel, generator=None):
        hidden = self.activation(self.upsample(self.activation(self.input(mel))))
        for _ in range(2):
            hidden = self.linear(hidden.transpose(1, 2)).transpose(1, 2)
        return torch.tanh(self.output(hidden)).squeeze(1)
