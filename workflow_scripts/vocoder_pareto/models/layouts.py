"""How other projects lay out the weights of these families, and what becomes what.

A layout names, for every module of ours that has weights, the module of theirs with the same weights, so that it is
read in both directions. Weights differ in three ways beside their names: which half of the output channels comes first
(`swapped`), whether weight norm is folded, and which parametrisation it has (`weight_g` and `weight_v` of PyTorch's old
form, `parametrizations.weight.original0` and `1` of its new one).

No family's module is imported here: else an edit of one would make the weights of all others stale.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

import torch
from torch import Tensor, nn

from vocoder_pareto.models.vocoder import Vocoder

NEW_NORM = ("parametrizations.weight.original0", "parametrizations.weight.original1")
OLD_NORM = ("weight_g", "weight_v")


class Pair(NamedTuple):
    """A module here and the one there that has the same weights.

    Attributes:
        ours: Its name in our network.
        theirs: Its name in their file.
        swapped: Whether the halves of the output channels stand in the other order there.
    """

    ours: str
    theirs: str
    swapped: bool = False


Pairs = Callable[[Vocoder], Iterator[Pair]]


def hifigan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """jik876's HiFi-GAN, and torchaudio's, which has the same names without weight norm.

    Their residual blocks are numbered through all stages; a block of type 1 keeps its dilated convolutions apart from
    its plain ones.
    """
    architecture = vocoder.architecture
    yield Pair("first", "conv_pre")
    blocks = len(architecture.residual_kernels)
    for stage in range(len(architecture.upsampling)):
        yield Pair(f"upsamplings.{stage}", f"ups.{stage}")
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


def melgan_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """descriptinc's MelGAN: one sequence of the same layers."""
    for name in _modules_with_weights(vocoder):
        yield Pair(name, f"model.{name.removeprefix('layers.')}")


def waveglow_pairs(vocoder: Vocoder) -> Iterator[Pair]:
    """NVIDIA's WaveGlow, whose networks give the shift first, then the logarithm of the scale."""
    yield Pair("upsampler", "upsample")
    for flow in range(vocoder.architecture.flows):
        network, theirs = f"flows.{flow}.network", f"WN.{flow}"
        yield Pair(f"flows.{flow}.mixing.convolution", f"convinv.{flow}.conv")
        yield Pair(f"{network}.start", f"{theirs}.start")
        yield Pair(f"{network}.conditioner", f"{theirs}.cond_layer")
        for layer in range(vocoder.architecture.layers):
            yield Pair(f"{network}.convolutions.{layer}", f"{theirs}.in_layers.{layer}")
            yield Pair(f"{network}.outputs.{layer}", f"{theirs}.res_skip_layers.{layer}")
        yield Pair(f"{network}.end", f"{theirs}.end", swapped=True)


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
        for name, value in _weight_of(remaining, pair.theirs, f"{pair.ours}.{NEW_NORM[0]}" in expected).items():
            ours[f"{pair.ours}.{name}"] = _halves_swapped(value) if pair.swapped else value
    return ours | remaining


def to_theirs(vocoder: Vocoder, pairs: Pairs) -> dict[str, Tensor]:
    """The weights of `vocoder` by another project's names, with weight norm, where it is, in PyTorch's old form."""
    state, theirs = vocoder.state_dict(), {}
    old_of = {NEW_NORM[0]: OLD_NORM[0], NEW_NORM[1]: OLD_NORM[1], "weight": "weight", "bias": "bias"}
    for pair in pairs(vocoder):
        for ours, name in old_of.items():
            value = state.get(f"{pair.ours}.{ours}")
            if value is not None:
                theirs[f"{pair.theirs}.{name}"] = _halves_swapped(value) if pair.swapped else value
    return theirs


def _weight_of(weights: dict[str, Tensor], module: str, is_normed: bool) -> dict[str, Tensor]:
    """What `module` has, taken out of `weights`; under weight norm if `is_normed`."""
    found = {}
    bias = weights.pop(f"{module}.bias", None)
    if bias is not None:
        found["bias"] = bias
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


def _halves_swapped(value: Tensor) -> Tensor:
    first, second = value.chunk(2)
    return torch.cat([second, first])


def _modules_with_weights(vocoder: Vocoder) -> list[str]:
    return [name for name, module in vocoder.named_modules() if isinstance(module, nn.Conv1d | nn.ConvTranspose1d)]
