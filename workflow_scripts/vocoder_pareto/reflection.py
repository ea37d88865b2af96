"""Signals continued beyond their ends by reflection, in PyTorch: for convolutions and for spectra."""

import torch
from torch import Tensor
from torch.nn import functional


def reflection_padded(signal: Tensor, amount: int) -> Tensor:
    """(B, C, T) → (B, C, T + 2 · amount), in the memory layout of `signal`.

    The sample at an end is not repeated. A signal that is no longer than `amount` is reflected at both ends as often as
    needed, as `numpy.pad` does; a single sample is repeated.

    Args:
        signal: The signal, with at least one sample.
        amount: The number of samples to add on each side, at least 0.
    """
    length = signal.shape[-1]
    if length > amount:
        # As an image of height 1, since padding in one dimension leaves channels-last memory.
        image = functional.pad(signal.unsqueeze(2), (amount, amount, 0, 0), mode="reflect")
        return image.squeeze(2)
    period = max(1, 2 * (length - 1))
    places = torch.arange(-amount, length + amount, device=signal.device).remainder(period)
    return signal[..., torch.minimum(places, period - places)] if length > 1 else signal[..., places * 0]
