"""Checkpoints of this project as files of other projects: their names and shapes are facts of their code."""

import math
from dataclasses import replace

import librosa
import pytest
import scipy.signal
import torch
from closeness import assert_close

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.checkpoint import save_checkpoint
from vocoder_pareto.models.conversion import convert_checkpoint
from vocoder_pareto.models.given_weights import load_given, read_weights
from vocoder_pareto.models.registry import build_vocoder
from vocoder_pareto.study.sections.front_ends import BUILT_IN, GivenNormalization
from vocoder_pareto.study.systems import SystemSettings

HIFIGAN = {"channels": 16}  # V1 but for its channels
FAMILIES = {
    "jik876_hifigan": ("hifigan.HiFiGAN", HIFIGAN),
    "torchaudio_hifigan": ("hifigan.HiFiGAN", HIFIGAN),
    "transformers_hifigan": ("hifigan.HiFiGAN", HIFIGAN | {"normalizes_input": True}),
    "speechbrain_hifigan": ("hifigan.HiFiGAN", HIFIGAN | {"padding": "reflect"}),
    "nvidia_bigvgan": ("bigvgan.BigVGAN", HIFIGAN),
    "descriptinc_melgan": ("melgan.MelGAN", {"channels": 2}),
    "kan_bayashi_multiband_melgan": ("multiband_melgan.MultiBandMelGAN", {"channels": 8}),
    "maum_ai_univnet": ("univnet.UnivNet", {"channels": 2}),
    "nvidia_waveglow": ("waveglow.WaveGlow", {"channels": 4, "upsample_cut": "end"}),
    "nvidia_old_waveglow": ("waveglow.WaveGlow", {"channels": 4, "upsample_cut": "end"}),
    "lmnt_diffwave": ("diffwave.DiffWave", {"residual_channels": 2, "first_step": 0}),
    "gemelo_vocos": ("vocos.Vocos", {"channels": 4, "blocks": 1}),
    "k2_fsa_flow2gan": (
        "flow2gan.Flow2GAN",
        {"hops": (64, 32), "channels": (6, 4), "blocks": 1, "encoder_channels": 8},
    ),
}


@pytest.fixture
def saved(tmp_path):
    """Write a checkpoint of a system with random weights; give its vocoder."""

    def saved(family, architecture, front_end="hifigan_22k"):
        settings = BUILT_IN[front_end] if isinstance(front_end, str) else front_end
        system = SystemSettings(
            "some", "S", f"vocoder_pareto.models.{family}", architecture=architecture, n_mels=settings.n_mels,
            hop_length=settings.hop_length, sample_rate=settings.sample_rate,
        )  # fmt: skip
        vocoder = build_vocoder(system)
        save_checkpoint(tmp_path / "some-S.ckpt", vocoder, system, {"steps": 1}, settings.told())
        return vocoder

    return saved


@pytest.mark.parametrize("layout", FAMILIES)
def test_a_checkpoint_comes_back_from_every_layout(layout, saved, tmp_path):
    vocoder = saved(*FAMILIES[layout])
    convert_checkpoint(tmp_path / "some-S.ckpt", layout, tmp_path / "theirs.pt")
    other = build_vocoder(
        SystemSettings("some", "S", f"vocoder_pareto.models.{FAMILIES[layout][0]}", architecture=FAMILIES[layout][1])
    )
    assert load_given(other, read_weights(tmp_path / "theirs.pt").weights, "theirs.pt", layout).name == layout
    one, two = (each.prepare_for_inference().state_dict() for each in (vocoder, other))
    assert one.keys() == two.keys()
    for name in one:
        assert_close(two[name], one[name], factor=64)


def test_hifigan_is_written_as_jik876_reads_it(saved, tmp_path):
    """`load_state_dict(state_dict["generator"])` of inference.py into `Generator` of models.py, V1."""
    saved("hifigan.HiFiGAN", HIFIGAN)
    convert_checkpoint(tmp_path / "some-S.ckpt", "jik876_hifigan", tmp_path / "generator.pt")
    content = torch.load(tmp_path / "generator.pt", weights_only=True)
    assert list(content) == ["generator"]
    shapes = {name: tuple(value.shape) for name, value in content["generator"].items()}
    expected = {}
    for name, (into, source, size) in _official_convolutions().items():
        normed = (source, into, size) if name.startswith("ups.") else (into, source, size)
        expected |= {f"{name}.weight_v": normed, f"{name}.weight_g": (normed[0], 1, 1), f"{name}.bias": (into,)}
    assert shapes == expected


def _official_convolutions():
    """Output channels, input channels and kernel of each convolution of V1 with 16 channels, by its official name."""
    found = {"conv_pre": (16, 80, 7), "conv_post": (1, 1, 7)}
    for stage, kernel in enumerate((16, 16, 4, 4)):
        channels = 16 // 2 ** (stage + 1)
        found[f"ups.{stage}"] = (channels, 2 * channels, kernel)
        for block, size in enumerate((3, 7, 11)):
            for part in ("convs1", "convs2"):
                for step in range(3):
                    found[f"resblocks.{3 * stage + block}.{part}.{step}"] = (channels, channels, size)
    return found


def test_weight_norm_is_folded_where_their_network_has_none(saved, tmp_path):
    """By the definition of Salimans and Kingma 2016."""
    vocoder = saved("hifigan.HiFiGAN", HIFIGAN)
    convert_checkpoint(tmp_path / "some-S.ckpt", "torchaudio_hifigan", tmp_path / "theirs.pt")
    theirs = torch.load(tmp_path / "theirs.pt", weights_only=True)
    assert not [name for name in theirs if "weight_" in name]
    scale, direction = (vocoder.state_dict()[f"first.parametrizations.weight.original{index}"] for index in (0, 1))
    for row in range(16):
        norm = math.sqrt(float((direction[row].double() ** 2).sum()))
        assert_close(theirs["conv_pre.weight"][row], scale[row] * direction[row] / norm, factor=16)


