"""The inverse short-time Fourier transform with which vocoders end that predict spectra.

A frame's spectrum becomes its samples by an inverse Fourier transform; these are windowed, added where frames overlap,
and divided by the sum of the squared windows there. That is the signal whose spectra come nearest to the given ones
(Griffin & Lim, 1984), and what `torch.istft` computes. Two things are different here: the frames may lie as those of
front ends that are not centred, and no value is looked at, so that no call waits for a GPU and tensors without content
pass through.
"""

import torch
from torch import Tensor, nn


class InverseSTFT(nn.Module):
    """Spectra (B, L, n_fft / 2 + 1) → waveforms (B, T), with a periodic Hann window of n_fft samples.

    Args:
        n_fft: The samples of a frame, even.
        hop_length: The samples from one frame to the next, a whole part of n_fft, at most a third of it: with less
            overlap the windows leave samples between frames nearly uncovered.
        centred: Whether the first frame is centred on the first sample, as front ends with centred frames have it; else
            on the middle of the first hop, as those that pad by (n_fft − hop_length) / 2 have it.

    Raises:
        ValueError: n_fft is odd, no multiple of hop_length, or less than 3 times it.
    """

    window: Tensor

    def __init__(self, n_fft: int, hop_length: int, centred: bool = True):
        super().__init__()
        if n_fft % 2 or n_fft % hop_length or n_fft < 3 * hop_length:
            raise ValueError(
                f"n_fft is {n_fft}; must be even and a whole number of hops of its frames ({hop_length}), 3 or more"
            )
        self.n_fft = n_fft
        self.hop_length = hop_length
        self.samples_before = n_fft // 2 if centred else (n_fft - hop_length) // 2  # of the first frame
        window = torch.hann_window(n_fft, dtype=torch.float64)
        self.register_buffer("window", window, persistent=False)

    def forward(self, spectra: Tensor, samples: int) -> Tensor:
        """Complex spectra (B, L, n_fft / 2 + 1) → the first `samples` samples (B, samples).

        There must be frames enough for them: at most n_fft / 2 after the centre of the last one.
        """
        frames = torch.fft.irfft(spectra, self.n_fft)
        window = self.window.to(frames.dtype)
        summed = overlap_added(frames * window, self.hop_length)
        squares = overlap_added(window.square().expand(1, *frames.shape[1:]), self.hop_length)
        heard = slice(self.samples_before, self.samples_before + samples)
        return summed[:, heard] / squares[:, heard]

    def context_frames(self) -> int:
        """How many frames on each side a frame's hop of samples depends on."""
        return -(-self.n_fft // (2 * self.hop_length))


def overlap_added(frames: Tensor, hop_length: int) -> Tensor:
    """Frames (B, L, k · hop_length), each a hop after the one before, → their sum (B, (L + k − 1) · hop_length)."""
    hops = frames.unflatten(2, (-1, hop_length)).unbind(2)
    batch, count, _ = frames.shape
    total = frames.new_zeros(batch, count + len(hops) - 1, hop_length)
    for place, hop in enumerate(hops):
        total[:, place : place + count] += hop
    return total.flatten(1)
