"""UnivNet: noise and frames with kernels of their own."""

import copy

import pytest
import torch
from closeness import assert_close
from reference_networks import univnet as reference
from seeds import seed_of
from torch import nn

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.layers import channels_last
from vocoder_pareto.models.univnet import (
    UnivNet,
    UnivNetArchitecture,
    location_variable_convolution,
    location_variable_convolution_plainly,
)

FORMS = (location_variable_convolution, location_variable_convolution_plainly)
SMALL = {
    "of the paper's factors": lambda: UnivNet(UnivNetArchitecture(4, predictor_channels=8)),
    "of odd factors": lambda: UnivNet(UnivNetArchitecture(3, (5, 3), (1, 4), 5, 6), n_mels=7, hop_length=15),
}
each = pytest.mark.parametrize("name", SMALL)


def small(name):
    """Filters of norm 0.5 to 1.5, as after training."""
    torch.manual_seed(seed_of(1))
    vocoder = SMALL[name]()
    for key, parameter in vocoder.named_parameters():
        with torch.no_grad():
            if key.endswith("original0"):
                parameter.uniform_(0.5, 1.5)
    return vocoder


def generators(count):
    return [torch.Generator().manual_seed(seed_of(index)) for index in range(count)]


@pytest.mark.parametrize("convolve", FORMS)
@pytest.mark.parametrize(("batch", "channels", "frames", "hop"), [(1, 4, 1, 1), (2, 3, 5, 4), (3, 2, 2, 16)])
def test_a_location_variable_convolution_is_an_ordinary_one_for_each_frame(convolve, batch, channels, frames, hop):
    """By `torch.nn.functional.conv1d` of each frame's piece of the signal with its kernel."""
    signal = torch.randn(batch, channels, frames * hop)
    kernels = torch.randn(batch, 3, channels, 2 * channels, frames)
    biases = torch.randn(batch, 2 * channels, frames)
    expected = reference.location_variable_convolution(signal, kernels, biases)
    by_frames = kernels.permute(0, 4, 1, 2, 3).flatten(2, 3), biases.transpose(1, 2)
    for given in (signal, channels_last(signal)):
        assert_close(convolve(given, *by_frames), expected, factor=16)


@pytest.mark.parametrize("convolve", FORMS)
def test_its_gradients_are_those_of_the_definition(convolve):
    """By finite differences, in double precision."""
    shapes = (2, 2, 6), (2, 3, 6, 4), (2, 3, 4)
    inputs = [torch.randn(shape, dtype=torch.float64, requires_grad=True) for shape in shapes]
    assert torch.autograd.gradcheck(convolve, inputs)


@each
def test_the_network_is_that_of_the_paper_by_pytorchs_functions_alone(name):
    vocoder = small(name).double()
    mel, noise = torch.randn(2, vocoder.n_mels, 9).double(), torch.randn(2, vocoder.architecture.noise_channels, 9)
    weights = {f"vocoder.{key}": value.detach() for key, value in vocoder.state_dict().items()}
    sizes = vocoder.architecture.upsampling, vocoder.architecture.dilations
    expected = reference.univnet_generator(weights, noise.double(), mel, *sizes)
    assert expected.std() > 1e-3
    assert_close(vocoder.decode(noise.double(), mel), expected, factor=256)


@each
@pytest.mark.parametrize("frames", [1, 2, 3, 40])
def test_any_number_of_frames_gives_that_much_audio_in_range(name, frames):
    vocoder = small(name)
    audio = vocoder.synthesize(torch.rand(2, vocoder.n_mels, frames))
    assert audio.shape == (2, frames * vocoder.hop_length)
    assert audio.abs().max() <= 1
    assert torch.isfinite(audio).all()


@each
@pytest.mark.parametrize("frames", [1, 30])
def test_the_fast_form_equals_the_plain_one_before_and_after_folding(name, frames):
    vocoder = small(name)
    mel = torch.rand(2, vocoder.n_mels, frames)
    before = vocoder.synthesize(mel, generators(2))
    assert before.std() > 1e-3
    for form in (vocoder, copy.deepcopy(vocoder).prepare_for_inference()):
        assert_close(form.synthesize(mel, generators(2)), before, factor=256)
        with torch.inference_mode():
            assert_close(form.generate_plainly(mel, generators(2)), before, factor=256)
    assert not any("parametrizations" in key for key in form.state_dict())


