"""Layouts of other projects: names and shapes as their checkpoints have them, and weights there and back."""

import math
import re

import pytest
import torch
from closeness import assert_close

from vocoder_pareto.models.bigvgan import BigVGAN, BigVGANArchitecture
from vocoder_pareto.models.diffwave import DiffWave, DiffWaveArchitecture
from vocoder_pareto.models.flow2gan import Flow2GAN, Flow2GANArchitecture
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.istftnet import ISTFTNet, ISTFTNetArchitecture
from vocoder_pareto.models.layouts import (
    bigvgan_pairs,
    diffwave_pairs,
    flow2gan_pairs,
    hifigan_pairs,
    melgan_pairs,
    multiband_melgan_pairs,
    old_waveglow_pairs,
    speechbrain_hifigan_pairs,
    to_ours,
    to_theirs,
    transformers_hifigan_pairs,
    univnet_pairs,
    vocos_pairs,
    waveglow_pairs,
    wavegrad_pairs,
)
from vocoder_pareto.models.melgan import MelGAN, MelGANArchitecture
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN, MultiBandMelGANArchitecture
from vocoder_pareto.models.univnet import UnivNet, UnivNetArchitecture
from vocoder_pareto.models.vocos import Vocos, VocosArchitecture
from vocoder_pareto.models.waveglow import WaveGlow, WaveGlowArchitecture
from vocoder_pareto.models.wavegrad import WaveGrad, WaveGradArchitecture

HIFIGAN_V3 = HiFiGANArchitecture(
    channels=256, upsampling=(8, 8, 4), upsampling_kernels=(16, 16, 8), residual_type="2", residual_kernels=(3, 5, 7),
    residual_dilations=((1, 2), (2, 6), (3, 12)),
)  # fmt: skip
V2 = BigVGANArchitecture(64, (4, 4, 2, 2, 2, 2), (8, 8, 4, 4, 4, 4), bound="clip", last_bias=False)  # but for channels
SMALL_WAVEGLOW = WaveGlowArchitecture(flows=5, channels=16, layers=3)
SMALL_FLOW2GAN = Flow2GANArchitecture((64, 32), (6, 4), 2, 3, 8, 1, 10)
# As lmnt has it, but for the channels.
WAVEGRAD = WaveGradArchitecture(
    (24, 16, 16, 8, 4, 4), (2, 4, 4, 8, 16), (5, 5, 3, 2, 2),
    ((1, 2, 1, 2), (1, 2, 1, 2), (1, 2, 4, 8), (1, 2, 4, 8), (1, 2, 4, 8)), (1, 2, 4), interpolation="nearest",
    film_channels="input", noise_level_scale=1.0,
)  # fmt: skip
NETWORKS = {
    "SpeechT5": (lambda: HiFiGAN(HiFiGANArchitecture(channels=16, normalizes_input=True)), transformers_hifigan_pairs),
    "SpeechBrain": (lambda: HiFiGAN(HiFiGANArchitecture(channels=16, padding="reflect")), speechbrain_hifigan_pairs),
    "old WaveGlow": (lambda: WaveGlow(SMALL_WAVEGLOW), old_waveglow_pairs),
    "WaveGrad": (lambda: WaveGrad(WAVEGRAD, n_mels=128, hop_length=300), wavegrad_pairs),
    "HiFi-GAN V1": (lambda: HiFiGAN(HiFiGANArchitecture()), hifigan_pairs),
    "iSTFTNet C8C1I": (lambda: ISTFTNet(ISTFTNetArchitecture(16, (8, 1), (16, 1), n_fft=128)), hifigan_pairs),
    "HiFi-GAN V3": (lambda: HiFiGAN(HIFIGAN_V3), hifigan_pairs),
    "BigVGAN": (lambda: BigVGAN(BigVGANArchitecture(channels=16)), bigvgan_pairs),
    "BigVGAN-v2": (lambda: BigVGAN(V2), bigvgan_pairs),
    "MelGAN": (lambda: MelGAN(MelGANArchitecture()), melgan_pairs),
    "Multi-band MelGAN": (lambda: MultiBandMelGAN(MultiBandMelGANArchitecture(16)), multiband_melgan_pairs),
    "UnivNet": (lambda: UnivNet(UnivNetArchitecture(4)), univnet_pairs),
    "WaveGlow": (lambda: WaveGlow(SMALL_WAVEGLOW), waveglow_pairs),
    "Vocos": (lambda: Vocos(VocosArchitecture(channels=8, blocks=2)), vocos_pairs),
    "Flow2GAN": (lambda: Flow2GAN(SMALL_FLOW2GAN), flow2gan_pairs),
    "DiffWave": (lambda: DiffWave(DiffWaveArchitecture(residual_layers=3)), diffwave_pairs),
}


