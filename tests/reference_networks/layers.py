"""Layers on weights by name, with the functions of PyTorch alone: nothing here comes from the library that is tested.

`weights` holds the tensors of a training by the names that the library's checkpoints give them. A convolution is called
by its name; whether it is weight-normalised or spectrally normalised follows from the tensors that are there.
"""

import torch
from torch.nn import functional


def weight_of(weights, name):
    """The weight of a layer: as it is, or g v / ‖v‖ (Salimans & Kingma, 2016), or W / σ (Miyato et al., 2018)."""
    parts = f"{name}.parametrizations.weight"
    if f"{name}.weight" in weights:
        return weights[f"{name}.weight"]
    if f"{parts}.original0" in weights:
        scale, direction = weights[f"{parts}.original0"], weights[f"{parts}.original1"]
        norm = direction.square().sum(dim=tuple(range(1, direction.dim())), keepdim=True).sqrt()
        return scale * direction / norm
    return _spectrally_normalised(weights, parts)


def _spectrally_normalised(weights, parts):
    """One iteration of the power method each time that the weight is used, as in a training."""
    weight = weights[f"{parts}.original"]
    matrix = weight.flatten(1)
    with torch.no_grad():
        left = functional.normalize(matrix @ weights[f"{parts}.0._v"], dim=0)
        right = functional.normalize(matrix.T @ left, dim=0)
        weights[f"{parts}.0._u"], weights[f"{parts}.0._v"] = left, right
    return weight / (left @ matrix @ right)


def conv1d(weights, name, signal, **options):
    return functional.conv1d(signal, weight_of(weights, name), weights.get(f"{name}.bias"), **options)


def conv2d(weights, name, signal, **options):
    return functional.conv2d(signal, weight_of(weights, name), weights.get(f"{name}.bias"), **options)


def transposed1d(weights, name, signal, **options):
    return functional.conv_transpose1d(signal, weight_of(weights, name), weights.get(f"{name}.bias"), **options)


def linear(weights, name, signal):
    return functional.linear(signal, weights[f"{name}.weight"], weights[f"{name}.bias"])


def mel_upsampler(weights, name, mel, factors):
    """ClariNet's: transposed convolutions over time and bands, (B, M, L) → (B, M, T)."""
    image = mel.unsqueeze(1)
    for index, factor in enumerate(factors):
        layer = f"{name}.convolutions.{index}"
        image = functional.conv_transpose2d(
            image, weight_of(weights, layer), weights[f"{layer}.bias"], stride=(1, factor), padding=(1, factor // 2)
        )
        image = functional.leaky_relu(image, 0.4)
    return image.squeeze(1)


def folded(signal, height):
    """(…, T) → (…, height, T / height): a column holds samples that follow one another."""
    return signal.reshape(*signal.shape[:-1], -1, height).transpose(-1, -2)
