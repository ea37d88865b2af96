"""WaveGrad: its sizes, its modulation and its changes of rate."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from closeness import assert_close
from reference_networks.diffusion import wavegrad as reference_wavegrad
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from vocoder_pareto.models.wavegrad import (
    DownsamplingBlock,
    FiLM,
    UpsamplingBlock,
    WaveGrad,
    WaveGradArchitecture,
    WaveGradSampling,
    resampled,
)

PUBLISHED = Path(__file__).resolve().parents[3] / "resources" / "published" / "table2_cost.csv"
SIZES = {
    "S": {"up_channels": (256, 256, 256, 128, 64, 64), "down_channels": (32, 64, 64, 128, 256)},
    "M": {},
    "L": {"blocks_per_stage": 2},
}


@pytest.fixture(scope="module")
def table_2():
    with PUBLISHED.open() as file:
        return {row["size"]: row for row in csv.DictReader(file) if row["model"] == "wavegrad"}


@pytest.mark.parametrize("size", SIZES)
def test_parameters_agree_with_table_2_to_the_printed_digits(size, table_2):
    with torch.device("meta"):
        vocoder = WaveGrad(WaveGradArchitecture(**SIZES[size]))
    count = sum(parameter.numel() for parameter in vocoder.parameters())
    assert f"{count / 1e6:.2f}" == table_2[size]["parameters_millions"]


@pytest.mark.parametrize("size", ["S", "M"])
def test_operations_agree_with_table_2_for_a_hop_of_512(size, table_2):
    """64 frames of 512 samples and 50 steps, all alike."""
    architecture = WaveGradArchitecture(**SIZES[size], upsample_factors=(4, 4, 4, 4, 2))
    with torch.device("meta"), torch.no_grad():
        vocoder = WaveGrad(architecture, hop_length=512)
        with FlopCounterMode(display=False) as counter:
            vocoder.predict_noise(torch.empty(1, 64 * 512), torch.empty(1), torch.empty(1, 80, 64))
    flops = counter.get_total_flops() * vocoder.schedule.steps
    assert flops / 1e9 == pytest.approx(float(table_2[size]["gflops"]), rel=0.01)


def test_the_noise_levels_are_the_scales_of_the_signal():
    vocoder = WaveGrad(WaveGradArchitecture((4,) * 6, (4,) * 5))
    expected = np.sqrt(np.cumprod(1 - np.linspace(1e-4, 0.05, 50)))  # the paper's for 50 steps, table 2
    np.testing.assert_allclose(vocoder.noise_levels, expected, rtol=1e-12)
    of_the_study = WaveGrad(WaveGradArchitecture((4,) * 6, (4,) * 5), WaveGradSampling(1e-6, 1e-2, 50))
    expected = np.sqrt(np.cumprod(1 - np.linspace(1e-6, 1e-2, 50)))
    np.testing.assert_allclose(of_the_study.noise_levels, expected, rtol=1e-12)


def test_the_encoding_of_the_noise_level_is_that_of_transformers():
    """sin and cos of 5000 √ᾱ / 10000^(2i / C), section 3."""
    given = FiLM(3, 8, WaveGradArchitecture()).encoding(torch.tensor([0.25, 0.9997], dtype=torch.float64))
    for row, level in zip(given[:, :, 0], (0.25, 0.9997), strict=True):
        angles = 5000 * level / 10000 ** (2 * np.arange(4) / 8)
        assert_close(row, np.concatenate([np.sin(angles), np.cos(angles)]), factor=8)


@pytest.mark.parametrize(("length", "into"), [(5, 20), (1, 4), (6, 12), (12, 3), (12, 6), (9, 3)])
def test_resampling_interpolates_between_the_centres_of_samples(length, into):
    signal = torch.randn(2, 3, length, dtype=torch.float64)
    places = (np.arange(into) + 0.5) * length / into - 0.5
    expected = [[np.interp(places, np.arange(length), channel) for channel in item] for item in signal.numpy()]
    assert_close(resampled(signal, into, "linear"), expected, factor=8)


LMNT = {"interpolation": "nearest", "film_channels": "input", "noise_level_scale": 1.0, "down_dilations": (1, 2, 4)}


@pytest.mark.parametrize("options", [{}, LMNT], ids=["as the study", "as lmnt"])
def test_public_code_is_a_setting_of_the_architecture(options):
    """Against the figures of the paper, and what lmnt-com/wavegrad does otherwise, by the functions of PyTorch alone.

    Both ways of computing: that of training, and the one of generation, which keeps what no step changes.
    """
    dilations = ((1, 2, 4, 8), (1, 2, 1, 2), (1, 2, 1, 2))
    architecture = WaveGradArchitecture((12, 10, 8, 6), (4, 6, 10), (5, 3, 2), dilations, **options)
    vocoder = WaveGrad(architecture, n_mels=7, hop_length=30).double().requires_grad_(False)
    for parameter in vocoder.parameters():
        parameter.copy_(torch.randn_like(parameter) / parameter[0].numel() ** 0.5)
    weights = {f"vocoder.{name}": value for name, value in vocoder.state_dict().items()}
    noisy, mel = torch.randn(2, 120).double(), torch.rand(2, 7, 4).double()
    levels = torch.tensor([vocoder.noise_levels[2]] * 2, dtype=torch.float64)
    expected = reference_wavegrad(
        weights, noisy, levels, mel, factors=(5, 3, 2), up_dilations=dilations,
        down_dilations=architecture.down_dilations, level_scale=architecture.noise_level_scale,
        is_nearest=bool(options),
    )  # fmt: skip
    assert_close(vocoder.predict_noise(noisy, levels, mel), expected, factor=1024)
    assert_close(vocoder.noise_predictor(mel)(noisy, 3), expected, factor=1024)


def test_the_network_of_lmnt_has_its_number_of_parameters():
    """15,920,993, as `WaveGrad` of lmnt-com/wavegrad has: 128 bands and a hop of 300."""
    dilations = (*[(1, 2, 1, 2)] * 2, *[(1, 2, 4, 8)] * 3)
    architecture = WaveGradArchitecture(upsample_factors=(5, 5, 3, 2, 2), up_dilations=dilations, **LMNT)
    with torch.device("meta"):
        vocoder = WaveGrad(architecture, n_mels=128, hop_length=300)
    assert sum(parameter.numel() for parameter in vocoder.parameters()) == 15_920_993


def test_modulation_scales_and_shifts_three_times():
    """Figure 4 with convolutions that only pass a signal on: what is left is the modulation."""
    block = UpsamplingBlock(2, 2, 1, (1, 2, 4, 8), "linear").requires_grad_(False)
    for convolution in (block.first, *block.rest, block.skip):
        torch.nn.init.dirac_(convolution.weight)
        torch.nn.init.zeros_(convolution.bias)
    signal, scale, shift = (torch.rand(1, 2, 6) for _ in range(3))  # positive: leaky ReLUs pass them on
    once = signal + signal * scale + shift
    twice = once + (once * scale + shift) * scale + shift
    assert_close(block(signal, scale, shift), twice, factor=16)
    assert_close(block.modulated(*block.unmodulated(signal), scale, shift), twice, factor=16)


def test_a_downsampling_block_is_figure_6():
    block, signal = DownsamplingBlock(2, 3, 4, (1, 2, 1), "linear"), torch.randn(1, 2, 32)
    means = (signal[:, :, 1::4] + signal[:, :, 2::4]) / 2  # of the two samples around the centre of each four
    hidden = means
    for convolution, dilation in zip(block.convolutions, (1, 2, 1), strict=True):
        hidden = functional.leaky_relu(hidden, 0.2)
        hidden = functional.conv1d(hidden, convolution.weight, convolution.bias, padding=dilation, dilation=dilation)
    expected = hidden + functional.conv1d(means, block.skip.weight, block.skip.bias)
    assert_close(block(signal), expected, factor=16)


def test_downsampling_meets_upsampling_at_every_rate():
    vocoder = WaveGrad(WaveGradArchitecture((4,) * 6, (2, 4, 6, 8, 10), blocks_per_stage=2))
    lengths = []
    for films in vocoder.films:
        films[0].input.register_forward_pre_hook(lambda module, inputs: lengths.append(tuple(inputs[0].shape[1:])))
    vocoder.predict_noise(torch.randn(1, 3 * 256), torch.tensor([0.9]), torch.rand(1, 80, 3))
    assert lengths == [(10, 12), (8, 48), (6, 192), (4, 384), (2, 768)]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"upsample_factors": (4, 4, 4, 4, 2)}, r"upsample_factors are \[4, 4, 4, 4, 2\]; .* hop_length, 256"),
        ({"upsample_factors": (16, 16)}, "2 upsample_factors need 3 up_channels"),
        ({"up_dilations": ((1, 2, 4, 8),)}, "need 5 up_dilations"),
        ({"up_channels": (8, 8, 8, 8, 7, 8)}, "must be even"),
        ({"blocks_per_stage": 0}, "blocks_per_stage"),
    ],
)
def test_settings_that_do_not_fit_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        WaveGrad(WaveGradArchitecture(**settings))


def test_an_impossible_noise_schedule_is_refused():
    with pytest.raises(ValueError, match="between 0 and 1"):
        WaveGrad(WaveGradArchitecture(), WaveGradSampling(last_beta=1.5))
