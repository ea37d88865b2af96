"""Layers that several families share."""

from torch import nn
from torch.nn.utils.parametrizations import weight_norm


def normed_conv1d(*arguments, **options) -> nn.Conv1d:
    """A weight-normalised `nn.Conv1d` (Salimans & Kingma, 2016)."""
    return weight_norm(nn.Conv1d(*arguments, **options))


def normed_conv_transpose1d(*arguments, **options) -> nn.ConvTranspose1d:
    """A weight-normalised `nn.ConvTranspose1d`; the scale is one per input channel (dimension 0)."""
    return weight_norm(nn.ConvTranspose1d(*arguments, **options))


def normed_conv2d(*arguments, **options) -> nn.Conv2d:
    """A weight-normalised `nn.Conv2d`."""
    return weight_norm(nn.Conv2d(*arguments, **options))


def same_padding(kernel_size: int, dilation: int = 1) -> int:
    """Zeros on each side that keep the length of an odd, dilated, unstrided convolution."""
    return dilation * (kernel_size - 1) // 2
