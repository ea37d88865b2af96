"""Files of weights as people save them: found where they lie, and told by their layout where they do not fit.

The names of each layout are those of the project's own modules, written out from its code.
"""

import re

import pytest
import torch
from safetensors.torch import save_file
from seeds import seed_of
from torch import nn

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.given_weights import load_given, read_weights
from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.known_layouts import LAYOUTS, layout_called, layout_of
from vocoder_pareto.models.layouts import hifigan_pairs, multiband_melgan_pairs, to_theirs, univnet_pairs
from vocoder_pareto.models.multiband_melgan import MultiBandMelGAN, MultiBandMelGANArchitecture
from vocoder_pareto.models.univnet import UnivNet, UnivNetArchitecture
from vocoder_pareto.models.waveflow import WaveFlow, WaveFlowArchitecture

SMALL = HiFiGANArchitecture(
    channels=16, upsampling=(8, 4), upsampling_kernels=(16, 8), residual_kernels=(3,), residual_dilations=((1, 3, 5),)
)


@pytest.fixture
def weights():
    torch.manual_seed(seed_of(3))
    return nn.Linear(3, 2).state_dict()


NESTINGS = {
    "bare": lambda each: each,
    "state_dict": lambda each: {"state_dict": each, "epoch": 3},
    "generator": lambda each: {"generator": each, "discriminator": {"x": torch.ones(2)}},
    "model": lambda each: {"model": each, "optimizer": {"param_groups": [1]}, "step": 7},
    "model_g": lambda each: {"model_g": each, "model_d": {"x": torch.ones(2)}, "hp_str": "data:", "step": 7},
    "model and generator": lambda each: {"model": {"generator": each, "discriminator": {"x": torch.ones(2)}}},
    "parallel": lambda each: {"state_dict": {f"module.{name}": value for name, value in each.items()}},
}


@pytest.mark.parametrize("nesting", NESTINGS)
def test_weights_are_found_where_projects_put_them(weights, tmp_path, nesting):
    torch.save(NESTINGS[nesting](weights), tmp_path / "x.pt")
    found = read_weights(tmp_path / "x.pt")
    assert found.weights.keys() == weights.keys()
    assert all(torch.equal(found.weights[name], value) for name, value in weights.items())
    assert not found.checkpoint


def test_a_safetensors_file_is_one_whatever_its_name(weights, tmp_path):
    """As `fetch_weights` names all files alike."""
    save_file(weights, tmp_path / "x.weights")
    assert read_weights(tmp_path / "x.weights").weights.keys() == weights.keys()


@pytest.mark.parametrize("content", [[1], 3, {}, {"a": 1}, {"state_dict": [1]}, {1: torch.ones(1)}, {"model": {}}])
def test_a_file_without_weights_by_name_is_refused(tmp_path, content):
    torch.save(content, tmp_path / "x.pt")
    with pytest.raises(UserError, match=r"x\.pt: holds no weights by name; save model\.state_dict"):
        read_weights(tmp_path / "x.pt")


def test_weights_below_another_key_are_told(weights, tmp_path):
    torch.save({"net_g": weights, "net_d": weights, "step": 1}, tmp_path / "x.pt")
    with pytest.raises(
        UserError, match="below generator or model or model_g or state_dict, but below 'net_g' and 'net_d'"
    ):
        read_weights(tmp_path / "x.pt")


def test_a_whole_module_is_not_executed_and_the_message_says_what_to_save(tmp_path):
    torch.save({"model": nn.Linear(2, 2)}, tmp_path / "x.pt")
    with pytest.raises(UserError, match=r"x\.pt: not a file of weights .* never executed here, save state_dict"):
        read_weights(tmp_path / "x.pt")


def normed(name: str) -> list[str]:
    return [f"{name}.bias", f"{name}.weight_g", f"{name}.weight_v"]


def plain(name: str) -> list[str]:
    return [f"{name}.weight", f"{name}.bias"]


def hifigan(each, convolutions) -> list[str]:
    """`Generator` of models.py, V1: 4 stages of upsampling, 3 residual blocks each."""
    names = ["conv_pre", "conv_post", *(f"ups.{stage}" for stage in range(4))]
    names += [f"resblocks.{block}.{kind}.{index}" for block in range(12) for kind in convolutions for index in range(3)]
    return [weight for name in names for weight in each(name)]


