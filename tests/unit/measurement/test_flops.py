"""Operations of one layer of each kind, counted by hand; the counters against each other."""

import re

import pytest
import torch
from small_vocoder import SMALL, SmallVocoder
from torch import nn
from torch.nn import functional
from torch.nn.utils.parametrizations import weight_norm

from vocoder_pareto.measurement.complexity import measure_complexity
from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.vocoder import NoSettings, Vocoder
from vocoder_pareto.study.sections.measurement import PublishedConvention

FRAMES = 10


class OneLayer(Vocoder):
    """A vocoder that is whatever `generate` a test gives it; 6 mel bands."""

    Architecture = NoSettings

    def __init__(self, generate, **layers):
        super().__init__(NoSettings(), n_mels=6, hop_length=1)
        for name, layer in layers.items():
            setattr(self, name, layer)
        self.weight = nn.Parameter(torch.ones(4, 6, 3))
        self._generate = generate

    def generate(self, mel, generator=None):
        return self._generate(self, mel).as_strided((len(mel), mel.shape[2]), (0, 0))  # a view, as long as audio is


def through(vocoder, mel):
    return vocoder.layer(mel)


def macs_of(layer, frames=FRAMES):
    return count_operations(OneLayer(through, layer=layer).eval(), frames).macs


def test_a_convolution_does_outputs_times_input_channels_of_its_group_times_kernel():
    assert macs_of(nn.Conv1d(6, 4, 3, padding=1)) == (4 * 10) * 6 * 3
    assert macs_of(nn.Conv1d(6, 4, 3)) == (4 * 8) * 6 * 3
    assert macs_of(nn.Conv1d(6, 4, 3, padding=1, groups=2)) == (4 * 10) * 3 * 3
    assert macs_of(nn.Conv1d(6, 4, 3, stride=2, padding=1)) == (4 * 5) * 6 * 3
    assert macs_of(nn.Conv1d(6, 4, 3, padding=9, dilation=9)) == (4 * 10) * 6 * 3


def test_a_two_dimensional_convolution_does_so_in_both_directions():
    vocoder = OneLayer(lambda self, mel: self.layer(mel[:, None]), layer=nn.Conv2d(1, 5, (3, 4), padding=(1, 0)))
    assert count_operations(vocoder, FRAMES).macs == (5 * 6 * 7) * 1 * 12


def test_a_transposed_convolution_does_inputs_times_output_channels_of_its_group_times_kernel():
    assert macs_of(nn.ConvTranspose1d(6, 4, 8, stride=4)) == (6 * 10) * 4 * 8
    assert macs_of(nn.ConvTranspose1d(6, 4, 8, stride=4, groups=2)) == (6 * 10) * 2 * 8


def test_the_published_convention_takes_the_input_channels_of_a_transposed_convolution_twice():
    vocoder = OneLayer(through, layer=nn.ConvTranspose1d(6, 4, 8, stride=4))
    assert count_operations(vocoder, FRAMES).published_macs == 10 * 6 * 6 * 8
    vocoder = OneLayer(lambda self, mel: functional.conv_transpose1d(mel, torch.ones(6, 4, 8, device=mel.device)))
    assert count_operations(vocoder, FRAMES).published_macs == 10 * 6 * 6 * 8


def test_a_linear_layer_does_outputs_times_inputs():
    vocoder = OneLayer(lambda self, mel: self.layer(mel.transpose(1, 2)), layer=nn.Linear(6, 5))
    assert count_operations(vocoder, FRAMES).macs == 10 * 5 * 6


def test_weight_norm_hides_nothing():
    layer = nn.Conv1d(6, 4, 3, padding=1)
    assert macs_of(weight_norm(layer)) == 4 * 10 * 6 * 3


def test_a_subclass_of_a_layer_is_counted_as_the_layer():
    class Renamed(nn.Conv1d):
        pass

    assert macs_of(Renamed(6, 4, 3, padding=1)) == 4 * 10 * 6 * 3


def test_a_layer_that_is_called_many_times_counts_every_time():
    def thrice(self, mel):
        for _ in range(3):
            mel = self.layer(mel)
        return mel

    vocoder = OneLayer(thrice, layer=nn.Conv1d(6, 6, 1))
    assert count_operations(vocoder, FRAMES).macs == 3 * 10 * 6 * 6