@pytest.fixture(params=NETWORKS.values(), ids=NETWORKS.keys())
def network(request):
    build, pairs = request.param
    return build(), pairs


def shapes(weights):
    return {name: tuple(value.shape) for name, value in weights.items()}


def with_weight_norm_folded(weights):
    """By the definition of Salimans and Kingma 2016: the direction divided by its norm, times the scale."""
    folded = {}
    for name, value in weights.items():
        if name.endswith("weight_v"):
            scales = weights[name.replace("weight_v", "weight_g")].flatten()
            rows = [g * row / math.sqrt(float((row.double() ** 2).sum())) for g, row in zip(scales, value, strict=True)]
            folded[name.removesuffix("_v")] = torch.stack(rows)
        elif not name.endswith("weight_g"):
            folded[name] = value
    return folded


def test_weights_come_back_as_they_went(network):
    vocoder, pairs = network
    before = vocoder.state_dict()
    after = to_ours(to_theirs(vocoder, pairs), vocoder, pairs)
    assert before.keys() == after.keys()
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_weights_without_weight_norm_make_the_same_audio(network):
    vocoder, pairs = network
    if isinstance(vocoder, WaveGlow | DiffWave | WaveGrad | Vocos | Flow2GAN):
        pytest.skip("has no weight norm here")
    mel = torch.rand(1, 80, 4)
    expected = vocoder.synthesize(mel, torch.Generator().manual_seed(1))
    theirs = with_weight_norm_folded(to_theirs(vocoder, pairs))
    vocoder.load_state_dict(to_ours(theirs, vocoder, pairs))
    assert_close(vocoder.synthesize(mel, torch.Generator().manual_seed(1)), expected, factor=64)


def test_weight_norm_that_is_not_here_is_folded():
    """NVIDIA trains WaveGlow under weight norm, which this network does not have."""
    vocoder = WaveGlow(WaveGlowArchitecture(flows=1, channels=4, layers=1))
    theirs = to_theirs(vocoder, waveglow_pairs)
    direction = theirs.pop("WN.0.start.weight")
    scale = torch.rand(len(direction), 1, 1) + 0.5
    ours = to_ours(theirs | {"WN.0.start.weight_v": direction, "WN.0.start.weight_g": scale}, vocoder, waveglow_pairs)
    expected = with_weight_norm_folded({"weight_v": direction, "weight_g": scale})["weight"]
    assert_close(ours["flows.0.network.start.weight"], expected, factor=8)


def test_a_conditioner_for_each_layer_becomes_one_for_all():
    """By the convolution itself: what each of theirs gives is a part of what ours gives, layer by layer."""
    vocoder = WaveGlow(WaveGlowArchitecture(flows=1, channels=4, layers=3))
    theirs = to_theirs(vocoder, old_waveglow_pairs)
    for layer in range(3):  # under weight norm, as their files hold them
        weight = theirs.pop(f"WN.0.cond_layers.{layer}.weight")
        norm = torch.tensor([math.sqrt(float((row.double() ** 2).sum())) for row in weight])[:, None, None]
        theirs |= {f"WN.0.cond_layers.{layer}.weight_v": 3 * weight, f"WN.0.cond_layers.{layer}.weight_g": norm}
    ours = to_ours(theirs, vocoder, old_waveglow_pairs)
    mel = torch.rand(1, 640, 2)
    conditioner = (ours["flows.0.network.conditioner.weight"], ours["flows.0.network.conditioner.bias"])
    folded = with_weight_norm_folded(theirs)
    parts = [
        torch.nn.functional.conv1d(mel, *(folded[f"WN.0.cond_layers.{layer}.{part}"] for part in ("weight", "bias")))
        for layer in range(3)
    ]
    assert_close(torch.nn.functional.conv1d(mel, *conditioner), torch.cat(parts, dim=1), factor=64)


def test_wavegrad_is_numbered_from_the_waveform_down_there():
    """The shapes of lmnt's `FiLM(2, 4)`, …, `FiLM(16, 16)` and of its blocks, with fewer channels."""
    vocoder = WaveGrad(WAVEGRAD, n_mels=128, hop_length=300)
    theirs = to_theirs(vocoder, wavegrad_pairs)
    names = shapes(theirs)
    assert len(names) == 2 * (3 + 4 * 4 + 5 * 2 + 5 * 5)
    assert [names[f"film.{index}.output_conv.weight"] for index in (0, 4)] == [(8, 2, 3), (32, 16, 3)]
    assert names["film.0.input_conv.weight"] == (2, 2, 3)
    assert names["downsample.1.conv.0.weight"] == (4, 2, 3)
    assert names["upsample.0.block1.weight"] == (16, 24, 1)
    assert names["upsample.4.block3.1.weight"] == (4, 4, 3)
    scale, shift = vocoder.state_dict()["films.4.0.modulation.weight"].chunk(2)
    assert torch.equal(theirs["film.0.output_conv.weight"], torch.cat([shift, scale]))


