"""Whose weights a file holds, told by their names, so that they are read as theirs or a message can say what they are.

Every entry was read from the code of its project: the names from its modules, the front end from its preprocessing.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from vocoder_pareto.models.layouts import (
    NEW_NORM,
    OLD_NORM,
    Pairs,
    bigvgan_pairs,
    diffwave_pairs,
    flow2gan_pairs,
    hifigan_pairs,
    melgan_pairs,
    multiband_melgan_pairs,
    old_waveglow_pairs,
    speechbrain_hifigan_pairs,
    transformers_hifigan_pairs,
    univnet_pairs,
    vocos_filters,
    vocos_pairs,
    vocos_windows,
    waveglow_pairs,
    wavegrad_pairs,
)
from vocoder_pareto.models.vocoder import Vocoder
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndSettings

_HIFIGAN = frozenset({"conv_pre.weight", "ups.0.weight", "conv_post.weight"})
_WAVEGLOW = frozenset({"upsample.weight", "convinv.0.conv.weight", "WN.0.start.weight", "WN.0.end.weight"})
_HIFIGAN_FRONT_END = "22,050 Hz, n_fft 1024, hop 256, 80 bands to 8,000 Hz, ln(magnitude)"
_HIFIGAN_CODE = {"last_slope": 0.01, "padding": "zeros", "normalizes_input": False}
OWN = "own"  # the name of our layout
_NORMED = re.compile("|".join(map(re.escape, (*OLD_NORM, *NEW_NORM))))


@dataclass(frozen=True)
class Layout:
    """The names of another project's weights.

    Attributes:
        name: What `weights.layout` of the configuration calls it.
        project: Whose they are, for messages.
        weights: Names that all its files have, with weight norm as one weight; together no other project has them.
        weight_norm: Whether the weights are under weight norm; None for either.
        front_end: What its published weights were trained on, for messages.
        front_ends: The built-in front ends that compute this.
        family: The name of the class here whose weights they can become.
        pairs: What becomes what, see `layouts`.
        architecture: Settings of the architecture that the project's code has, where ours may be others.
        container: The key below which its files hold the weights, keys one in the other with a dot between them; None
            where they hold nothing else.
        constants: What its files hold beside weights, such as windows: their names there, and what computes them for
            its code from the vocoder and its sample rate. They are not read.
        computed: A pattern of names in its files that its code computes whether they are there or not. They are neither
            read nor written.
    """

    name: str
    project: str
    weights: frozenset[str]
    weight_norm: bool | None
    front_end: str
    front_ends: tuple[str, ...]
    family: str
    pairs: Pairs
    architecture: Mapping[str, Any]
    container: str | None
    constants: Mapping[str, Callable[[Vocoder, int], Tensor]] = field(default_factory=dict)
    computed: str | None = None

    def holds(self, name: str) -> bool:
        """Whether `name` in one of its files is that of a weight, and not of what its code can compute."""
        is_computed = self.computed is not None and re.fullmatch(self.computed, name)
        return name not in self.constants and not is_computed

    def is_for(self, front_end: Mapping[str, Any]) -> bool:
        """Whether published weights take this front end, told as `front_end_of` does."""
        return any(_is_one(BUILT_IN[name], front_end) for name in self.front_ends)

    def faults_of(self, architecture: Any) -> list[str]:
        """What of `architecture` differs from what the project's code has, in words, each with what to set."""
        theirs = dict(self.architecture)
        if hasattr(architecture, "audio_scale"):
            theirs["audio_scale"] = 1.0  # no other project has it
        here = {name: getattr(architecture, name) for name in theirs}
        return [f"{name} is {here[name]}, set {name}: {value}" for name, value in theirs.items() if here[name] != value]


def _is_one(built_in: FrontEndSettings, front_end: Mapping[str, Any]) -> bool:
    """Whether a front end is `built_in`, whatever its normalisation where that leaves the numbers to a checkpoint."""
    told = built_in.told()
    if built_in.fault_of_use is not None:
        told["normalization"] = front_end["normalization"]
    return told == front_end


