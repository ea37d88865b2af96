"""What is WaveFlow's alone; what it shares with WaveGlow is in `test_flow_vocoders.py`."""

import pytest
import torch
from closeness import assert_close
from small_flows import audio_and_mel, trained_like

from vocoder_pareto.measurement.flops import count_operations
from vocoder_pareto.models.gated_matrices import RowQueue
from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture


def waveflow(*sizes, **options):
    return trained_like(lambda: WaveFlow(WaveFlowArchitecture(*sizes), **options))


@pytest.mark.parametrize("height", [8, 16])
@pytest.mark.parametrize("prepared", [False, True])
@torch.no_grad()
def test_cached_inverse_equals_plain_inverse(height, prepared):
    """With all layers, kernels and dilations (up to 128 columns), on rows that are longer than the largest one."""
    vocoder = waveflow(2, 8, 8, height)
    audio, mel = audio_and_mel(vocoder, batch=2, frames=300 * height // 256)
    latent, _ = vocoder.encode(audio, mel)
    plain = vocoder.decode_plainly(latent, mel)
    if prepared:
        vocoder.prepare_for_inference()
    cached = vocoder.decode(latent, mel)
    assert cached.std() > 0.1
    assert_close(cached, plain, factor=256)


def test_a_row_of_the_latent_depends_on_the_rows_before_it_alone():
    flow = waveflow(1, 3, 4, 4, 3, (4, 4), n_mels=4, hop_length=16).flows[0].double()
    rows, mel = torch.randn(1, 1, 4, 8).double(), torch.rand(1, 4, 4, 8).double()
    jacobian = torch.autograd.functional.jacobian(lambda each: flow(each, mel)[0], rows)[0, 0, :, :, 0, 0]
    for row in range(4):
        on_itself = jacobian[row, :, row]
        assert torch.equal(on_itself, torch.diag(on_itself.diagonal()))
        assert not jacobian[row, :, row + 1 :].any()
        assert all(jacobian[row, :, before].abs().max() > 1e-4 for before in range(row))
    assert torch.equal(jacobian[0, :, 0], torch.eye(8).double())  # the first row passes


@torch.no_grad()
def test_reversing_the_rows_between_flows_lets_every_row_change():
    vocoder = waveflow(2, 3, 4, 4, 3, (4, 4), n_mels=4, hop_length=16)
    audio, mel = audio_and_mel(vocoder, frames=2)
    latent, _ = vocoder.encode(audio, mel)
    assert ((latent - audio).abs() > 1e-3).float().mean() > 0.95


@torch.no_grad()
def test_a_flow_is_the_affine_map_of_the_paper():
    """By hand: one layer and one channel, where row 1 is scaled and shifted by what row 0 and the mel give."""
    flow = waveflow(1, 1, 1, 2, 3, (2, 2), n_mels=1, hop_length=4).flows[0]
    rows, mel = torch.randn(1, 1, 2, 5), torch.rand(1, 1, 2, 5)
    (layer,) = flow.layers
    front = flow.front.weight.item() * rows[0, 0, 0] + flow.front.bias.item()
    padded = torch.cat([torch.zeros(1), front, torch.zeros(1)])
    kernel = layer.convolution.weight[:, 0, 2]  # the rows 0 and 1 of the kernel see the zeros above the first row
    conditioner = layer.conditioner.weight.flatten()
    bias = layer.convolution.bias + layer.conditioner.bias
    filtered, gate = (
        sum(kernel[half, tap] * padded[tap : tap + 5] for tap in range(3))
        + conditioner[half] * mel[0, 0, 1]
        + bias[half]
        for half in range(2)
    )
    skip = layer.output.weight.flatten()[1] * filtered.tanh() * gate.sigmoid() + layer.output.bias[1]
    log_sigma, mu = (flow.end.weight.flatten()[index] * skip + flow.end.bias[index] for index in range(2))
    latent, log_determinant = flow(rows, mel)
    assert_close(latent[0, 0, 1], rows[0, 0, 1] * log_sigma.exp() + mu, factor=16)
    assert_close(log_determinant, log_sigma.sum()[None], factor=16)


def slow(*values):
    return pytest.param(*values, marks=pytest.mark.slow)


@pytest.mark.parametrize(("sizes", "saving"), [((64, 8), 6), slow((96, 16), 10), slow((128, 16), 10)])
def test_the_queue_saves_most_of_the_operations(sizes, saving):
    vocoder = WaveFlow(WaveFlowArchitecture(2, channels=sizes[0], height=sizes[1])).prepare_for_inference()
    fast, plain = (count_operations(vocoder, 4, plainly=plainly) for plainly in (False, True))
    assert plain.macs > saving * fast.macs


def test_a_queue_holds_the_last_rows_side_by_side_and_zeros_around_them():
    queue = RowQueue(torch.zeros(1, 6, 5), 1, 1, (3, 3), 1)
    rows = torch.arange(1.0, 28).reshape(9, 3)
    for index, row in enumerate(rows):
        queue.push()[0, 0] = row
        padded = torch.zeros(3, 5)  # what the kernel should see: three rows, the last one new, and a zero at each end
        padded[max(0, 2 - index) :, 1:-1] = rows[max(0, index - 2) : index + 1]
        for tap, seen in enumerate(queue.taps()):
            assert torch.equal(seen[0], padded[:, tap : tap + 3])
    queue.clear()
    queue.push()[0, 0] = rows[0]
    assert torch.equal(list(queue.taps())[1][0], torch.stack([torch.zeros(3), torch.zeros(3), rows[0]]))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (
            lambda: WaveFlow(WaveFlowArchitecture(), hop_length=200),
            r"\[16, 16\]; they must be even and multiply to hop",
        ),
        (lambda: WaveFlow(WaveFlowArchitecture(upsample_factors=(16, 8))), "multiply to hop_length, 256"),
        (lambda: WaveFlow(WaveFlowArchitecture(upsample_factors=(256, 1))), "must be even"),
        (lambda: WaveFlow(WaveFlowArchitecture(height=12)), "height is 12; it must divide hop_length, 256"),
        (lambda: WaveFlowArchitecture(height=1), "height at least 2"),
        (lambda: WaveFlowArchitecture(layers=0), "must be at least 1"),
        (lambda: WaveFlowArchitecture(kernel_size=4), "kernel_size is 4; must be odd"),
    ],
)
def test_an_inconsistent_architecture_is_refused(build, message):
    with pytest.raises(ValueError, match=message):
        build()