def test_other_layers_do_no_multiply_accumulates():
    layers = [
        nn.LeakyReLU(),
        nn.PReLU(),
        nn.Upsample(scale_factor=2),
        nn.BatchNorm1d(6),
        nn.AvgPool1d(2),
        nn.Identity(),
    ]
    assert macs_of(nn.Sequential(*layers)) == 0


@pytest.mark.parametrize(
    ("operation", "name", "macs"),
    [
        (lambda v, x: functional.conv1d(x, v.weight), "conv1d", 4 * 8 * 6 * 3),
        (lambda v, x: functional.conv1d(x, weight=v.weight), "conv1d", 4 * 8 * 6 * 3),
        (lambda v, x: functional.conv2d(x[:, :, None], v.weight[:, :, None]), "conv2d", 4 * 8 * 6 * 3),
        (lambda v, x: functional.conv_transpose1d(x, v.weight.transpose(0, 1)), "conv_transpose1d", 6 * 10 * 4 * 3),
        (lambda v, x: functional.linear(x.transpose(1, 2), v.weight[..., 0]), "linear", 10 * 4 * 6),
        (lambda v, x: v.weight[..., 0] @ x, "matmul", 10 * 4 * 6),
        (lambda v, x: torch.matmul(v.weight[..., 0], x), "matmul", 10 * 4 * 6),
        (lambda v, x: torch.mm(v.weight[..., 0], x[0]), "mm", 10 * 4 * 6),
        (lambda v, x: torch.bmm(v.weight[None, ..., 0], x), "bmm", 10 * 4 * 6),
        (lambda v, x: torch.addmm(v.weight[0, 0, :1], v.weight[..., 0], x[0]), "addmm", 10 * 4 * 6),
        (lambda v, x: torch.baddbmm(x[:, :4], v.weight[None, ..., 0], x), "baddbmm", 10 * 4 * 6),
    ],
)
def test_functional_operations_are_listed_by_name(operation, name, macs):
    operations = count_operations(OneLayer(operation), FRAMES)
    assert operations.functional_macs == {name: macs}
    assert operations.macs == operations.flop_counter_macs == macs
    assert operations.layer_macs == 0


def test_a_layer_that_computes_by_another_function_is_counted_once():
    class AsConv2d(nn.Conv1d):
        def forward(self, signal):
            return functional.conv2d(signal[:, :, None], self.weight[:, :, None], self.bias, padding=(0, 1))[:, :, 0]

    operations = count_operations(OneLayer(through, layer=AsConv2d(6, 4, 3, padding=1)), FRAMES)
    assert (operations.macs, operations.functional_macs) == (4 * 10 * 6 * 3, {})


def test_of_an_operation_without_a_rule_the_dispatcher_alone_tells_and_the_warning_names_it(caplog):
    vocoder = OneLayer(lambda self, mel: torch.einsum("ij,bjl->bil", self.weight[..., 0], mel))
    operations = count_operations(vocoder, FRAMES)
    assert (operations.macs, operations.counters_agree) == (4 * 6 * 10, False)
    assert operations.published_macs == operations.macs
    assert re.search(r"bmm.*operations\.py", caplog.text)


@pytest.mark.parametrize(("kind", "gates"), [(nn.RNN, 1), (nn.GRU, 3), (nn.LSTM, 4)])
def test_recurrent_layers_do_as_many_products_as_their_gates_have_weights(kind, gates):
    """Cho et al., 2014, and Hochreiter and Schmidhuber, 1997: each gate sees input and state, at every step."""
    vocoder = OneLayer(lambda self, mel: self.layer(mel.transpose(1, 2))[0], layer=kind(6, 4, batch_first=True))
    assert count_operations(vocoder, FRAMES).macs == gates * 10 * 4 * (6 + 4)


def test_attention_does_two_products_of_frames_with_frames():
    def attend(self, mel):
        frames = mel.transpose(1, 2)[:, None]  # one head
        return functional.scaled_dot_product_attention(frames, frames, frames)

    assert count_operations(OneLayer(attend), FRAMES).macs == 2 * 10 * 10 * 6


