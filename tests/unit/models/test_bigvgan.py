"""What is BigVGAN's alone; what it shares with MelGAN and HiFi-GAN is in `test_gan_vocoders.py`.

The counts of operations are those of the official code, github.com/NVIDIA/BigVGAN, by `torch.utils.flop_counter`.
"""

from pathlib import Path

import pytest
import torch
from closeness import assert_close
from reference_networks.bigvgan import bigvgan_generator, low_pass_filter
from seeds import seed_of

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.bigvgan import BigVGAN, BigVGANArchitecture
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.studied_systems import systems_of

PROJECT = Path(__file__).parents[3]
SMALL = {
    "channels": 16, "upsampling": (4, 2), "upsampling_kernels": (8, 4), "residual_kernels": (3, 7),
    "residual_dilations": ((1, 3), (1, 2)),
}  # fmt: skip
# Parameters, and multiply-accumulates of 625 frames (10 s).
OFFICIAL = {"bigvgan-base": (13_953_474, 199_220_240_640), "bigvgan-v2": (112_231_249, 572_881_348_800)}


@pytest.mark.parametrize("bound", ["tanh", "clip"])
def test_both_forms_are_the_network_of_the_paper(bound):
    """Against the same network by the functions of PyTorch alone, in double precision."""
    architecture = BigVGANArchitecture(**SMALL, bound=bound, last_bias=bound == "tanh")
    vocoder = BigVGAN(architecture, n_mels=4, hop_length=8).double()
    for name, parameter in vocoder.named_parameters():
        with torch.no_grad():
            if name.endswith(("alpha", "beta")):
                parameter.copy_(0.3 * torch.randn_like(parameter))
            elif name.endswith("original0"):
                parameter.copy_(0.7 + 0.6 * torch.rand_like(parameter))
    for name, buffer in vocoder.named_buffers():
        if name.endswith(".filter"):
            buffer.copy_(torch.from_numpy(low_pass_filter()))  # which it has in single precision
    weights = {f"vocoder.{name}": value.detach() for name, value in vocoder.state_dict().items()}
    mel = torch.randn(2, 4, 9, dtype=torch.float64)
    expected = bigvgan_generator(weights, mel, *list(SMALL.values())[1:], bound=bound)
    assert (expected.abs() < 0.99).float().mean() > 0.2
    vocoder.prepare_for_inference()
    for form in (vocoder.generate, vocoder.generate_plainly):
        assert_close(form(mel), expected, factor=1024)


def test_v2_clips_where_base_takes_its_tanh():
    torch.manual_seed(seed_of(1))
    base, v2 = (
        BigVGAN(BigVGANArchitecture(**SMALL, bound=bound), n_mels=4, hop_length=8) for bound in ("tanh", "clip")
    )
    with torch.no_grad():
        base.last.parametrizations.weight.original0.fill_(30.0)
        v2.load_state_dict(base.state_dict())
        clipped, saturated = v2(mel := torch.randn(1, 4, 9)), base(mel)
    assert (clipped.abs() == 1).any()
    is_within = clipped.abs() < 1
    assert_close(saturated[is_within], clipped[is_within].tanh(), factor=16)


def modern_systems():
    config = read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "modern.yaml"])
    return {system.name: system for system in systems_of({**config, "systems": "all"})}


@pytest.fixture(scope="module")
def of_full_size():
    systems = modern_systems()
    with torch.device("meta"):
        return {name: build_vocoder(systems[name]) for name in OFFICIAL}


@pytest.mark.parametrize("name", OFFICIAL)
def test_parameters_and_operations_are_those_of_the_official_code(name, of_full_size):
    vocoder = of_full_size[name]
    assert sum(parameter.numel() for parameter in vocoder.parameters()) == OFFICIAL[name][0]
    plain = count_operations(vocoder, 625, plainly=True)
    assert plain.macs == OFFICIAL[name][1]
    assert plain.counters_agree


@pytest.mark.parametrize("name", OFFICIAL)
def test_the_fast_form_does_as_many_operations_but_for_the_ends(name, of_full_size):
    """The plain form's transposed convolutions go through 10 samples beyond the ends, of 12 taps, in every channel."""
    vocoder = of_full_size[name]
    fast, plain = (count_operations(vocoder, 40, plainly=plainly) for plainly in (False, True))
    channels = [vocoder.architecture.channels // 2 ** (1 + stage) for stage in range(len(vocoder.fusions))]
    activations = sum(18 * width for width in channels) + channels[-1]
    assert plain.macs - fast.macs == 120 * activations
    assert fast.counters_agree


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"upsampling_kernels": (16, 16, 4)}, "same length"),
        ({"channels": 24}, "channels is 24; must be a multiple of 16"),
        ({"residual_kernels": (3, 7, 10)}, "must be odd"),
    ],
)
def test_an_inconsistent_architecture_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        BigVGANArchitecture(**options)


def test_upsampling_that_does_not_multiply_to_the_hop_is_refused():
    with pytest.raises(ValueError, match="the product must be hop_length, 256"):
        BigVGAN(BigVGANArchitecture(32, (8, 4), (16, 8)))


def test_activations_begin_as_snake_with_a_frequency_of_one():
    vocoder = BigVGAN(BigVGANArchitecture(**SMALL), n_mels=4, hop_length=8)
    logarithms = [value for name, value in vocoder.named_parameters() if name.endswith(("alpha", "beta"))]
    assert len(logarithms) == 2 * (2 * 2 * 2 * 2 + 1)  # stages, kernels, dilations, halves, and one at the end
    assert all((value == 0).all() for value in logarithms)


def test_the_bound_is_that_of_the_official_code():
    assert BigVGANArchitecture().bound == "tanh"
    sizes = {system.size: system.architecture for system in modern_systems().values() if system.model == "bigvgan"}
    assert (sizes["v2"]["bound"], sizes["v2"]["last_bias"]) == ("clip", False)
