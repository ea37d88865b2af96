"""Vocos against a form that is written from the paper and the official code, and what all vocoders have to do."""

import copy
from pathlib import Path

import pytest
import torch
from closeness import assert_close
from reference_networks.spectra import vocos_generator
from seeds import seed_of
from torch import nn

from vocoder_pareto.measurement.complexity import parameter_count
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.models.vocos import Vocos, VocosArchitecture
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.studied_systems import systems_of

PROJECT = Path(__file__).parents[3]
SYSTEMS = {
    system.size: system
    for system in systems_of(read_configuration([PROJECT / "config.yaml", PROJECT / "presets" / "modern.yaml"]))
    if system.model == "vocos"
}
SMALL = VocosArchitecture(channels=8, blocks=2)


def small(**options):
    torch.manual_seed(seed_of(1))
    return Vocos(VocosArchitecture(channels=8, blocks=2, **options))


def test_it_is_that_of_an_independent_form():
    torch.manual_seed(seed_of(1))
    vocoder = Vocos(VocosArchitecture(channels=8, blocks=3, expansion=2, n_fft=64), n_mels=5, hop_length=16).double()
    for weight in vocoder.parameters():  # else scales are alike, and biases 0
        nn.init.normal_(weight, std=0.5)
    mel = torch.randn(2, 5, 7, dtype=torch.float64)
    weights = {f"vocoder.{name}": value.detach() for name, value in vocoder.state_dict().items()}
    expected = vocos_generator(weights, mel, blocks=3, n_fft=64, hop_length=16)
    assert_close(vocoder.synthesize(mel), expected, factor=256)


def test_magnitudes_are_held_below_a_hundred():
    vocoder, mel = small().double(), torch.randn(1, 80, 4, dtype=torch.float64)
    half = SMALL.n_fft // 2 + 1
    with torch.no_grad():
        vocoder.head.bias[:half] = 12.0  # e^12 is far more
    held = vocoder.synthesize(mel)
    with torch.no_grad():
        vocoder.head.weight[:half] = 0
        vocoder.head.bias[:half] = torch.tensor(100.0, dtype=torch.float64).log()
    assert_close(held, vocoder.synthesize(mel), factor=256)


@pytest.mark.parametrize("size", SYSTEMS)
def test_parameters_and_multiply_accumulates_are_those_of_the_published_layers(size):
    """Written out layer by layer; for L both are those of the official code: 13.46 M, 0.839 GMACs per second."""
    channels, blocks = {"S": (256, 4), "M": (384, 6), "L": (512, 8)}[size]
    with torch.device("meta"):
        vocoder = build_vocoder(SYSTEMS[size])
    products = 7 * 80 * channels + blocks * (7 * channels + 2 * 3 * channels**2) + 1026 * channels
    others = channels + 2 * channels + blocks * (channels + 2 * channels + 3 * channels + channels + channels)
    assert parameter_count(vocoder) == products + others + 2 * channels + 1026
    for plainly in (False, True):
        operations = count_operations(vocoder, frames=8, plainly=plainly)
        assert operations.macs == operations.flop_counter_macs == operations.layer_macs == 8 * products
    if size == "L":
        assert parameter_count(vocoder) == 13_459_970
        assert products * 16000 / 256 / 1e9 == pytest.approx(0.8390, abs=5e-5)


@pytest.mark.parametrize("options", [{}, {"padding": "same", "n_fft": 768}])
@pytest.mark.parametrize("frames", [1, 2, 40])
def test_any_number_of_frames_gives_that_much_audio(options, frames):
    audio = small(**options).synthesize(torch.rand(2, 80, frames))
    assert audio.shape == (2, frames * 256)
    assert torch.isfinite(audio).all()
    assert audio.std() > 1e-3