def test_what_has_no_counterpart_keeps_its_name():
    vocoder = MelGAN(MelGANArchitecture(channels=2, residual_layers=0))
    theirs = to_theirs(vocoder, melgan_pairs)
    del theirs["model.1.bias"]
    ours = to_ours(theirs | {"model.99.weight": torch.ones(1)}, vocoder, melgan_pairs)
    assert ours.keys() ^ vocoder.state_dict().keys() == {"layers.1.bias", "model.99.weight"}


def test_hifigan_v1_has_the_names_of_the_published_checkpoint():
    """234 tensors: 78 normed convolutions (`conv_pre`, 4 upsamplings, 12 blocks of 6, `conv_post`) of 3 each."""
    names = shapes(to_theirs(HiFiGAN(HiFiGANArchitecture()), hifigan_pairs))
    assert len(names) == 234
    assert names["conv_pre.weight_v"] == (512, 80, 7)
    assert names["ups.3.weight_v"] == (64, 32, 4)
    assert names["ups.0.weight_g"] == (512, 1, 1)
    assert names["resblocks.11.convs2.2.weight_v"] == (32, 32, 11)
    assert names["resblocks.3.convs1.0.bias"] == (128,)
    assert names["conv_post.weight_v"] == (1, 32, 7)


def test_hifigan_v3_has_one_list_of_convolutions_per_block():
    names = shapes(to_theirs(HiFiGAN(HIFIGAN_V3), hifigan_pairs))
    assert names["resblocks.8.convs.1.weight_v"] == (32, 32, 7)
    assert {re.sub(r"\d+", "#", name) for name in names if "resblocks" in name} == {
        f"resblocks.#.convs.#.{part}" for part in ("bias", "weight_g", "weight_v")
    }


def test_bigvgan_has_the_names_of_the_published_checkpoint():
    """526 tensors: 78 normed convolutions of 3 each, as HiFi-GAN V1, and 73 activations of α, β and two filters."""
    names = shapes(to_theirs(BigVGAN(BigVGANArchitecture(channels=16)), bigvgan_pairs))
    assert len(names) == 78 * 3 + 73 * 4
    assert names["ups.3.0.weight_v"] == (2, 1, 4)
    assert names["resblocks.11.convs2.2.weight_v"] == (1, 1, 11)
    assert names["resblocks.2.activations.5.act.alpha"] == names["resblocks.2.activations.5.act.beta"] == (8,)
    assert names["resblocks.11.activations.0.upsample.filter"] == (1, 1, 12)
    assert names["activation_post.downsample.lowpass.filter"] == (1, 1, 12)
    assert {name for name in shapes(to_theirs(BigVGAN(V2), bigvgan_pairs)) if name.startswith("conv_post")} == {
        "conv_post.weight_g", "conv_post.weight_v"
    }  # fmt: skip


def test_melgan_has_the_names_of_the_published_checkpoint():
    """126 tensors: 2 convolutions at the ends, 4 upsamplings, 12 residual blocks of 3, each of 3 tensors."""
    names = shapes(to_theirs(MelGAN(MelGANArchitecture()), melgan_pairs))
    assert len(names) == 126
    assert names["model.1.weight_v"] == (512, 80, 7)
    assert names["model.3.weight_v"] == (512, 256, 16)
    assert names["model.4.block.4.weight_v"] == (256, 256, 1)
    assert names["model.4.shortcut.bias"] == (256,)


def test_multi_band_melgan_has_the_names_of_the_published_checkpoint():
    """123 tensors: 2 convolutions at the ends, 3 upsamplings, 12 residual stacks of 3, each of 3 tensors."""
    names = shapes(to_theirs(MultiBandMelGAN(MultiBandMelGANArchitecture()), multiband_melgan_pairs))
    assert len(names) == 123
    assert names["melgan.1.weight_v"] == (384, 80, 7)
    assert names["melgan.3.weight_g"] == (384, 1, 1)
    assert names["melgan.4.stack.2.weight_v"] == (192, 192, 3)
    assert names["melgan.7.skip_layer.bias"] == (192,)
    assert names["melgan.22.weight_v"] == (4, 48, 7)


