"""What is iSTFTNet's alone; what it shares with MelGAN and HiFi-GAN is in `test_gan_vocoders.py`."""

from pathlib import Path

import pytest
import torch
from closeness import assert_close
from reference_networks.spectra import istftnet_generator
from seeds import seed_of

from vocoder_pareto.measurement.complexity import parameter_count
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.given_weights import load_given
from vocoder_pareto.models.istftnet import ISTFTNet, ISTFTNetArchitecture
from vocoder_pareto.models.layouts import hifigan_pairs, to_theirs
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.studied_systems import systems_of

PROJECT = Path(__file__).parents[3]
SYSTEMS = {
    system.size: system
    for system in systems_of(read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "modern.yaml"]))
    if system.model == "istftnet"
}


@pytest.mark.parametrize(
    ("factors", "kernels", "n_fft"), [((4, 2), (8, 4), 16), ((4, 1), (8, 1), 24)], ids=["C4C2I", "C4C1I"]
)
def test_it_is_that_of_an_independent_form(factors, kernels, n_fft):
    """A spectrum every 4 samples, and every 8; a stage without upsampling keeps its channels."""
    torch.manual_seed(seed_of(1))
    sizes = {"residual_kernels": (3, 7), "dilations": ((1, 3), (1, 2))}
    architecture = ISTFTNetArchitecture(16, factors, kernels, "1", *sizes.values(), n_fft=n_fft)
    vocoder = ISTFTNet(architecture, n_mels=4, hop_length=32).double()
    mel = torch.randn(2, 4, 9, dtype=torch.float64)
    weights = {f"vocoder.{name}": value.detach() for name, value in vocoder.state_dict().items()}
    options = {"factors": factors, "kernels": kernels, "n_fft": n_fft, "hop_length": 32}
    expected = istftnet_generator(weights, mel, **options, **sizes)
    assert expected.shape == (2, 9 * 32)
    assert_close(vocoder.prepare_for_inference().synthesize(mel), expected, factor=256)


def test_its_sizes_are_those_of_the_paper():
    """C8C8I as the re-implementation counts: 13.26 M, 12.86 GMACs per second at 16,000 Hz; C8C1I keeps 256 channels."""
    fused = {channels: 6 * (3 + 7 + 11) * channels**2 for channels in (256, 128)}  # weights of a fusion
    frame = 7 * 80 * 512 + 16 * 512 * 256  # of the first convolution and the first upsampling
    sizes = {
        "C8C8I": (frame + 8 * (fused[256] + 16 * 256 * 128) + 64 * fused[128], 64, 7 * 128 * 18),
        "C8C1I": (frame + 8 * 2 * fused[256], 8, 7 * 256 * 130),
    }
    assert SYSTEMS.keys() == sizes.keys()
    for size, (macs_of_frame, steps, macs_of_last) in sizes.items():
        with torch.device("meta"):
            vocoder = build_vocoder(SYSTEMS[size])
        for plainly in (False, True):
            operations = count_operations(vocoder, frames=8, plainly=plainly)
            assert operations.macs == 8 * macs_of_frame + (8 * steps + 1) * macs_of_last
            assert operations.macs == operations.flop_counter_macs == operations.layer_macs
        per_second = 62.5e-9 * (macs_of_frame + steps * macs_of_last)
        assert per_second == pytest.approx({"C8C8I": 12.86, "C8C1I": 8.52}[size], abs=0.005)
        millions = parameter_count(vocoder) / 1e6
        assert millions == pytest.approx({"C8C8I": 13.26, "C8C1I": 19.15}[size], abs=0.006)


def test_weights_of_the_re_implementation_whose_names_are_those_of_hifigan_become_its_own():
    one, other = (ISTFTNet(ISTFTNetArchitecture(channels=16)) for _ in range(2))
    theirs = to_theirs(one, hifigan_pairs)
    assert {name: tuple(value.shape) for name, value in theirs.items() if "post" in name} == {
        "conv_post.weight_g": (18, 1, 1), "conv_post.weight_v": (18, 4, 7), "conv_post.bias": (18,),
    }  # fmt: skip
    assert load_given(other, theirs, "x.pt").name == "jik876_hifigan"
    mel = torch.rand(1, 80, 4)
    assert torch.equal(one.synthesize(mel), other.synthesize(mel))


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_in_reduced_precision_spectra_are_still_inverted_and_the_audio_is_near(kind):
    torch.manual_seed(seed_of(1))
    vocoder = ISTFTNet(ISTFTNetArchitecture(channels=16)).prepare_for_inference()
    mel = torch.rand(1, 80, 12)
    exact = vocoder.synthesize(mel)
    with torch.autocast("cpu", kind):
        audio = vocoder.synthesize(mel)
    assert audio.dtype == torch.float32
    assert (audio - exact).std() < 0.05 * exact.std()


def test_spectra_at_the_rate_of_the_frames_are_refused():
    with pytest.raises(ValueError, match=r"upsampling \[1\] multiplies to 1; must to 2 or more"):
        ISTFTNetArchitecture(upsampling=(1,), upsampling_kernels=(1,))


@pytest.mark.parametrize(
    ("architecture", "hop_length", "message"),
    [
        ({}, 250, r"upsampling \[8, 8\] multiplies to 64; the product must divide hop_length, 250"),
        ({"n_fft": 18}, 256, r"n_fft is 18; must be even and a whole number of hops of its frames \(4\)"),
        ({"upsampling": (8, 1), "upsampling_kernels": (16, 1)}, 256, r"n_fft is 16; .* of its frames \(32\)"),
    ],
)
def test_factors_that_leave_no_whole_hop_are_refused(architecture, hop_length, message):
    with pytest.raises(ValueError, match=message):
        ISTFTNet(ISTFTNetArchitecture(channels=16, **architecture), hop_length=hop_length)