def transformers() -> list[str]:
    """`SpeechT5HifiGan` of modeling_speecht5.py: jik876's with another name for its upsamplings, and two buffers."""
    return [name.replace("ups.", "upsampler.") for name in hifigan(plain, ("convs1", "convs2"))] + ["mean", "scale"]


def speechbrain() -> list[str]:
    """`HifiganGenerator` of lobes/models/HifiGAN.py, whose layers hold PyTorch's as `conv`."""
    return [re.sub(r"\.(weight_[gv]|bias)$", r".conv.\1", name) for name in hifigan(normed, ("convs1", "convs2"))]


def bigvgan() -> list[str]:
    """`BigVGAN` of bigvgan.py: jik876's with lists of upsamplings, 6 activations to a block, one at the end."""
    names = [re.sub(r"^ups\.(\d)", r"ups.\1.0", name) for name in hifigan(normed, ("convs1", "convs2"))]
    activations = [f"resblocks.{block}.activations.{index}" for block in range(12) for index in range(6)]
    parts = ("act.alpha", "act.beta", "upsample.filter", "downsample.lowpass.filter")
    return names + [f"{each}.{part}" for each in (*activations, "activation_post") for part in parts]


def melgan() -> list[str]:
    """`Generator` of mel2wav/modules.py: a list with 3 residual blocks after each of 4 transposed convolutions."""
    names = ["model.1", "model.24"]
    for stage in range(4):
        first = 3 + 5 * stage  # an activation, a transposed convolution, three blocks
        names.append(f"model.{first}")
        for block in range(3):
            place = f"model.{first + 1 + block}"
            names += [f"{place}.block.2", f"{place}.block.4", f"{place}.shortcut"]
    return [weight for name in names for weight in normed(name)]


def multiband_melgan() -> list[str]:
    """`MelGANGenerator` of models/melgan.py of multi_band_melgan.v2: three upsamplings, four stacks after each."""
    names = ["melgan.1", "melgan.22"]
    for stage in range(3):
        first = 3 + 6 * stage  # an activation, a transposed convolution, four stacks
        names.append(f"melgan.{first}")
        for block in range(4):
            place = f"melgan.{first + 1 + block}"
            names += [f"{place}.stack.2", f"{place}.stack.4", f"{place}.skip_layer"]
    return [weight for name in names for weight in normed(name)]


def univnet() -> list[str]:
    """`Generator` of model/generator.py and `LVCBlock` of model/lvcnet.py: three blocks of four layers."""
    names = ["conv_pre", "conv_post.1"]
    for block in range(3):
        place = f"res_stack.{block}"
        predictor = f"{place}.kernel_predictor"
        names += [f"{place}.convt_pre.1", *(f"{place}.conv_blocks.{layer}.1" for layer in range(4))]
        names += [f"{predictor}.input_conv.0", f"{predictor}.kernel_conv", f"{predictor}.bias_conv"]
        names += [f"{predictor}.residual_convs.{each}.{index}" for each in range(3) for index in (1, 3)]
    return [weight for name in names for weight in normed(name)]


def waveglow(is_old=False) -> list[str]:
    """`WaveGlow` and `WN` of glow.py: 12 flows of 8 layers; of glow_old.py, as of NVIDIA/DeepLearningExamples."""
    names = plain("upsample")
    for flow in range(12):
        wn = f"WN.{flow}"
        names += [
            f"convinv.{flow}.conv.weight",
            *normed(f"{wn}.start"),
            *plain(f"{wn}.end"),
        ]
        names += [] if is_old else normed(f"{wn}.cond_layer")
        for layer in range(8):
            names += normed(f"{wn}.cond_layers.{layer}") if is_old else []
            names += [*normed(f"{wn}.in_layers.{layer}"), *normed(f"{wn}.res_skip_layers.{layer}")]
    return names