def test_univnet_has_the_names_of_the_published_checkpoint_and_its_order_of_kernels():
    """132 tensors: 2 convolutions at the ends, in each block an upsampling, 4 layers and 9 of the predictor, of 3 each.

    There the output channels of a predictor are viewed as layers, inputs, outputs, taps.
    """
    vocoder = UnivNet(UnivNetArchitecture(2, dilations=(1, 3, 9, 27)), n_mels=100)
    theirs = to_theirs(vocoder, univnet_pairs)
    names = shapes(theirs)
    assert len(names) == 3 * (2 + 3 * (1 + 4 + 9))
    assert names["conv_pre.weight_v"] == (2, 64, 7)
    assert names["res_stack.0.kernel_predictor.input_conv.0.weight_v"] == (64, 100, 5)
    assert names["res_stack.1.kernel_predictor.residual_convs.2.3.weight_g"] == (64, 1, 1)
    assert names["res_stack.2.kernel_predictor.bias_conv.bias"] == (16,)
    assert names["res_stack.2.convt_pre.1.weight_v"] == (2, 2, 8)
    assert names["res_stack.0.conv_blocks.3.1.bias"] == (2,)
    assert names["conv_post.1.weight_g"] == (1, 1, 1)
    biases = theirs["res_stack.0.kernel_predictor.kernel_conv.bias"].view(4, 2, 4, 3)
    ours = vocoder.state_dict()["blocks.0.predictor.kernels.bias"].view(4, 3, 2, 4)
    for layer, tap, channel in ((0, 0, 1), (3, 2, 0)):
        assert torch.equal(ours[layer, tap, channel], biases[layer, channel, :, tap])


def test_vocos_has_the_names_of_the_published_checkpoint_but_for_its_windows_and_filters():
    """80 of its 83 tensors: 2 of each of 4 layers and, in each of 8 blocks, of 4 layers, and a scale."""
    vocoder = Vocos(VocosArchitecture(), n_mels=100)
    names = shapes(to_theirs(vocoder, vocos_pairs))
    assert len(names) == 2 * 4 + 8 * (2 * 4 + 1)
    assert names["backbone.embed.weight"] == (512, 100, 7)
    assert names["backbone.convnext.7.dwconv.weight"] == (512, 1, 7)
    assert names["backbone.convnext.0.pwconv1.weight"] == (1536, 512)
    assert names["backbone.convnext.0.gamma"] == names["backbone.final_layer_norm.bias"] == (512,)
    assert names["head.out.weight"] == (1026, 512)
    assert not vocoder.state_dict().keys() & names.keys()


def test_flow2gan_has_the_names_of_the_published_checkpoint_but_for_its_windows_and_filters():
    """Of `mel_24k_base`: 2 + 2 tensors before blocks, in each of 4 of the encoder 10, and in each of 8 of a branch 14.

    A branch has beside its blocks 2 projections, a normalisation, 5 tensors of the condition and 4 of the time.
    """
    names = shapes(to_theirs(Flow2GAN(Flow2GANArchitecture(), n_mels=100), flow2gan_pairs))
    assert len(names) == (4 + 4 * 10) + 3 * (8 * 14 + 4 + 2 + 5 + 4)
    assert names["cond_encoder.in_proj.weight"] == (512, 100, 3)
    assert names["cond_encoder.in_norm.log_scale"] == ()
    assert names["cond_encoder.blocks.3.residual_scale.scale"] == (512, 1)
    assert names["estimators.0.decoder.in_proj.weight"] == (768, 514, 1)
    assert names["estimators.1.decoder.cond_mlp.1.weight"] == (1536,)
    assert names["estimators.1.decoder.time_mlp.2.weight"] == (512, 1536)
    assert names["estimators.2.decoder.blocks.7.dwconv.weight"] == (384, 1, 7)
    assert names["estimators.2.decoder.blocks.0.act.weight"] == (1152,)
    assert names["estimators.2.decoder.blocks.0.time_embed_proj.weight"] == (384, 512)
    assert names["estimators.2.decoder.out_proj.bias"] == (130,)


def test_diffwave_gates_first_there():
    vocoder = DiffWave(DiffWaveArchitecture(residual_layers=1, residual_channels=2))
    theirs = to_theirs(vocoder, diffwave_pairs)
    filtered, gate = vocoder.state_dict()["layers.0.dilated.weight"].chunk(2)
    assert torch.equal(theirs["residual_layers.0.dilated_conv.weight"], torch.cat([gate, filtered]))
    assert shapes(theirs)["spectrogram_upsampler.conv2.weight"] == (1, 1, 3, 32)
