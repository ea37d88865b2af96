import pytest
import torch
from closeness import assert_close
from torch import nn

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.layers import normed_conv1d
from vocoder_pareto.models.vocoder import NoSettings, Vocoder, copied


def old_normed_conv1d(*arguments):
    with pytest.warns(FutureWarning, match="weight_norm"):  # PyTorch's, which older projects still call
        return torch.nn.utils.weight_norm(nn.Conv1d(*arguments))


class OneConvolution(Vocoder):
    Architecture = NoSettings

    def __init__(self, convolution=normed_conv1d):
        super().__init__(NoSettings())
        self.layer = nn.Sequential(convolution(80, 256, 1))

    def generate(self, mel, generator=None):
        return self.layer(mel).transpose(1, 2).flatten(1)


@pytest.mark.parametrize("convolution", [normed_conv1d, old_normed_conv1d], ids=["parametrisation", "old form"])
def test_folding_a_copy_leaves_the_original_trainable(convolution):
    vocoder, mel = OneConvolution(convolution), torch.rand(1, 80, 3)
    expected = vocoder.generate(mel)
    folded = copied(vocoder).prepare_for_inference()
    assert_close(folded.synthesize(mel), expected, factor=8)
    assert torch.equal(vocoder.generate(mel), expected)
    vocoder.generate(mel).sum().backward()
    assert len(list(vocoder.parameters())) == 3
    assert all(parameter.grad is not None for parameter in vocoder.parameters())
    assert len(list(folded.parameters())) == 2


def test_operations_under_old_weight_norm_are_those_of_the_folded_layer():
    assert count_operations(OneConvolution(old_normed_conv1d), frames=3).macs == 3 * 80 * 256
