"""What is Multi-band MelGAN's alone; what it shares with other GANs is in `test_gan_vocoders.py`."""

import pytest
import torch
from closeness import assert_close
from reference_networks import multiband
from reference_networks.gans import melgan_generator
from torch import nn

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN, MultiBandMelGANArchitecture


def test_the_network_is_melgans_with_a_filter_bank_by_pytorchs_functions_alone():
    architecture = MultiBandMelGANArchitecture(16, 2, (4, 2), bands=2)
    vocoder = MultiBandMelGAN(architecture, n_mels=6, hop_length=16).double()
    mel = torch.randn(2, 6, 20).double()
    weights = {f"vocoder.{name}": value.detach() for name, value in vocoder.state_dict().items()}
    signals = melgan_generator(weights, mel, (4, 2), 2)
    assert signals.shape == (2, 2, 160)
    assert_close(vocoder.sub_bands(mel), signals, factor=256)
    assert_close(vocoder(mel), multiband.synthesised(signals), factor=256)


def test_bands_that_sum_up_beyond_full_scale_are_clipped_at_generation_alone():
    vocoder = MultiBandMelGAN(MultiBandMelGANArchitecture(8, 0)).eval()
    vocoder.layers = nn.Sequential(nn.Flatten(0), nn.Unflatten(0, (1, 4, -1)))
    mel = torch.full((1, 4, 64), 0.9)
    whole = vocoder.filter_bank.synthesis(mel)
    assert whole.abs().max() > 1
    assert torch.equal(vocoder(mel), whole)
    assert_close(vocoder.generate(mel), whole.clamp(-1, 1), factor=8)
    assert_close(vocoder.generate_plainly(mel), whole.clamp(-1, 1), factor=64)


def test_parameters_and_macs_are_those_of_the_public_code():
    """Counted on github.com/kan-bayashi/ParallelWaveGAN's multi_band_melgan.v2 by PyTorch's own counter.

    Of its 18,064,384 MACs of a frame some are products with ones and zeros, which put zeros between samples.
    """
    with torch.device("meta"):
        vocoder = MultiBandMelGAN(MultiBandMelGANArchitecture())
    fast, plain = (count_operations(vocoder, 4, plainly) for plainly in (False, True))
    generator, filtering = 17995776, 256 * 4 * 63
    assert fast.layer_macs == plain.layer_macs == 4 * generator
    assert fast.counters_agree
    assert plain.counters_agree
    assert plain.macs == 4 * (generator + filtering) == 4 * (18064384 - 4**3 * 64)
    assert fast.macs == 4 * (generator + 256 * 4 * 17)
    assert sum(parameter.numel() for parameter in vocoder.parameters()) == 2539448
    folded = vocoder.prepare_for_inference()
    assert sum(parameter.numel() for parameter in folded.parameters()) == 2534356


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: MultiBandMelGAN(MultiBandMelGANArchitecture(), hop_length=200),
            r"band_upsampling \[8, 4, 2\] and 4 bands multiply to 256; the product must be hop_length, 200",
        ),
        (lambda: MultiBandMelGAN(MultiBandMelGANArchitecture(taps=61)), "taps 61"),
        (lambda: MultiBandMelGANArchitecture(band_upsampling=(64, 1)), "at least 2"),
        (lambda: MultiBandMelGANArchitecture(100), "channels is 100; must be a multiple of 8"),
        (lambda: MultiBandMelGANArchitecture(residual_layers=-1), "residual_layers is -1"),
    ],
)
def test_an_inconsistent_architecture_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
