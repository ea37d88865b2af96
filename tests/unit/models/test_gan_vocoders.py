"""MelGAN and HiFi-GAN, their discriminators."""

import copy
import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from vocoder_pareto.models.discriminators import (
    ConvolutionSettings,
    FoldedStack,
    MultiPeriodDiscriminator,
    hifigan_discriminator,
    melgan_discriminator,
)
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture, ReflectionPad

PUBLISHED = Path(__file__).resolve().parents[3] / "resources" / "published" / "table2_cost.csv"
V3 = {
    "upsampling": (8, 8, 4), "upsampling_kernels": (16, 16, 8), "residual_type": "2", "residual_kernels": (3, 5, 7),
    "residual_dilations": ((1, 2), (2, 6), (3, 12)),
}  # fmt: skip
FULL_SIZE = {
    "melgan-S": lambda: MelGAN(MelGANArchitecture(16, 2)),
    "melgan-M": lambda: MelGAN(MelGANArchitecture(32, 3)),
    "melgan-L": lambda: MelGAN(MelGANArchitecture(64, 4)),
    "hifigan-S": lambda: HiFiGAN(HiFiGANArchitecture(channels=128)),
    "hifigan-M": lambda: HiFiGAN(HiFiGANArchitecture(channels=256, **V3)),
    "hifigan-L": lambda: HiFiGAN(HiFiGANArchitecture(channels=512)),
}
SMALL = {
    "melgan": lambda: MelGAN(MelGANArchitecture(4, 4)),
    "hifigan type 1": lambda: HiFiGAN(HiFiGANArchitecture(channels=32)),
    "hifigan type 2": lambda: HiFiGAN(HiFiGANArchitecture(channels=32, **V3)),
}


def lively(vocoder):
    """Filters of norm 1, as after training: HiFi-GAN starts near silence, where any two outputs are close."""
    torch.manual_seed(1)
    for name, parameter in vocoder.named_parameters():
        with torch.no_grad():
            if name.endswith("original0"):  # the scales of weight norm
                parameter.copy_(torch.rand_like(parameter) + 0.5)
    return vocoder


@pytest.mark.parametrize("name", FULL_SIZE)
def test_parameters_agree_with_table_2_to_the_printed_digits(name):
    with PUBLISHED.open() as file:
        printed = {f"{row['model']}-{row['size']}": row["parameters_millions"] for row in csv.DictReader(file)}[name]
    with torch.device("meta"):
        count = sum(parameter.numel() for parameter in FULL_SIZE[name]().parameters())
    digits = len(printed.partition(".")[2])
    # The paper cuts 0.9285 to 0.928 and rounds 4.2661 to 4.27: half a unit of the last digit either way.
    assert abs(count / 1e6 - float(printed)) <= 0.6 * 10**-digits


@pytest.mark.parametrize("name", SMALL)
@pytest.mark.parametrize("frames", [1, 2, 3, 40, 625])
def test_any_number_of_frames_gives_that_much_audio_in_range(name, frames):
    audio = lively(SMALL[name]()).synthesize(torch.rand(2, 80, frames))
    assert audio.shape == (2, frames * 256)
    assert audio.abs().max() <= 1
    assert torch.isfinite(audio).all()


@pytest.mark.parametrize("name", SMALL)
def test_folding_weight_norm_keeps_the_output(name):
    vocoder, mel = lively(SMALL[name]()), torch.rand(1, 80, 20)
    before = vocoder.synthesize(mel)
    folded = copy.deepcopy(vocoder).prepare_for_inference()
    assert before.std() > 1e-3
    torch.testing.assert_close(folded.synthesize(mel), before, atol=1e-5, rtol=0)
    torch.testing.assert_close(folded.generate_plainly(mel), before, atol=1e-5, rtol=0)
    assert not any("parametrizations" in key for key in folded.state_dict())


