"""How other projects lay out the weights of these families, and what becomes what.

A layout names, for every module of ours that has weights, the module of theirs with the same weights, so that it is
read in both directions; for a weight that is no layer's, that weight. Weights differ in five ways beside their names:
which half of the output channels comes first (`swapped`), in which order these count through a kernel that they predict
(`order`), whether a module is cut into several (`parts`), whether weight norm is folded, and which parametrisation it
has (`weight_g` and `weight_v` of PyTorch's old form, `parametrizations.weight.original0` and `1` of its new one).

No family's module is imported here: else an edit of one would make the weights of all others stale.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn

from vocoder_pareto.models.vocoder import Vocoder

NEW_NORM = ("parametrizations.weight.original0", "parametrizations.weight.original1")
OLD_NORM = ("weight_g", "weight_v")
PLAIN = (
    "bias",
    "alpha",
    "beta",
    "filter",
    "log_scale",
)  # what a module may have beside its weight, of the same name there


class Pair(NamedTuple):
    """A module here and the one there that has the same weights.

    Attributes:
        ours: Its name in our network.
        theirs: Its name in their file.
        swapped: Whether the halves of the output channels stand in the other order there.
        parts: The number of modules there, below that name and numbered from 0, whose output channels together are
            those of ours; 0 where it is one module of that name.
        sizes: The sizes of an array that the output channels there count through, the last fastest; () where they are
            in our order.
        order: Which of its axes come first to last here.
        is_tensor: Whether the names are those of a weight, which a module holds beside those of its layers.
    """

    ours: str
    theirs: str
    swapped: bool = False
    parts: int = 0
    sizes: tuple[int, ...] = ()
    order: tuple[int, ...] = ()
    is_tensor: bool = False


Pairs = Callable[[Vocoder], Iterator[Pair]]


def hifigan_pairs(vocoder: Vocoder, upsamplings: str = "ups") -> Iterator[Pair]:
    """jik876's HiFi-GAN, and torchaudio's, which has the same names without weight norm.

    Their residual blocks are numbered through all stages; a block of type 1 keeps its dilated convolutions apart from
    its plain ones.
    """
    architecture = vocoder.architecture
    yield Pair("first", "conv_pre")
    blocks = len(architecture.residual_kernels)
    for stage in range(len(architecture.upsampling)):
        yield Pair(f"upsamplings.{stage}", f"{upsamplings}.{stage}")
        for block, dilations in enumerate(architecture.residual_dilations):
            for step in range(len(dilations)):
                ours = f"fusions.{stage}.blocks.{block}.{step}.convolutions"
                theirs = f"resblocks.{stage * blocks + block}"
                if architecture.residual_type == "1":
                    yield Pair(f"{ours}.0", f"{theirs}.convs1.{step}")
                    yield Pair(f"{ours}.1", f"{theirs}.convs2.{step}")
                else:
                    yield Pair(f"{ours}.0", f"{theirs}.convs.{step}")
    yield Pair("last", "conv_post")


def transformers_hifigan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """The HiFi-GAN of SpeechT5 in transformers, with the mean and the scale of its input among its weights."""
    return hifigan_pairs(vocoder, "upsampler")


def speechbrain_hifigan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """SpeechBrain's HiFi-GAN: each convolution lies one level deeper."""
    return (pair._replace(theirs=f"{pair.theirs}.conv") for pair in hifigan_pairs(vocoder))


def bigvgan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """NVIDIA's BigVGAN: HiFi-GAN's names, a list around each upsampling, and two activations to a step of a block."""
    architecture = vocoder.architecture
    yield Pair("first", "conv_pre")
    blocks = len(architecture.residual_kernels)
    for stage in range(len(architecture.upsampling)):
        yield Pair(f"upsamplings.{stage}", f"ups.{stage}.0")
        for block, dilations in enumerate(architecture.residual_dilations):
            for step in range(len(dilations)):
                ours, theirs = f"fusions.{stage}.blocks.{block}.{step}", f"resblocks.{stage * blocks + block}"
                for half in range(2):
                    yield Pair(f"{ours}.convolutions.{half}", f"{theirs}.convs{half + 1}.{step}")
                    yield from _alias_free_pairs(
                        f"{ours}.activations.{half}", f"{theirs}.activations.{2 * step + half}"
                    )
    yield from _alias_free_pairs("activation", "activation_post")
    yield Pair("last", "conv_post")


def _alias_free_pairs(ours: str, theirs: str) -> Iterator[Pair]:
    yield Pair(ours, f"{theirs}.act")
    yield Pair(f"{ours}.upsampling", f"{theirs}.upsample")
    yield Pair(f"{ours}.downsampling", f"{theirs}.downsample.lowpass")