@each
def test_a_batch_gives_the_audio_of_its_items_and_each_item_has_its_own_noise(name):
    vocoder = small(name).prepare_for_inference()
    mel = torch.rand(1, vocoder.n_mels, 9).expand(3, -1, -1).contiguous()
    together = vocoder.synthesize(mel, generators(3))
    apart = [vocoder.synthesize(mel[:1], [generator]) for generator in generators(3)]
    assert_close(together, torch.cat(apart), factor=256)
    assert (together[0] - together[1]).abs().max() > 1e-3


@each
def test_an_update_reaches_all_parameters(name):
    vocoder = small(name)
    vocoder(torch.rand(1, vocoder.n_mels, 30)).square().mean().backward()
    assert [key for key, value in vocoder.named_parameters() if value.grad is None or not value.grad.abs().sum()] == []


def test_on_a_cpu_every_convolution_of_the_fast_form_takes_and_gives_channels_last_memory():
    vocoder, others = small("of the paper's factors").prepare_for_inference(), []

    def note(module, inputs, output):
        others.extend(signal.shape for signal in (inputs[0], output) if not signal.transpose(1, 2).is_contiguous())

    for module in vocoder.modules():
        if isinstance(module, nn.Conv1d | nn.ConvTranspose1d):
            module.register_forward_hook(note)
    vocoder.synthesize(torch.rand(2, 80, 20))
    assert others == []
    with torch.inference_mode():
        vocoder.generate_plainly(torch.rand(2, 80, 20))
    assert others  # the plain form is in the usual layout


def macs_per_frame(channels, n_mels):
    """From figure 1: each convolution's outputs × inputs × kernel, at its rate; transposed ones per input."""
    predictor = n_mels * 64 * 5 + 6 * 64 * 64 * 3 + 64 * 3 * (4 * 3 * channels * 2 * channels + 4 * 2 * channels)
    upsamplings = sum(channels**2 * 2 * factor * rate for factor, rate in ((8, 1), (8, 8), (4, 64)))
    layers = (8 + 64 + 256) * 4 * (channels**2 * 3 + 2 * channels**2 * 3)
    return 64 * channels * 7 + 3 * predictor + upsamplings + layers + channels * 7 * 256


# Counted on github.com/maum-ai/univnet by PyTorch's own counter: parameters with weight norm folded, MACs of a frame.
OFFICIAL = {(16, 80): (3957809, 7137280), (16, 100): (3977009, 7156480), (32, 80): (14769953, 27436032)}


@pytest.mark.parametrize(("channels", "n_mels"), OFFICIAL)
def test_parameters_and_macs_are_those_of_the_public_code(channels, n_mels):
    with torch.device("meta"):
        vocoder = UnivNet(UnivNetArchitecture(channels), n_mels=n_mels)
    parameters, macs = OFFICIAL[channels, n_mels]
    for plainly in (False, True):
        operations = count_operations(vocoder, 4, plainly)
        assert operations.counters_agree
        assert operations.macs == 4 * macs == 4 * macs_per_frame(channels, n_mels)
    folded = vocoder.prepare_for_inference()
    assert sum(parameter.numel() for parameter in folded.parameters()) == parameters


@pytest.mark.parametrize(("channels", "millions"), [(16, 4.00), (32, 14.87)])
def test_parameters_with_weight_norm_are_those_told_at_100_bands(channels, millions):
    with torch.device("meta"):
        vocoder = UnivNet(UnivNetArchitecture(channels), n_mels=100)
    assert sum(parameter.numel() for parameter in vocoder.parameters()) / 1e6 == pytest.approx(millions, abs=0.005)


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: UnivNet(UnivNetArchitecture(4, (8, 8, 2))), "the product must be hop_length, 256"),
        (lambda: UnivNetArchitecture(0), "channels is 0; must be at least 1"),
        (lambda: UnivNetArchitecture(noise_channels=0), "noise_channels is 0"),
        (lambda: UnivNetArchitecture(predictor_channels=0), "predictor_channels is 0"),
        (lambda: UnivNetArchitecture(upsampling=(256, 1)), "at least 2"),
        (lambda: UnivNetArchitecture(dilations=()), "dilations are"),
        (lambda: UnivNetArchitecture(dilations=(1, 0)), "dilations are"),
    ],
)
def test_an_inconsistent_architecture_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