@pytest.mark.parametrize("name", SMALL)
def test_a_batch_gives_the_audio_of_its_items(name):
    vocoder, mel = lively(SMALL[name]()).prepare_for_inference(), torch.rand(3, 80, 9)
    apart = torch.cat([vocoder.synthesize(mel[index : index + 1]) for index in range(3)])
    torch.testing.assert_close(vocoder.synthesize(mel), apart, atol=1e-5, rtol=0)


@pytest.mark.parametrize("name", SMALL)
def test_an_update_reaches_all_parameters(name):
    vocoder = lively(SMALL[name]())
    vocoder(torch.rand(1, 80, 30)).square().mean().backward()
    assert [key for key, value in vocoder.named_parameters() if value.grad is None or not value.grad.abs().sum()] == []


@pytest.mark.parametrize(
    "build",
    [
        lambda: MelGAN(MelGANArchitecture(4, 1, (8, 8, 2))),
        lambda: HiFiGAN(HiFiGANArchitecture(32, (8, 4), (16, 8))),
        lambda: MelGAN(MelGANArchitecture(4, 1), hop_length=200),
    ],
)
def test_upsampling_that_does_not_multiply_to_the_hop_is_refused(build):
    with pytest.raises(ValueError, match="the product must be hop_length"):
        build()


@pytest.mark.parametrize("options", [{"upsampling_kernels": (16, 16, 4)}, {"upsampling_kernels": (15, 16, 4, 4)}])
def test_an_inconsistent_hifigan_is_refused(options):
    with pytest.raises(ValueError, match="upsampling"):
        HiFiGANArchitecture(**options)


@pytest.mark.parametrize("length", [1, 2, 3, 4, 9, 10, 30])
@pytest.mark.parametrize("amount", [1, 3, 9])
def test_reflection_equals_that_of_numpy_for_any_length(length, amount):
    signal = torch.arange(float(length)).reshape(1, 1, -1)
    expected = np.pad(signal.numpy()[0, 0], amount, mode="reflect" if length > 1 else "edge")
    np.testing.assert_array_equal(ReflectionPad(amount)(signal)[0, 0].numpy(), expected)


def test_the_discriminator_of_melgan_has_three_scales_of_downsampling_layers():
    judgements = melgan_discriminator(channels=16)(torch.randn(2, 16384))
    assert len(judgements) == 3
    assert [tuple(feature.shape) for feature in judgements[0].features] == [
        (2, 16, 16384), (2, 64, 4096), (2, 256, 1024), (2, 1024, 256), (2, 1024, 64), (2, 1024, 64)
    ]  # fmt: skip
    assert [judgement.scores.shape[1] for judgement in judgements] == [64, 32, 16]


def test_the_discriminators_of_hifigan_judge_five_periods_and_three_scales():
    judgements = hifigan_discriminator()(torch.randn(1, 8192))
    assert len(judgements) == 8
    periods = [judgement.features[0].shape[-1] for judgement in judgements[:5]]
    assert periods == [2, 3, 5, 7, 11]
    assert [len(judgement.features) for judgement in judgements] == [5] * 5 + [7] * 3
    assert judgements[0].features[0].shape == (1, 32, 1366, 2)  # (8192 / 2 + 2 · 2 − 5) // 3 + 1


def test_a_folded_stack_sees_each_phase_of_a_period_alone():
    layers = [ConvolutionSettings(2, 3), ConvolutionSettings(1, 3)]
    stack, audio = FoldedStack(layers, 0.1, period=4), torch.randn(1, 1, 40)
    folded = stack(audio).features[0]
    for phase in range(4):
        alone = nn.functional.conv1d(
            audio[..., phase::4], stack.convolutions[0].weight[..., 0], stack.convolutions[0].bias, padding=1
        )
        torch.testing.assert_close(folded[..., phase], nn.functional.leaky_relu(alone, 0.1))


def test_a_length_that_is_no_multiple_of_the_period_is_filled_by_reflection():
    discriminator, audio = MultiPeriodDiscriminator([5]), torch.randn(1, 23)
    filled = torch.nn.functional.pad(audio[None], (0, 2), mode="reflect")[0]
    torch.testing.assert_close(discriminator(audio)[0].scores, discriminator(filled)[0].scores)