def melgan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """descriptinc's MelGAN: one sequence of the same layers."""
    for name in _modules_with_weights(vocoder):
        yield Pair(name, f"model.{name.removeprefix('layers.')}")


def multiband_melgan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """kan-bayashi's Multi-band MelGAN: one sequence of the same layers, whose filter bank has no weights."""
    for name in _modules_with_weights(vocoder):
        theirs = name.replace("layers.", "melgan.", 1).replace(".block.", ".stack.").replace(".shortcut", ".skip_layer")
        yield Pair(name, theirs)


def univnet_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """maum-ai's UnivNet, whose predictors count by layer, input, output and tap; ours by layer, tap, input, output."""
    channels, layers = vocoder.architecture.channels, len(vocoder.architecture.dilations)
    yield Pair("first", "conv_pre")
    for index in range(len(vocoder.architecture.upsampling)):
        ours, theirs = f"blocks.{index}", f"res_stack.{index}"
        yield Pair(f"{ours}.upsampling", f"{theirs}.convt_pre.1")
        predictor, kernel_predictor = f"{ours}.predictor", f"{theirs}.kernel_predictor"
        yield Pair(f"{predictor}.first", f"{kernel_predictor}.input_conv.0")
        for block in range(3):
            for step in range(2):
                yield Pair(
                    f"{predictor}.blocks.{block}.{step}", f"{kernel_predictor}.residual_convs.{block}.{2 * step + 1}"
                )
        yield Pair(
            f"{predictor}.kernels", f"{kernel_predictor}.kernel_conv", sizes=(layers, channels, 2 * channels, 3),
            order=(0, 3, 1, 2),
        )  # fmt: skip
        yield Pair(f"{predictor}.biases", f"{kernel_predictor}.bias_conv")
        for layer in range(layers):
            yield Pair(f"{ours}.convolutions.{layer}", f"{theirs}.conv_blocks.{layer}.1")
    yield Pair("last", "conv_post.1")


def waveglow_pairs(vocoder: Vocoder, is_old: bool = False) -> Iterator[Pair]:
    """NVIDIA's WaveGlow, whose networks give the shift first, then the logarithm of the scale.

    With `is_old` that of its first version and of NVIDIA/DeepLearningExamples, which condition each layer by itself.
    """
    yield Pair("upsampler", "upsample")
    for flow in range(vocoder.architecture.flows):
        network, theirs = f"flows.{flow}.network", f"WN.{flow}"
        yield Pair(f"flows.{flow}.mixing.convolution", f"convinv.{flow}.conv")
        yield Pair(f"{network}.start", f"{theirs}.start")
        if is_old:
            yield Pair(f"{network}.conditioner", f"{theirs}.cond_layers", parts=vocoder.architecture.layers)
        else:
            yield Pair(f"{network}.conditioner", f"{theirs}.cond_layer")
        for layer in range(vocoder.architecture.layers):
            yield Pair(f"{network}.convolutions.{layer}", f"{theirs}.in_layers.{layer}")
            yield Pair(f"{network}.outputs.{layer}", f"{theirs}.res_skip_layers.{layer}")
        yield Pair(f"{network}.end", f"{theirs}.end", swapped=True)


def old_waveglow_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """See `waveglow_pairs`."""
    return waveglow_pairs(vocoder, is_old=True)


def diffwave_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """lmnt's DiffWave, in whose layers the gate comes first, then the filter."""
    for index in range(len(vocoder.architecture.upsample_factors)):
        yield Pair(f"upsampler.convolutions.{index}", f"spectrogram_upsampler.conv{index + 1}")
    yield Pair("embedding.layers.0", "diffusion_embedding.projection1")
    yield Pair("embedding.layers.2", "diffusion_embedding.projection2")
    yield Pair("input", "input_projection")
    for layer in range(vocoder.architecture.residual_layers):
        ours, theirs = f"layers.{layer}", f"residual_layers.{layer}"
        yield Pair(f"{ours}.step", f"{theirs}.diffusion_projection")
        yield Pair(f"{ours}.dilated", f"{theirs}.dilated_conv", swapped=True)
        yield Pair(f"{ours}.conditioner", f"{theirs}.conditioner_projection", swapped=True)
        yield Pair(f"{ours}.output", f"{theirs}.output_projection")
    yield Pair("skip", "skip_projection")
    yield Pair("output", "output_projection")


