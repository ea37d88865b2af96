"""The discriminators of MelGAN and HiFi-GAN."""

import pytest
import torch
from closeness import assert_close
from torch import nn

from vocoder_pareto.models.discriminators import (
    ConvolutionSettings,
    FoldedStack,
    MultiPeriodDiscriminator,
    hifigan_discriminator,
    melgan_discriminator,
)


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
        assert_close(folded[..., phase], nn.functional.leaky_relu(alone, 0.1), factor=16)


def test_a_length_that_is_no_multiple_of_the_period_is_filled_by_reflection():
    discriminator, audio = MultiPeriodDiscriminator([5]), torch.randn(1, 23)
    filled = torch.nn.functional.pad(audio[None], (0, 2), mode="reflect")[0]
    assert_close(discriminator(audio)[0].scores, discriminator(filled)[0].scores, factor=16)


def test_the_lower_scales_of_melgans_discriminator_see_the_averaged_waveform():
    discriminator, audio = melgan_discriminator(channels=4, layers=1), torch.randn(1, 4096)
    averaged = nn.functional.avg_pool1d(audio[None], 4, 2, padding=1, count_include_pad=False)
    expected = discriminator.stacks[1](averaged)
    assert_close(discriminator(audio)[1].scores, expected.scores, factor=16)
    # A tone at half the sample rate is averaged away: nothing but its ends is left.
    tone = torch.tensor([1.0, -1.0]).repeat(2048)[None]
    assert discriminator.pooling(tone[None])[..., 1:-1].abs().max() == 0


def test_the_first_layer_of_melgans_discriminator_reflects_and_hifigans_has_zeros():
    audio = torch.randn(1, 4096)
    for discriminator, mode, slope in (
        (melgan_discriminator(4), "reflect", 0.2),
        (hifigan_discriminator(), "constant", 0.1),
    ):
        stack = discriminator.stacks[0] if mode == "reflect" else discriminator.discriminators[1].stacks[1]
        first, second = stack.convolutions[:2]
        padded = nn.functional.pad(audio[None], (7, 7), mode=mode)
        outputs = nn.functional.leaky_relu(nn.functional.conv1d(padded, first.weight, first.bias), slope)
        features = stack(audio[None]).features
        assert_close(features[0], outputs, factor=16)
        inner = nn.functional.conv1d(
            outputs, second.weight, second.bias, second.stride, second.kernel_size[0] // 2, groups=second.groups
        )  # zeros beyond the ends of all further layers
        assert_close(features[1], nn.functional.leaky_relu(inner, slope), factor=16)


def test_the_layers_of_a_judgement_end_with_its_scores():
    judgement = melgan_discriminator(4)(torch.randn(1, 4096))[0]
    assert len(judgement.layers) == len(judgement.features) + 1
    assert judgement.layers[-1] is judgement.scores


def test_the_first_scale_of_hifigans_discriminator_is_spectrally_normalised():
    first, second, _ = hifigan_discriminator().discriminators[1].stacks
    for _ in range(30):  # each pass in training mode refines the estimate of the largest singular value
        weight = first.convolutions[-1].weight
    assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, rel=1e-3)
    assert hasattr(second.convolutions[-1].parametrizations.weight, "original1")  # weight norm: a scale, a direction
