"""BigVGAN's activation (Lee et al., 2023, sections 3.2 and 3.3): a periodic function at twice the rate of its signal.

What a function that is not linear adds above half the rate would fold back. So the signal is brought to twice its rate,
bent there, and filtered before it comes back; both ends are continued by their last sample. With h the filter, x the
signal of T samples, α and β the frequency and the inverse of the magnitude of its channel:

    u_n = 2 Σ_k h_k x↑_{n+5−k}             x↑ has zeros between the samples of x                                     (1)
    v_n = u_n + sin²(α u_n) / β            n = 0 … 2T − 1                                                            (2)
    y_t = Σ_k h_k v_{2t−5+k}               k = 0 … 11                                                                (3)

Every other product of (1) is one with a zero. The fast form keeps even and odd samples apart at the rate of the signal,
where both filters have half of the taps (h is symmetric):

    u_{2t} = 2 Σ_i h_{2i} x_{t−3+i},    u_{2t+1} = 2 Σ_i h_{2i+1} x_{t−2+i}             i = 0 … 5                    (4)
    y_t = Σ_i h_{2i} v_{2(t−3+i)+1} + Σ_i h_{2i+1} v_{2(t−2+i)}                                                      (5)

h is that of the official code (github.com/NVIDIA/BigVGAN), which took it from alias-free-torch: a sinc of 12 taps that
cuts off at a quarter of the higher rate, under Kaiser's window of the shape 4.66, which his formula gives for half of
the taps and a transition of 0.3 of that rate to each side. The function (2) with a β of its own, and both as
exponentials of what is trained, is the official code's `snakebeta`, which all published weights have; the paper's Snake
has β = α.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

TAPS = 12
REACH = 5  # samples on each side that a sample of the output depends on, by (4) and (5)
_TINY = 1e-9  # of the official code: β never divides by zero


def low_pass_filter() -> Tensor:
    """The filter h of the module's docstring, of sum 1, as a kernel (1, 1, 12)."""
    attenuation_decibels = 2.285 * (TAPS // 2 - 1) * math.pi * (4 * 0.3) + 7.95  # Kaiser's formula
    window = torch.kaiser_window(TAPS, periodic=False, beta=0.1102 * (attenuation_decibels - 8.7), dtype=torch.float64)
    times = torch.arange(TAPS, dtype=torch.float64) - (TAPS - 1) / 2
    taps = window * torch.sinc(times / 2)
    return (taps / taps.sum()).to(torch.get_default_dtype()).expand(1, 1, TAPS).clone()


class Resampling(nn.Module):
    """The filter of a change of rate; it lies among the weights, as in published files, and is not trained.

    Attributes:
        filter: The kernel (1, 1, 12).
    """

    filter: Tensor

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("filter", low_pass_filter())

    def filtered(self, phase: Tensor, first: int, gain: int = 1) -> Tensor:
        """`gain` times every other tap from `first` on, over each channel: (B, C, 1, T + 5) → (B, C, 1, T)."""
        channels = phase.shape[1]
        kernel = (gain * self.filter[:, :, None, first::2]).expand(channels, 1, 1, TAPS // 2)
        return functional.conv2d(phase, kernel, groups=channels)


class AliasFreeSnake(nn.Module):
    """The activation of the module's docstring, with an α and a β per channel, which begin at 1.

    Attributes:
        alpha: The logarithms of α, (C,).
        beta: The logarithms of β, (C,).
    """

    def __init__(self, channels: int):
        super().__init__()
        self.alpha = nn.Parameter(torch.zeros(channels))
        self.beta = nn.Parameter(torch.zeros(channels))
        self.upsampling = Resampling()
        self.downsampling = Resampling()

    def forward(self, signal: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T) by equations (4), (2) and (5), in the memory layout of `signal`."""
        frequencies, magnitudes = self.alpha.exp()[:, None, None], self._magnitudes()[:, None, None]
        # As images of height 1, which convolutions and padding keep in the memory layout that they have.
        padded = functional.pad(signal.unsqueeze(2), (3, 3, 0, 0), mode="replicate")
        even = _bent(self.upsampling.filtered(padded[..., :-1], 0, gain=2), frequencies, magnitudes)
        odd = _bent(self.upsampling.filtered(padded[..., 1:], 1, gain=2), frequencies, magnitudes)
        first, last = even[..., :1], odd[..., -1:]
        even, odd = (
            torch.cat([first, first, even, last, last, last], dim=-1),
            torch.cat([first, first, first, odd, last, last], dim=-1),
        )
        return (self.downsampling.filtered(even, 1) + self.downsampling.filtered(odd, 0)).squeeze(2)

    def plainly(self, signal: Tensor) -> Tensor:
        """(B, C, T) → (B, C, T) by equations (1) to (3), with a transposed convolution."""
        channels = signal.shape[1]
        kernels = [each.filter.expand(channels, -1, -1) for each in (self.upsampling, self.downsampling)]
        padded = functional.pad(signal, (5, 5), mode="replicate")
        upsampled = 2 * functional.conv_transpose1d(padded, kernels[0], stride=2, groups=channels)[..., 15:-15]
        bent = _bent(upsampled, self.alpha.exp()[:, None], self._magnitudes()[:, None])
        return functional.conv1d(functional.pad(bent, (5, 6), mode="replicate"), kernels[1], stride=2, groups=channels)

    def _magnitudes(self) -> Tensor:
        """1 / β, (C,)."""
        return 1 / (self.beta.exp() + _TINY)


def _bent(signal: Tensor, frequencies: Tensor, magnitudes: Tensor) -> Tensor:
    """Equation (2)."""
    return torch.addcmul(signal, magnitudes, (frequencies * signal).sin_().square())
