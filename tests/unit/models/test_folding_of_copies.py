import copy

import torch
from closeness import assert_close
from torch import nn

from vocoder_pareto.models.layers import normed_conv1d
from vocoder_pareto.models.vocoder import NoSettings, Vocoder


class OneConvolution(Vocoder):
    Architecture = NoSettings

    def __init__(self):
        super().__init__(NoSettings())
        self.layer = nn.Sequential(normed_conv1d(80, 256, 1))

    def generate(self, mel, generator=None):
        return self.layer(mel).transpose(1, 2).flatten(1)


def test_folding_a_deep_copy_leaves_the_original_trainable():
    vocoder, mel = OneConvolution(), torch.rand(1, 80, 3)
    expected = vocoder.generate(mel)
    folded = copy.deepcopy(vocoder).prepare_for_inference()
    assert_close(folded.synthesize(mel), expected, factor=8)
    assert torch.equal(vocoder.generate(mel), expected)
    vocoder.generate(mel).sum().backward()
    assert len(list(vocoder.parameters())) == 3
    assert all(parameter.grad is not None for parameter in vocoder.parameters())
    assert len(list(folded.parameters())) == 2