def wavegrad_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """lmnt's WaveGrad, whose FiLM gives the shift first, and is numbered from the rate of the waveform down."""
    stages = len(vocoder.architecture.upsample_factors)
    yield Pair("mel_convolution", "first_conv")
    yield Pair("waveform_convolution", "downsample.0")
    for stage in range(stages - 1):
        ours, theirs = f"downsampling.{stage}.0", f"downsample.{stage + 1}"
        yield Pair(f"{ours}.skip", f"{theirs}.residual_dense")
        for index in range(3):
            yield Pair(f"{ours}.convolutions.{index}", f"{theirs}.conv.{index}")
    for stage in range(stages):
        ours, theirs, film = f"upsampling.{stage}.0", f"upsample.{stage}", f"film.{stages - 1 - stage}"
        yield Pair(f"{ours}.skip", f"{theirs}.block1")
        yield Pair(f"{ours}.first", f"{theirs}.block2.0")
        yield Pair(f"{ours}.rest.0", f"{theirs}.block2.1")
        yield Pair(f"{ours}.rest.1", f"{theirs}.block3.0")
        yield Pair(f"{ours}.rest.2", f"{theirs}.block3.1")
        yield Pair(f"films.{stage}.0.input", f"{film}.input_conv")
        yield Pair(f"films.{stage}.0.modulation", f"{film}.output_conv", swapped=True)
    yield Pair("output", "last_conv")


def vocos_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """Vocos' own code: its backbone and its head."""
    yield Pair("first", "backbone.embed")
    yield Pair("first_norm", "backbone.norm")
    for block in range(vocoder.architecture.blocks):
        ours, theirs = f"blocks.{block}", f"backbone.convnext.{block}"
        yield Pair(f"{ours}.depthwise", f"{theirs}.dwconv")
        yield Pair(f"{ours}.norm", f"{theirs}.norm")
        yield Pair(f"{ours}.expand", f"{theirs}.pwconv1")
        yield Pair(f"{ours}.contract", f"{theirs}.pwconv2")
        yield Pair(f"{ours}.scale", f"{theirs}.gamma", is_tensor=True)
    yield Pair("last_norm", "backbone.final_layer_norm")
    yield Pair("head", "head.out")


def flow2gan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """k2-fsa's Flow2GAN: an encoder of the mel-spectrogram, and an estimator for each branch."""
    architecture = vocoder.architecture
    yield Pair("encoder.0", "cond_encoder.in_proj")
    yield Pair("encoder.1", "cond_encoder.in_norm")
    for block in range(architecture.encoder_blocks):
        yield from _flow2gan_block_pairs(f"encoder.{2 + block}", f"cond_encoder.blocks.{block}")
    for branch in range(len(architecture.hops)):
        ours, theirs = f"branches.{branch}", f"estimators.{branch}.decoder"
        yield Pair(f"{ours}.ends.first", f"{theirs}.in_proj")
        yield Pair(f"{ours}.norm", f"{theirs}.in_norm")
        for layer in range(3):  # the middle one of the time has no weights
            yield Pair(f"{ours}.condition.{layer}", f"{theirs}.cond_mlp.{layer}")
            yield Pair(f"{ours}.time.{layer}", f"{theirs}.time_mlp.{layer}")
        for block in range(architecture.blocks):
            our_block, their_block = f"{ours}.blocks.{block}", f"{theirs}.blocks.{block}"
            yield from _flow2gan_block_pairs(our_block, their_block)
            yield Pair(f"{our_block}.condition", f"{their_block}.cond_proj")
            yield Pair(f"{our_block}.time", f"{their_block}.time_embed_proj")
        yield Pair(f"{ours}.ends.last", f"{theirs}.out_proj")


def _flow2gan_block_pairs(ours: str, theirs: str) -> Iterator[Pair]:
    yield Pair(f"{ours}.depthwise", f"{theirs}.dwconv")
    yield Pair(f"{ours}.norm", f"{theirs}.norm")
    yield Pair(f"{ours}.expand", f"{theirs}.pwconv1")
    yield Pair(f"{ours}.rectifier", f"{theirs}.act")
    yield Pair(f"{ours}.contract", f"{theirs}.pwconv2")
    yield Pair(f"{ours}.shortcut", f"{theirs}.residual_scale.scale", is_tensor=True)


def vocos_windows(vocoder: Vocoder, sample_rate: int) -> Tensor:
    """The window of Vocos' front end and of its inverse transform."""
    return torch.hann_window(vocoder.architecture.n_fft)


