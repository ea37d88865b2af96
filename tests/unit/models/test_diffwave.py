"""DiffWave: its sizes, its step embedding and the alignment of its fast schedule."""

import csv
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from calm import calm
from closeness import assert_close
from seeds import seed_of
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from vocoder_pareto.models.diffusion import NoiseSchedule, training_schedule
from vocoder_pareto.models.diffwave import (
    DiffWave,
    DiffWaveArchitecture,
    DiffWaveSampling,
    ResidualLayer,
    StepEmbedding,
    aligned_steps,
)

PUBLISHED = Path(__file__).resolve().parents[3] / "resources" / "published" / "table2_cost.csv"
SIZES = {"S": 32, "M": 64, "L": 128}
TRAINING = training_schedule(DiffWaveArchitecture())
FLOAT32 = np.finfo(np.float32).eps


@pytest.fixture(scope="module")
def table_2():
    with PUBLISHED.open() as file:
        return {row["size"]: row for row in csv.DictReader(file) if row["model"] == "diffwave"}


@pytest.mark.parametrize("size", SIZES)
def test_parameters_and_operations_agree_with_table_2(size, table_2):
    """Parameters to the printed digits; FLOPs of 64 frames and 6 steps to 1 %."""
    with torch.device("meta"):
        vocoder = DiffWave(DiffWaveArchitecture(residual_channels=SIZES[size]))
        with torch.no_grad(), FlopCounterMode(display=False) as counter:
            vocoder.generate_plainly(torch.empty(1, 80, 64))
    count = sum(parameter.numel() for parameter in vocoder.parameters())
    assert f"{count / 1e6:.2f}" == table_2[size]["parameters_millions"]
    assert counter.get_total_flops() / 1e9 == pytest.approx(float(table_2[size]["gflops"]), rel=0.01)


def test_the_schedule_of_training_aligns_with_whole_steps():
    assert aligned_steps(TRAINING, TRAINING) == pytest.approx(range(1, 51), abs=1e-9)


def test_the_fast_schedule_aligns_with_steps_of_equal_noise():
    """Appendix B, by numpy's interpolation of the steps over the noise levels of training."""
    fast = NoiseSchedule(DiffWaveSampling().betas)
    levels = np.sqrt(np.concatenate([[1], np.cumprod(1 - np.linspace(1e-4, 0.05, 50))]))
    wanted = np.sqrt(np.cumprod(1 - np.array(fast.betas)))
    expected = np.interp(wanted, levels[::-1], np.arange(51)[::-1])
    steps = aligned_steps(fast, TRAINING)
    np.testing.assert_allclose(steps, expected, rtol=1e-9)
    assert steps[0] == pytest.approx(1)  # both schedules start with a variance of 1e-4
    assert all(first < second for first, second in pairwise(steps))
    assert DiffWave(DiffWaveArchitecture(residual_layers=1, residual_channels=2)).noise_levels == steps


def test_a_schedule_cleaner_than_the_first_step_of_training_is_refused():
    with pytest.raises(ValueError, match=r"begins with a variance of 5e-05, cleaner than that of training, 0\.0001"):
        DiffWave(DiffWaveArchitecture(), DiffWaveSampling((5e-5, 0.5, 0.5)))


def sines_of(embedding, steps):
    """What the two layers of the embedding get."""
    given = []
    with embedding.layers.register_forward_pre_hook(lambda module, inputs: given.append(inputs[0])):
        embedding(torch.tensor(steps, dtype=torch.float64))
    return given[0].double().numpy()


def papers_sines(step):
    """Section 3.1, by numpy."""
    angles = step * 10 ** (np.arange(64) * 4 / 63)
    return np.concatenate([np.sin(angles), np.cos(angles)])


def test_the_step_embedding_starts_from_the_papers_sines():
    for row, step in zip(sines_of(StepEmbedding(), [1.0, 37.0, 50.0]), (1, 37, 50), strict=True):
        assert_close(row, papers_sines(step), factor=8, eps=FLOAT32)


def test_weights_of_the_usual_code_count_steps_from_0():
    for row, step in zip(sines_of(StepEmbedding(first_step=0), [1.0, 37.0]), (0, 36), strict=True):
        assert_close(row, papers_sines(step), factor=8, eps=FLOAT32)
    assert DiffWave(DiffWaveArchitecture(1, 2, first_step=0)).embedding.first_step == 0


def test_every_step_of_generation_lies_between_two_that_training_draws():
    """The table of whole steps is numpy's; the sines of a fractional step itself would lie far from all of it."""
    table = np.stack([papers_sines(step) for step in range(1, 51)])
    steps = aligned_steps(NoiseSchedule(DiffWaveSampling().betas), TRAINING)
    apart = np.linalg.norm(np.diff(table, axis=0), axis=1).min()
    for row, step in zip(sines_of(StepEmbedding(), steps), steps, strict=True):
        assert distance_to_chords(row, table) < 1e-5 * apart
        below = int(step)
        nearest = np.linalg.norm(table - row, axis=1).argmin() + 1
        assert nearest == below + (step - below > 0.5)
    assert distance_to_chords(papers_sines(steps[3]), table) > 0.3 * apart


