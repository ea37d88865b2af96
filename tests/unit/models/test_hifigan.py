"""What is HiFi-GAN's alone; what it shares with MelGAN is in `test_gan_vocoders.py`."""

import pytest
import torch
from closeness import assert_close
from reference_networks.gans import hifigan_generator

from vocoder_pareto.models.hifigan import Fusion, HiFiGAN, HiFiGANArchitecture, ResidualStep


def test_a_fusion_is_the_mean_of_its_blocks():
    fusion, signal = Fusion(4, HiFiGANArchitecture()), torch.randn(2, 4, 50)
    expected = torch.stack([block(signal) for block in fusion.blocks]).mean(dim=0)
    assert_close(fusion(signal), expected, factor=16)


@pytest.mark.parametrize(("paired", "reach"), [(True, 3 * 2 + 3), (False, 3 * 2)])
def test_a_step_of_type_1_adds_a_plain_convolution_to_the_dilated_one(paired, reach):
    step = ResidualStep(4, kernel=5 if not paired else 7, dilation=3 if not paired else 2, paired=paired)
    signal = torch.zeros(1, 4, 101)
    impulse = signal.clone()
    impulse[..., 50] = 1
    changed = (step(impulse) - step(signal)).abs().sum(dim=1)[0].nonzero().flatten()
    assert (changed.min(), changed.max()) == (50 - reach, 50 + reach)


@pytest.mark.parametrize("slope", [0.01, 0.1, 0.0])
def test_the_last_leaky_relu_has_a_slope_of_its_own(slope):
    """With a last convolution that copies its first channel, the audio is tanh of that channel's activation."""
    vocoder = HiFiGAN(HiFiGANArchitecture(channels=16, last_slope=slope)).prepare_for_inference()
    with torch.no_grad():
        vocoder.last.weight.zero_()[0, 0, 3] = 1.0
        vocoder.last.bias.zero_()
    signals = []

    def centred(module, inputs, output):
        signals.append(output - output.mean())  # else it may be of one sign
        return signals[-1].clone()

    vocoder.last.register_forward_pre_hook(lambda _, inputs: signals.append(inputs[0]))
    vocoder.fusions[-1].register_forward_hook(centred)
    audio = vocoder.synthesize(torch.rand(1, 80, 4))
    fused, activated = (signal[:, 0] for signal in signals)
    assert (fused < 0).any()
    assert_close(activated, torch.where(fused < 0, slope * fused, fused), factor=8)
    assert_close(audio, activated.tanh(), factor=8)


def test_the_slope_of_the_last_leaky_relu_is_that_of_the_official_code():
    assert HiFiGANArchitecture().last_slope == 0.01


SMALL = {
    "channels": 16, "upsampling": (4, 2), "upsampling_kernels": (8, 4), "residual_kernels": (3, 7),
    "residual_dilations": ((1, 3), (1, 2)),
}  # fmt: skip


def reference(vocoder, mel, **options):
    """The same network by the functions of PyTorch alone."""
    weights = {f"vocoder.{name}": value.detach().double() for name, value in vocoder.state_dict().items()}
    sizes = ("upsampling", "upsampling_kernels", "residual_kernels", "residual_dilations")
    return hifigan_generator(weights, mel.double(), *(SMALL[size] for size in sizes), **options)


def test_convolutions_pad_by_reflection_where_that_is_asked_for():
    """By `torch.nn.functional.pad` before each convolution, as SpeechBrain's layers do."""
    vocoder = HiFiGAN(HiFiGANArchitecture(**SMALL, padding="reflect"), n_mels=4, hop_length=8).double()
    mel = torch.randn(2, 4, 9, dtype=torch.float64)
    expected = reference(vocoder, mel, padding="reflect")
    assert_close(vocoder.prepare_for_inference().synthesize(mel), expected, factor=256)
    assert not torch.allclose(expected[:, :8], reference(vocoder_with_weights_of(vocoder), mel)[:, :8])


def vocoder_with_weights_of(vocoder):
    """One that pads by zeros; `vocoder` is folded, so that its weights are plain."""
    other = HiFiGAN(HiFiGANArchitecture(**SMALL), n_mels=4, hop_length=8).double().prepare_for_inference()
    other.load_state_dict(vocoder.state_dict())
    return other


def test_the_mean_and_the_scale_of_the_input_are_taken_from_it_where_that_is_asked_for():
    """Before the padding: the input of the first convolution is padded by zeros, not by the mean."""
    vocoder = HiFiGAN(HiFiGANArchitecture(**SMALL, normalizes_input=True), n_mels=4, hop_length=8).double()
    vocoder.mean.copy_(torch.tensor([-3.0, 1.0, 0.5, 2.0]))
    vocoder.scale.copy_(torch.tensor([2.0, 0.5, 1.0, 3.0]))
    mel = torch.randn(2, 4, 9, dtype=torch.float64)
    standard = (mel - torch.tensor([[-3.0], [1.0], [0.5], [2.0]])) / torch.tensor([[2.0], [0.5], [1.0], [3.0]])
    expected = reference(vocoder, standard)
    assert_close(vocoder.prepare_for_inference().synthesize(mel), expected, factor=256)
    assert {"mean", "scale"} <= vocoder.state_dict().keys()
    assert not {"mean", "scale"} & dict(vocoder.named_parameters()).keys()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upsampling_kernels": (16, 16, 4)}, "same length"),
        ({"upsampling_kernels": (15, 16, 4, 4)}, "kernel 15 for factor 8"),
        ({"upsampling_kernels": (6, 16, 4, 4)}, "kernel 6 for factor 8"),
        ({"channels": 24}, "channels is 24; must be a multiple of 16"),
        ({"residual_kernels": (3, 7)}, "same length"),
        ({"residual_kernels": (3, 7, 10)}, "must be odd"),
        ({"residual_dilations": ((1,), (1,), (0,))}, "at least 1"),
        ({"last_slope": -0.1}, "last_slope is -0.1; must be at least 0"),
        ({"last_slope": 1.0}, "last_slope is 1.0; must be at least 0 and less than 1"),
    ],
)
def test_an_inconsistent_architecture_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        HiFiGANArchitecture(**options)


def test_upsampling_that_does_not_multiply_to_the_hop_is_refused():
    with pytest.raises(ValueError, match="the product must be hop_length, 256"):
        HiFiGAN(HiFiGANArchitecture(32, (8, 4), (16, 8)))