def vocos_filters(vocoder: Vocoder, sample_rate: int) -> Tensor:
    """The mel filters (n_fft / 2 + 1, M) of Vocos' front end."""
    from torchaudio.functional import melscale_fbanks

    return melscale_fbanks(vocoder.architecture.n_fft // 2 + 1, 0.0, sample_rate / 2, vocoder.n_mels, sample_rate)


def to_ours(weights: Mapping[str, Tensor], vocoder: Vocoder, pairs: Pairs) -> dict[str, Tensor]:
    """The weights of another project's file by the names of ours.

    Args:
        weights: Their weights by name, under weight norm of either form or without.
        vocoder: The network that they are for, whose weights stay as they are.
        pairs: Their layout.

    Returns:
        Weights by our names. What has no counterpart keeps its name, and what is missing there is missing here, so that
        `load_weights` names it.
    """
    remaining, ours = dict(weights), {}
    expected = vocoder.state_dict()
    for pair in pairs(vocoder):
        if pair.is_tensor:
            if (value := remaining.pop(pair.theirs, None)) is not None:
                ours[pair.ours] = value
            continue
        is_normed = f"{pair.ours}.{NEW_NORM[0]}" in expected
        parts = [_weight_of(remaining, module, is_normed) for module in _modules_there(pair)]
        for name in parts[0]:
            value = _reordered(_joined([part[name] for part in parts if name in part]), pair.sizes, pair.order)
            ours[f"{pair.ours}.{name}"] = _halves_swapped(value) if pair.swapped else value
    return ours | remaining


def to_theirs(vocoder: Vocoder, pairs: Pairs, is_folded: bool = False) -> dict[str, Tensor]:
    """The weights of `vocoder` by another project's names, with weight norm, where it is, in PyTorch's old form.

    With `is_folded` without weight norm. What has no counterpart keeps its name.
    """
    remaining: dict[str, Tensor] = dict(vocoder.state_dict())
    theirs: dict[str, Tensor] = {}
    old_of = {NEW_NORM[0]: OLD_NORM[0], NEW_NORM[1]: OLD_NORM[1], **{name: name for name in ("weight", *PLAIN)}}
    for pair in pairs(vocoder):
        if pair.is_tensor:
            theirs[pair.theirs] = remaining.pop(pair.ours)
            continue
        modules = _modules_there(pair)
        if is_folded:
            plain = _weight_of(remaining, pair.ours, is_normed=False)
            remaining |= {f"{pair.ours}.{name}": value for name, value in plain.items()}
        for ours, name in old_of.items():
            value = remaining.pop(f"{pair.ours}.{ours}", None)
            if value is not None:
                value = _reordered(value, [pair.sizes[axis] for axis in pair.order], np.argsort(pair.order))
                parts = _cut(_halves_swapped(value) if pair.swapped else value, len(modules))
                theirs |= {f"{module}.{name}": part for module, part in zip(modules, parts, strict=True)}
    return theirs | remaining


def _modules_there(pair: Pair) -> list[str]:
    """The names of the modules in their file that make up a pair."""
    return [f"{pair.theirs}.{part}" for part in range(pair.parts)] or [pair.theirs]


def _weight_of(weights: dict[str, Tensor], module: str, is_normed: bool) -> dict[str, Tensor]:
    """What `module` has, taken out of `weights`; under weight norm if `is_normed`."""
    found = {name: weights.pop(f"{module}.{name}") for name in PLAIN if f"{module}.{name}" in weights}
    for scale_name, direction_name in (OLD_NORM, NEW_NORM):
        if {f"{module}.{scale_name}", f"{module}.{direction_name}"} <= weights.keys():
            scale, direction = weights.pop(f"{module}.{scale_name}"), weights.pop(f"{module}.{direction_name}")
            if is_normed:
                return found | {NEW_NORM[0]: scale, NEW_NORM[1]: direction}
            return found | {"weight": direction * (scale / _norms(direction))}
    weight = weights.pop(f"{module}.weight", None)
    if weight is None:
        return found
    return found | ({NEW_NORM[0]: _norms(weight), NEW_NORM[1]: weight} if is_normed else {"weight": weight})


def _norms(weight: Tensor) -> Tensor:
    """The norm of each slice along the first dimension, which the scales of weight norm stand for."""
    return torch.linalg.vector_norm(weight, dim=tuple(range(1, weight.dim())), keepdim=True)


def _reordered(value: Tensor, sizes: Sequence[int], order: Iterable[int]) -> Tensor:
    """`value` with its first dimension, an array of `sizes`, in another `order` of the axes of that."""
    if not sizes:
        return value
    array = value.unflatten(0, tuple(sizes))
    axes = (*map(int, order), *range(len(sizes), array.dim()))
    return array.permute(axes).flatten(0, len(sizes) - 1)


def _joined(parts: Sequence[Tensor]) -> Tensor:
    """The parts of a weight in a row; one alone may have no dimension."""
    return torch.cat(list(parts)) if len(parts) > 1 else parts[0]


def _cut(value: Tensor, count: int) -> Sequence[Tensor]:
    return value.chunk(count) if count > 1 else [value]


def _halves_swapped(value: Tensor) -> Tensor:
    first, second = value.chunk(2)
    return torch.cat([second, first])


def _modules_with_weights(vocoder: Vocoder) -> list[str]:
    return [name for name, module in vocoder.named_modules() if isinstance(module, nn.Conv1d | nn.ConvTranspose1d)]