def test_what_is_written_takes_no_more_room_than_the_weights(saved, tmp_path):
    """A part of a tensor would be saved with the whole of it: 24 times for the layers of this conditioner."""
    saved("waveglow.WaveGlow", {"channels": 4, "upsample_cut": "end"})
    for layout in ("nvidia_waveglow", "nvidia_old_waveglow"):
        convert_checkpoint(tmp_path / "some-S.ckpt", layout, tmp_path / f"{layout}.pt")
    new, old = ((tmp_path / f"{layout}.pt").stat().st_size for layout in ("nvidia_waveglow", "nvidia_old_waveglow"))
    assert old < 1.5 * new


@pytest.mark.parametrize(
    ("family", "architecture", "layout", "words"),
    [
        ("melgan.MelGAN", {}, "jik876_hifigan", "a MelGAN has no layout jik876_hifigan; allowed: descriptinc_melgan"),
        ("waveflow.WaveFlow", {}, "jik876_hifigan", "no known project has one"),
        ("hifigan.HiFiGAN", {"last_slope": 0.1}, "jik876_hifigan", "last_slope is 0.1, set last_slope: 0.01"),
        ("waveglow.WaveGlow", {}, "nvidia_waveglow", "upsample_cut is both, set upsample_cut: end, and train anew"),
        ("diffwave.DiffWave", {}, "lmnt_diffwave", "first_step is 1, set first_step: 0"),
        ("diffwave.DiffWave", {"first_step": 0, "audio_scale": 6.0}, "lmnt_diffwave", "set audio_scale: 1.0"),
        ("wavegrad.WaveGrad", {"audio_scale": 6.0}, "lmnt_wavegrad", "set audio_scale: 1.0"),
        ("waveglow.WaveGlow", {"audio_scale": 5.0}, "nvidia_waveglow", "set audio_scale: 1.0"),
    ],
)
def test_what_their_code_would_compute_otherwise_is_refused(family, architecture, layout, words, saved, tmp_path):
    saved(family, architecture)
    with pytest.raises(UserError, match=words):
        convert_checkpoint(tmp_path / "some-S.ckpt", layout, tmp_path / "theirs.pt")
    assert not (tmp_path / "theirs.pt").exists()


@pytest.mark.parametrize(
    ("layout", "keys"), [("kan_bayashi_multiband_melgan", ["model", "generator"]), ("maum_ai_univnet", ["model_g"])]
)
def test_weights_lie_below_the_keys_that_their_code_reads(layout, keys, saved, tmp_path):
    """`["model"]["generator"]` of parallel_wavegan's `load_model`, `["model_g"]` of univnet's inference.py."""
    saved(*FAMILIES[layout])
    convert_checkpoint(tmp_path / "some-S.ckpt", layout, tmp_path / "theirs.pt")
    content = torch.load(tmp_path / "theirs.pt", weights_only=True)
    for key in keys:
        assert list(content) == [key]
        content = content[key]
    assert any(name.endswith("weight_v") for name in content)


def test_a_front_end_with_numbers_of_a_training_set_is_theirs(saved, tmp_path, caplog):
    """ParallelWaveGAN's has a mean and a scale of its own for each set of weights."""
    numbers = GivenNormalization(-1.5, 0.6)
    saved(*FAMILIES["kan_bayashi_multiband_melgan"], replace(BUILT_IN["parallel_wavegan_22k"], normalization=numbers))
    convert_checkpoint(tmp_path / "some-S.ckpt", "kan_bayashi_multiband_melgan", tmp_path / "theirs.pt")
    assert not caplog.messages
    saved(*FAMILIES["kan_bayashi_multiband_melgan"], replace(BUILT_IN["hifigan_22k"], normalization=numbers))
    convert_checkpoint(tmp_path / "some-S.ckpt", "kan_bayashi_multiband_melgan", tmp_path / "theirs.pt")
    assert "trained on another front end than published weights of the Multi-band MelGAN" in caplog.text


def test_vocos_is_written_with_the_windows_and_filters_that_its_code_asks_for(saved, tmp_path):
    """`load_state_dict` of pretrained.py is strict. By SciPy and librosa."""
    saved("vocos.Vocos", {"channels": 4, "blocks": 1}, front_end="vocos_24k")
    convert_checkpoint(tmp_path / "some-S.ckpt", "gemelo_vocos", tmp_path / "pytorch_model.bin")
    content = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)
    filters = librosa.filters.mel(sr=24000, n_fft=1024, n_mels=100, htk=True, norm=None).T
    assert_close(content["feature_extractor.mel_spec.mel_scale.fb"], filters, factor=4096)  # of differences of Hz
    for name in ("feature_extractor.mel_spec.spectrogram.window", "head.istft.window"):
        assert_close(content[name], scipy.signal.get_window("hann", 1024), factor=8, eps=2**-23)


def test_another_front_end_than_theirs_is_told(saved, tmp_path, caplog):
    saved("hifigan.HiFiGAN", HIFIGAN, front_end="hifigan_22k")
    convert_checkpoint(tmp_path / "some-S.ckpt", "jik876_hifigan", tmp_path / "theirs.pt")
    assert not caplog.messages
    saved("hifigan.HiFiGAN", HIFIGAN, front_end="paper")
    convert_checkpoint(tmp_path / "some-S.ckpt", "jik876_hifigan", tmp_path / "theirs.pt")
    assert "trained on another front end than published weights of the HiFi-GAN of github.com/jik876" in caplog.text