def test_a_vocoder_that_asks_for_content_is_counted_by_computing():
    def looks(self, mel):
        return self.layer(mel) if mel.abs().max().item() < 1 else mel

    assert count_operations(OneLayer(looks, layer=nn.Conv1d(6, 4, 1)), FRAMES).macs == 10 * 4 * 6


def test_counting_leaves_the_vocoder_as_it_was():
    vocoder = SmallVocoder().prepare_for_inference()
    before = {name: value.clone() for name, value in vocoder.state_dict().items()}
    count_operations(vocoder, FRAMES)
    assert vocoder.state_dict().keys() == before.keys()
    assert all(torch.equal(value, before[name]) for name, value in vocoder.state_dict().items())
    assert not any(module._forward_hooks or module._forward_pre_hooks for module in vocoder.modules())


def test_trillions_of_operations_take_no_time():
    layer = nn.Conv1d(6, 10_000, 1001, padding=500)
    assert macs_of(layer, frames=100_000) == 10_000 * 100_000 * 6 * 1001


# The record


def test_complexity_of_a_small_vocoder_by_hand():
    record = measure_complexity(SMALL, PublishedConvention(), clip_seconds=0.16)  # 10 frames
    upsample = 4 * 10 * 2 * 512
    others = 10 * 4 * 80 * 3 + 2 * (2560 * 2 * 2) + 2560 * 1 * 2 * 5
    weights = (4 * 80 * 3 + 4) + (4 * 2 * 512 + 2) + (2 * 2 + 2) + (2 * 5 + 1)
    assert record["macs"] == upsample + others
    assert record["flops"] == 2 * record["macs"]
    assert record["audio_seconds"] == pytest.approx(0.16)
    assert record["gflops_per_audio_second"] == pytest.approx(2 * (upsample + others) / 0.16 / 1e9)
    assert record["parameters_for_inference"] == weights
    assert record["parameters"] == weights + 4 + 4  # a scale per output channel, of a transposed convolution per input
    per_frame = (upsample * 4 // 2 + others) / 10  # C_in² · k
    assert record["gflops_published_convention"] == pytest.approx(2 * 64 * per_frame / 1e9)


def test_the_published_convention_may_be_of_another_hop_length_and_number_of_frames():
    record = measure_complexity(SMALL, PublishedConvention(frames=32, hop_length=512))
    assert record["published_convention"]["audio_seconds"] == pytest.approx(32 * 512 / 16000)
    per_frame = 4 * 4 * 1024 + 4 * 80 * 3 + 2 * 512 * 2 * 2 + 512 * 2 * 5
    assert record["gflops_published_convention"] == pytest.approx(2 * 32 * per_frame / 1e9)


def test_frames_of_the_published_convention_must_be_positive():
    with pytest.raises(ValueError, match="frames"):
        PublishedConvention(frames=0)


def test_memory_of_a_chain_is_that_of_its_largest_neighbours():
    # x (6, 10) → (4, 10) → (8, 10): at the second step both results are alive, the input of the vocoder is not ours.
    vocoder = OneLayer(
        lambda self, mel: self.second(self.first(mel)), first=nn.Conv1d(6, 4, 1), second=nn.Conv1d(4, 8, 1)
    )
    memory = count_operations(vocoder, FRAMES).memory
    assert memory.activation_bytes == 4 * (4 * 10 + 8 * 10)
    first = 6 * 10 + (4 * 6 + 4) + 4 * 10
    second = 4 * 10 + (8 * 4 + 8) + 8 * 10
    assert memory.moved_bytes == 4 * (first + second)


def test_results_that_are_dropped_free_their_memory():
    def generate(self, mel):
        for _ in range(50):
            mel = torch.tanh(mel)
        return mel

    assert count_operations(OneLayer(generate), FRAMES).memory.activation_bytes == 2 * 4 * 6 * 10


def test_views_move_nothing():
    vocoder = OneLayer(lambda self, mel: mel.transpose(1, 2)[:, ::2].unsqueeze(0))
    memory = count_operations(vocoder, FRAMES).memory
    assert (memory.activation_bytes, memory.moved_bytes) == (0, 0)
