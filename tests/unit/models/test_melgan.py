"""What is MelGAN's alone; what it shares with HiFi-GAN is in `test_gan_vocoders.py`."""

import numpy as np
import pytest
import torch

from vocoder_pareto.models.layers import channels_last
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture, ReflectionPad


@pytest.mark.parametrize("length", [1, 2, 3, 4, 9, 10, 30])
@pytest.mark.parametrize("amount", [1, 3, 9])
def test_reflection_equals_that_of_numpy_for_any_length(length, amount):
    signal = torch.arange(float(length)).reshape(1, 1, -1)
    expected = np.pad(signal.numpy()[0, 0], amount, mode="reflect" if length > 1 else "edge")
    np.testing.assert_array_equal(ReflectionPad(amount)(signal)[0, 0].numpy(), expected)


def test_reflection_keeps_the_memory_layout():
    signal = torch.randn(2, 5, 30)
    padded = ReflectionPad(3)(channels_last(signal))
    assert padded.transpose(1, 2).is_contiguous()
    assert torch.equal(padded, ReflectionPad(3)(signal))


def test_upsampling_by_odd_factors_keeps_the_length():
    vocoder = MelGAN(MelGANArchitecture(4, 1, (5, 3)), hop_length=15)
    assert vocoder.synthesize(torch.rand(1, 80, 7)).shape == (1, 105)


def test_the_receptive_field_of_the_residual_blocks_is_that_of_the_paper():
    """Dilations 1, 3, 9 of kernel 3: 27 samples, as after `k^layers` in section 2.2."""
    vocoder = MelGAN(MelGANArchitecture(4, 3, (2,)), hop_length=2)
    blocks = vocoder.layers[4:7]  # after padding, first convolution, leaky ReLU and upsampling
    signal = torch.zeros(1, 4, 101)
    impulse = signal.clone()
    impulse[..., 50] = 1
    changed = (blocks(impulse) - blocks(signal)).abs().sum(dim=1)[0].nonzero().flatten()
    assert (changed.min(), changed.max()) == (50 - 13, 50 + 13)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: MelGAN(MelGANArchitecture(4, 1, (8, 8, 2))), "the product must be hop_length, 256"),
        (lambda: MelGAN(MelGANArchitecture(4, 1), hop_length=200), "the product must be hop_length, 200"),
        (lambda: MelGANArchitecture(0), "channels is 0"),
        (lambda: MelGANArchitecture(upsampling=(256, 1)), "at least 2"),
    ],
)
def test_an_inconsistent_architecture_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