def diffwave() -> list[str]:
    """`DiffWave` of model.py: 30 residual layers."""
    names = [
        "input_projection", "diffusion_embedding.projection1", "diffusion_embedding.projection2",
        "spectrogram_upsampler.conv1", "spectrogram_upsampler.conv2", "skip_projection", "output_projection",
    ]  # fmt: skip
    parts = ("dilated_conv", "diffusion_projection", "conditioner_projection", "output_projection")
    names += [f"residual_layers.{layer}.{part}" for layer in range(30) for part in parts]
    return [weight for name in names for weight in plain(name)]


def wavegrad() -> list[str]:
    """`WaveGrad` of model.py: 5 blocks down, 5 up, and their FiLM."""
    names = ["first_conv", "last_conv", "downsample.0"]
    for block in range(5):
        names += [f"film.{block}.input_conv", f"film.{block}.output_conv", f"upsample.{block}.block1"]
        names += [f"upsample.{block}.block{part}.{index}" for part in (2, 3) for index in (0, 1)]
        if block:  # the first is a convolution alone
            names += [f"downsample.{block}.residual_dense", *(f"downsample.{block}.conv.{index}" for index in range(3))]
    return [weight for name in names for weight in plain(name)]


def vocos() -> list[str]:
    """`Vocos` of pretrained.py with `MelSpectrogramFeatures`, `VocosBackbone` of 8 blocks and `ISTFTHead`."""
    layers = ["backbone.embed", "backbone.norm", "backbone.final_layer_norm", "head.out"]
    parts = ("dwconv", "norm", "pwconv1", "pwconv2")
    layers += [f"backbone.convnext.{block}.{part}" for block in range(8) for part in parts]
    names = [weight for name in layers for weight in plain(name)]
    names += [f"backbone.convnext.{block}.gamma" for block in range(8)]
    spectrogram = "feature_extractor.mel_spec"
    return [*names, f"{spectrogram}.spectrogram.window", f"{spectrogram}.mel_scale.fb", "head.istft.window"]


def flow2gan() -> list[str]:
    """`MelAudioGenerator` of models/generator.py: `CondEncoder` of 4 blocks, three `AudioConvNeXt` of 8 blocks."""

    def blocks(place, count, parts):
        for block in range(count):
            name = f"{place}.blocks.{block}"
            names.extend(
                weight for part in ("dwconv", "pwconv1", "pwconv2", *parts) for weight in plain(f"{name}.{part}")
            )
            names.extend(
                f"{name}.{each}" for each in ("norm.bias", "norm.log_scale", "act.weight", "residual_scale.scale")
            )

    names = [*plain("cond_encoder.in_proj"), "cond_encoder.in_norm.bias", "cond_encoder.in_norm.log_scale"]
    blocks("cond_encoder", 4, ())
    for branch in range(3):
        place = f"estimators.{branch}.decoder"
        layers = ("in_proj", "out_proj", "time_mlp.0", "time_mlp.2", "cond_mlp.0", "cond_mlp.2")
        names += [weight for layer in layers for weight in plain(f"{place}.{layer}")]
        names += [f"{place}.{each}" for each in ("in_norm.bias", "in_norm.log_scale", "cond_mlp.1.weight")]
        names += [f"estimators.{branch}.{each}.window" for each in ("fft", "ifft")]
        blocks(place, 8, ("cond_proj", "time_embed_proj"))
    return [*names, "loss_spec.spectrogram.window", "loss_spec.fb"]


OFFICIAL = {
    "jik876_hifigan": hifigan(normed, ("convs1", "convs2")),
    "torchaudio_hifigan": hifigan(plain, ("convs1", "convs2")),
    "transformers_hifigan": transformers(),
    "speechbrain_hifigan": speechbrain(),
    "nvidia_bigvgan": bigvgan(),
    "descriptinc_melgan": melgan(),
    "kan_bayashi_multiband_melgan": multiband_melgan(),
    "maum_ai_univnet": univnet(),
    "nvidia_waveglow": waveglow(),
    "nvidia_old_waveglow": waveglow(is_old=True),
    "lmnt_diffwave": diffwave(),
    "lmnt_wavegrad": wavegrad(),
    "gemelo_vocos": vocos(),
    "k2_fsa_flow2gan": flow2gan(),
}