def distance_to_chords(point, table):
    """The distance to the nearest of the straight lines from each row of the table to the next one."""
    starts, chords = table[:-1], np.diff(table, axis=0)
    along = ((point - starts) * chords).sum(axis=1) / np.square(chords).sum(axis=1)
    return np.linalg.norm(starts + along.clip(0, 1)[:, None] * chords - point, axis=1).min()


def test_a_fresh_network_predicts_a_constant():
    """As the usual code starts it: weights of zero in the last layer, and whatever bias."""
    vocoder = DiffWave(DiffWaveArchitecture(residual_layers=3, residual_channels=4))
    noise = vocoder.predict_noise(torch.randn(2, 512), torch.tensor([7, 30]), torch.rand(2, 80, 2))
    assert torch.equal(noise, vocoder.output.bias.expand(2, 512))


def test_a_residual_layer_is_figure_2():
    layer, signal, embedding, mel = (
        ResidualLayer(3, 4, 5),
        torch.randn(2, 3, 20),
        torch.randn(2, 512),
        torch.randn(2, 5, 20),
    )
    hidden = signal + (embedding @ layer.step.weight.T + layer.step.bias)[:, :, None]
    padded = functional.pad(hidden, (4, 4))
    taps = torch.stack([padded[:, :, 0:20], padded[:, :, 4:24], padded[:, :, 8:28]], dim=3)  # t − 4, t, t + 4
    hidden = torch.einsum("bctk,ock->bot", taps, layer.dilated.weight) + layer.dilated.bias[:, None]
    hidden = (
        hidden + torch.einsum("bmt,om->bot", mel, layer.conditioner.weight[:, :, 0]) + layer.conditioner.bias[:, None]
    )
    gated = torch.tanh(hidden[:, :3]) / (1 + torch.exp(-hidden[:, 3:]))
    out = torch.einsum("bct,oc->bot", gated, layer.output.weight[:, :, 0]) + layer.output.bias[:, None]
    following, skip = layer(signal, embedding, mel)
    assert_close(following, (signal + out[:, :3]) / 2**0.5, factor=16)
    assert_close(skip, out[:, 3:], factor=16)


def test_the_network_is_figure_2():
    vocoder = calm(DiffWave(DiffWaveArchitecture(residual_layers=3, residual_channels=4)))
    noisy, step, mel = torch.randn(2, 512), torch.tensor([7, 30]), torch.rand(2, 80, 2)
    signal, skips = torch.relu(vocoder.input(noisy[:, None])), []
    for layer in vocoder.layers:
        signal, skip = layer(signal, vocoder.embedding(step), vocoder.upsampler(mel))
        skips.append(skip)
    expected = vocoder.output(torch.relu(vocoder.skip(sum(skips) / 3**0.5)))
    assert_close(vocoder.predict_noise(noisy, step, mel), expected[:, 0], factor=64)


def test_the_dilation_doubles_within_a_cycle_and_starts_again():
    vocoder = DiffWave(DiffWaveArchitecture(residual_layers=5, residual_channels=2, dilation_cycle=3))
    assert [layer.dilated.dilation for layer in vocoder.layers] == [(1,), (2,), (4,), (1,), (2,)]


@pytest.mark.parametrize("layers_kept", [0, 1, 3])
def test_bounded_memory_gives_the_same_audio(layers_kept, monkeypatch):
    vocoder = calm(DiffWave(DiffWaveArchitecture(residual_layers=4, residual_channels=6)))
    mel = torch.rand(2, 80, 3)
    expected = vocoder.generate(mel, torch.Generator().manual_seed(seed_of(0)))
    conditioned = []
    for layer in vocoder.layers:
        layer.conditioner.register_forward_hook(lambda *_: conditioned.append(1))
    bytes_per_layer = 2 * (2 * 6) * (3 * 256) * 4  # batch × channels of both halves × samples × float32
    monkeypatch.setattr(DiffWave, "CONDITIONING_BYTES", layers_kept * bytes_per_layer + 1)
    given = vocoder.generate(mel, torch.Generator().manual_seed(seed_of(0)))
    assert_close(given, expected, factor=8)
    steps = len(vocoder.noise_levels)
    assert len(conditioned) == layers_kept + (4 - layers_kept) * steps


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"upsample_factors": (16, 8)}, r"upsample_factors are \[16, 8\]; .* hop_length, 256"),
        ({"upsample_factors": (256, 1)}, "must be even"),
        ({"residual_layers": 0}, "must be at least 1"),
        ({"diffusion_steps": 0}, "has 0 steps"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        DiffWave(DiffWaveArchitecture(**settings))