def test_a_batch_gives_the_audio_of_its_items():
    vocoder, mel = small().prepare_for_inference(), torch.rand(3, 80, 9)
    apart = torch.cat([vocoder.synthesize(mel[index : index + 1]) for index in range(3)])
    assert_close(vocoder.synthesize(mel), apart, factor=256)


def test_an_update_reaches_all_parameters():
    vocoder = small()
    vocoder(torch.rand(1, 80, 30)).square().mean().backward()
    assert [key for key, value in vocoder.named_parameters() if value.grad is None or not value.grad.abs().sum()] == []


@pytest.mark.parametrize("frames", [1, 30])
def test_the_fast_form_equals_the_plain_one_before_and_after_preparation(frames):
    vocoder, mel = small(), torch.rand(2, 80, frames)
    for form in (vocoder, copy.deepcopy(vocoder).prepare_for_inference()):
        with torch.inference_mode():
            assert_close(form.synthesize(mel), form.generate_plainly(mel), factor=256)


def test_on_a_cpu_no_layer_of_the_fast_form_but_the_first_has_to_copy_its_input():
    vocoder, mel, copied = small().prepare_for_inference(), torch.rand(2, 80, 20), []

    def note(module, inputs):
        lies = inputs[0].transpose(1, 2) if isinstance(module, nn.Conv1d) else inputs[0]
        if not lies.is_contiguous():
            copied.append(module)

    for module in vocoder.modules():
        if isinstance(module, nn.Conv1d | nn.Linear | nn.LayerNorm):
            module.register_forward_pre_hook(note)
    vocoder.synthesize(mel)
    assert copied == []
    with torch.inference_mode():
        vocoder.generate_plainly(mel)
    assert copied  # the plain form is in the usual layout


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16])
def test_in_reduced_precision_spectra_are_still_inverted_and_the_audio_is_near(kind):
    vocoder, mel = small().prepare_for_inference(), torch.rand(1, 80, 20)
    exact = vocoder.synthesize(mel)
    with torch.autocast("cpu", kind):
        audio = vocoder.synthesize(mel)
    assert audio.dtype == torch.float32
    assert (audio - exact).std() < 0.05 * exact.std()
    reduced = copy.deepcopy(vocoder).to(kind).synthesize(mel.to(kind))
    assert reduced.dtype == kind
    assert (reduced.float() - exact).std() < 0.05 * exact.std()


def test_a_compiler_takes_it_as_one_graph():
    """A break of the graph where autocast is left would have the rest compiled anew at every call."""
    vocoder, mel = small().prepare_for_inference(), torch.rand(1, 80, 4)
    compiled = torch.compile(vocoder.generate, backend="eager", fullgraph=True)
    with torch.inference_mode():
        assert_close(compiled(mel), vocoder.generate(mel), factor=8)


def test_its_weights_begin_as_the_official_ones():
    torch.manual_seed(seed_of(1))
    vocoder = Vocos(VocosArchitecture(channels=64, blocks=4))
    weights = dict(vocoder.named_parameters())
    for name in ("first.weight", "blocks.3.depthwise.weight", "blocks.0.expand.weight", "blocks.0.contract.weight"):
        assert weights[name].std().item() == pytest.approx(0.02, rel=0.1)
    assert all(not value.any() for name, value in weights.items() if name.endswith("bias") and "head" not in name)
    assert all((block.scale == 0.25).all() for block in vocoder.blocks)
    assert weights["head.weight"].abs().max().item() == pytest.approx(64**-0.5, rel=0.01)  # as of `nn.Linear`


@pytest.mark.parametrize("name", ["channels", "blocks", "expansion"])
def test_an_impossible_architecture_is_refused(name):
    with pytest.raises(ValueError, match=f"{name} is 0; must be at least 1"):
        VocosArchitecture(**{name: 0})


def test_a_hop_that_does_not_fit_its_frames_is_refused():
    with pytest.raises(ValueError, match="n_fft is 1024; must be even and a whole number of hops"):
        Vocos(SMALL, hop_length=300)