def test_the_names_of_all_known_layouts_are_written_out():
    assert OFFICIAL.keys() == {layout.name for layout in LAYOUTS}


@pytest.mark.parametrize("name", OFFICIAL)
def test_names_of_another_project_are_recognised_and_no_others(name, tmp_path):
    torch.save({"generator": {each: torch.ones(1) for each in OFFICIAL[name]}}, tmp_path / "x.pt")
    given = read_weights(tmp_path / "x.pt").weights
    assert layout_of(given) is layout_called(name)
    project = re.escape(layout_called(name).project)
    other = WaveFlow(WaveFlowArchitecture(flows=2, layers=1, channels=2))
    with pytest.raises(
        UserError, match=rf"x\.pt: looks like weights of .*{project}.*WaveFlow here.*front end \("
    ) as error:
        load_given(other, given, tmp_path / "x.pt")
    assert "\n" not in str(error.value)


def test_weights_of_another_project_become_ours():
    theirs, ours = (HiFiGAN(SMALL, n_mels=4, hop_length=32) for _ in range(2))
    weights = to_theirs(theirs, hifigan_pairs)
    assert load_given(ours, weights, "x.pt") == layout_of(OFFICIAL["jik876_hifigan"])
    mel = torch.rand(1, 4, 3)
    assert torch.equal(ours.synthesize(mel), theirs.synthesize(mel))
    del weights["conv_pre.bias"]
    with pytest.raises(UserError, match=r"x\.pt: does not fit the architecture: first\.bias is missing$"):
        load_given(ours, weights, "x.pt")


@pytest.mark.parametrize(
    ("vocoder", "pairs", "name"),
    [
        (
            lambda: MultiBandMelGAN(MultiBandMelGANArchitecture(8)),
            multiband_melgan_pairs,
            "kan_bayashi_multiband_melgan",
        ),
        (lambda: UnivNet(UnivNetArchitecture(2)), univnet_pairs, "maum_ai_univnet"),
    ],
)
def test_the_names_that_ours_become_are_theirs(vocoder, pairs, name):
    assert sorted(to_theirs(vocoder(), pairs)) == sorted(OFFICIAL[name])


def test_weights_of_another_layout_than_is_told_are_refused():
    theirs, ours = (HiFiGAN(SMALL, n_mels=4, hop_length=32) for _ in range(2))
    weights = to_theirs(theirs, hifigan_pairs)
    load_given(ours, weights, "x.pt", "jik876_hifigan")
    with pytest.raises(UserError, match=r"x\.pt: its weights have the layout jik876_hifigan, not own; mend layout"):
        load_given(ours, weights, "x.pt", "own")
    load_given(ours, theirs.state_dict(), "x.pt", "own")
    with pytest.raises(UserError, match=r"x\.pt: its weights have the layout own, not torchaudio_hifigan; mend"):
        load_given(ours, theirs.state_dict(), "x.pt", "torchaudio_hifigan")


def test_newer_weight_norm_is_recognised_too():
    names = [
        name.replace("weight_g", "parametrizations.weight.original0").replace(
            "weight_v", "parametrizations.weight.original1"
        )
        for name in OFFICIAL["jik876_hifigan"]
    ]
    assert layout_of(names) == layout_of(OFFICIAL["jik876_hifigan"])


def test_weights_of_no_known_layout_are_listed():
    vocoder = HiFiGAN(SMALL, n_mels=4, hop_length=32)
    assert layout_of(vocoder.state_dict()) is None
    with pytest.raises(UserError, match=r"x\.pt: does not fit the architecture: .*first.bias is missing"):
        load_given(vocoder, {"somewhere": torch.ones(1)}, "x.pt")


def test_a_network_whose_own_names_are_those_of_a_layout_takes_them():
    class Official(HiFiGAN):
        def __init__(self):
            super().__init__(SMALL, n_mels=4, hop_length=32)
            self.conv_pre, self.conv_post, self.ups = nn.Linear(1, 1), nn.Linear(1, 1), nn.ModuleList([nn.Linear(1, 1)])

    one, other = Official(), Official()
    load_given(one, other.state_dict(), "x.pt")
    assert torch.equal(one.conv_pre.weight, other.conv_pre.weight)