LAYOUTS = (
    Layout(
        "jik876_hifigan", "the HiFi-GAN of github.com/jik876/hifi-gan", _HIFIGAN, True, _HIFIGAN_FRONT_END,
        ("hifigan_22k",), "HiFiGAN", hifigan_pairs, _HIFIGAN_CODE, "generator",
    ),
    Layout(
        "torchaudio_hifigan", "torchaudio's HiFi-GAN, or jik876's without weight norm", _HIFIGAN, False,
        _HIFIGAN_FRONT_END, ("hifigan_22k",), "HiFiGAN", hifigan_pairs, _HIFIGAN_CODE, None,
    ),
    Layout(
        "transformers_hifigan",
        "the HiFi-GAN of SpeechT5 in transformers",
        frozenset({"conv_pre.weight", "upsampler.0.weight", "conv_post.weight", "mean", "scale"}),
        False,
        "16,000 Hz, n_fft 1024, hop 256, 80 bands from 80 to 7,600 Hz, log10(magnitude)",
        ("speecht5_16k",),
        "HiFiGAN",
        transformers_hifigan_pairs,
        _HIFIGAN_CODE | {"normalizes_input": True},
        None,
    ),
    Layout(
        "speechbrain_hifigan",
        "SpeechBrain's HiFi-GAN",
        frozenset({"conv_pre.conv.weight", "ups.0.conv.weight", "conv_post.conv.weight"}),
        None,
        "16,000 or 22,050 Hz, n_fft 1024, hop 256, 80 bands to 8,000 Hz, ln(magnitude) of centred frames",
        ("speechbrain_16k", "waveglow_22k"),
        "HiFiGAN",
        speechbrain_hifigan_pairs,
        _HIFIGAN_CODE | {"padding": "reflect"},
        None,
    ),
    Layout(
        "nvidia_bigvgan",
        "the BigVGAN of github.com/NVIDIA/BigVGAN",
        frozenset({"conv_pre.weight", "ups.0.0.weight", "conv_post.weight", "activation_post.act.beta"}),
        None,
        "24,000 Hz, n_fft 1024, hop 256, 100 bands to 12,000 Hz, ln(magnitude), or of another rate",
        ("bigvgan_24k", "hifigan_22k"),
        "BigVGAN",
        bigvgan_pairs,
        {},
        "generator",
    ),
    Layout(
        "descriptinc_melgan",
        "the MelGAN of github.com/descriptinc/melgan-neurips",
        frozenset({"model.1.weight", "model.3.weight", "model.4.block.2.weight", "model.4.shortcut.weight"}),
        None,
        "22,050 Hz, n_fft 1024, hop 256, 80 bands to 11,025 Hz, log10(magnitude)",
        ("melgan_22k",),
        "MelGAN",
        melgan_pairs,
        {},
        None,
    ),
    Layout(
        "kan_bayashi_multiband_melgan",
        "the Multi-band MelGAN of github.com/kan-bayashi/ParallelWaveGAN",
        frozenset({"melgan.1.weight", "melgan.3.weight", "melgan.4.stack.2.weight", "melgan.4.skip_layer.weight"}),
        None,
        "22,050 Hz, n_fft 1024, hop 256, 80 bands from 80 to 7,600 Hz, normalised log10(magnitude)",
        ("parallel_wavegan_22k",),
        "MultiBandMelGAN",
        multiband_melgan_pairs,
        {"taps": 62, "cutoff": 0.142, "beta": 9.0},
        "model.generator",
    ),
    Layout(
        "maum_ai_univnet",
        "the UnivNet of github.com/maum-ai/univnet",
        frozenset({
            "conv_pre.weight", "res_stack.0.convt_pre.1.weight", "res_stack.0.kernel_predictor.kernel_conv.weight",
            "conv_post.1.weight",
        }),
        None,
        "24,000 Hz, n_fft 1024, hop 256, 100 bands to 12,000 Hz, ln(magnitude)",
        ("bigvgan_24k",),
        "UnivNet",
        univnet_pairs,
        {},
        "model_g",
    ),
    Layout(
        "nvidia_waveglow",
        "the WaveGlow of github.com/NVIDIA/waveglow",
        _WAVEGLOW | {"WN.0.cond_layer.weight"},
        None,
        _HIFIGAN_FRONT_END,
        ("waveglow_22k",),
        "WaveGlow",
        waveglow_pairs,
        {"upsample_cut": "end"},
        "state_dict",
    ),
    Layout(
        "nvidia_old_waveglow",
        "the WaveGlow of github.com/NVIDIA/DeepLearningExamples, or the first of NVIDIA/waveglow",
        _WAVEGLOW | {"WN.0.cond_layers.0.weight"},
        None,
        _HIFIGAN_FRONT_END,
        ("waveglow_22k",),
        "WaveGlow",
        old_waveglow_pairs,
        {"upsample_cut": "end"},
        "state_dict",
    ),
    Layout(
        "lmnt_diffwave",
        "the DiffWave of github.com/lmnt-com/diffwave",
        frozenset({
            "diffusion_embedding.projection1.weight", "residual_layers.0.dilated_conv.weight",
            "residual_layers.0.diffusion_projection.weight", "skip_projection.weight",
        }),
        None,
        "22,050 Hz, n_fft 1024, hop 256, 80 bands from 20 Hz, decibels of the normalised magnitude, 0 to 1",
        ("diffwave_22k",),
        "DiffWave",
        diffwave_pairs,
        {"first_step": 0},
        "model",
    ),
    Layout(
        "lmnt_wavegrad",
        "the WaveGrad of github.com/lmnt-com/wavegrad",
        frozenset({"first_conv.weight", "last_conv.weight", "film.0.input_conv.weight", "upsample.0.block1.weight"}),
        None,
        "24,000 Hz, n_fft 2048, hop 300, 128 bands from 20 Hz, decibels of the normalised magnitude, 0 to 1",
        ("wavegrad_24k",),
        "WaveGrad",
        wavegrad_pairs,
        {"interpolation": "nearest", "film_channels": "input", "noise_level_scale": 1.0, "down_dilations": (1, 2, 4)},
        "model",
    ),
    Layout(
        "gemelo_vocos",
        "the Vocos of github.com/gemelo-ai/vocos",
        frozenset({"backbone.embed.weight", "backbone.convnext.0.dwconv.weight", "head.out.weight"}),
        False,
        "24,000 Hz, n_fft 1024, hop 256, 100 bands to 12,000 Hz, ln(magnitude) of centred frames",
        ("vocos_24k",),
        "Vocos",
        vocos_pairs,
        {},
        None,
        {
            "feature_extractor.mel_spec.spectrogram.window": vocos_windows,
            "feature_extractor.mel_spec.mel_scale.fb": vocos_filters,
            "head.istft.window": vocos_windows,
        },
    ),
    Layout(
        "k2_fsa_flow2gan",
        "the Flow2GAN of github.com/k2-fsa/Flow2GAN",
        frozenset({
            "cond_encoder.in_proj.weight", "estimators.0.decoder.in_norm.log_scale",
            "estimators.0.decoder.time_mlp.0.weight", "estimators.0.decoder.out_proj.weight",
        }),
        False,
        "24,000 Hz, n_fft 1024, hop 256, 100 bands to 12,000 Hz, ln(magnitude) of centred frames",
        ("vocos_24k",),
        "Flow2GAN",
        flow2gan_pairs,
        {},
        "model",
        computed=r"estimators\.\d+\.i?fft\.window|loss_spec\..+",
    ),
)  # fmt: skip


def layout_called(name: str) -> Layout:
    """The known layout of this name, one of `LayoutName` but `own`."""
    return next(layout for layout in LAYOUTS if layout.name == name)


def layout_of(names: Iterable[str]) -> Layout | None:
    """The known layout whose names are among `names`, those of a file's weights; None if there is none."""
    names = list(names)
    folded = {_NORMED.sub("weight", name) for name in names}
    normed = any(_NORMED.search(name) for name in names)
    for layout in LAYOUTS:
        if layout.weights <= folded and layout.weight_norm in (None, normed):
            return layout
    return None
