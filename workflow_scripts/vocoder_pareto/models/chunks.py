"""Long clips piece by piece: bounded memory, equal to the whole clip but for rounding.

A sample of the output depends on a limited stretch of the input, the reach of a network. A piece that is computed with
that much context on both sides is therefore what it is in the whole clip, once the context is cut off; at the ends of
the clip the network pads as ever.
"""

from collections.abc import Callable, Sequence

from torch import Tensor


def in_chunks(
    compute: Callable[[slice, slice], Tensor], frames: int, chunk_frames: int, context_frames: int, hop_length: int
) -> Tensor:
    """Put together a signal (…, frames · hop_length) from chunks.

    Args:
        compute: A function of a range of frames and the same range in samples, which gives the signal there.
        frames: The number of frames of the whole clip, at least 1.
        chunk_frames: The number of frames that a chunk contributes, at least 1.
        context_frames: The number of frames that a chunk computes in addition on each side, as far as the clip goes.
        hop_length: The number of samples per frame.

    Raises:
        ValueError: `frames` or `chunk_frames` is less than 1.
    """
    if chunk_frames < 1:
        raise ValueError(f"chunk_frames is {chunk_frames}; must be at least 1")
    signal: Tensor | None = None
    for start in range(0, frames, chunk_frames):
        stop = min(start + chunk_frames, frames)
        seen = slice(max(0, start - context_frames), min(frames, stop + context_frames))
        chunk = compute(seen, slice(seen.start * hop_length, seen.stop * hop_length))
        if signal is None:
            signal = chunk.new_empty(*chunk.shape[:-1], frames * hop_length)
        first = (start - seen.start) * hop_length
        signal[..., start * hop_length : stop * hop_length] = chunk[..., first : first + (stop - start) * hop_length]
    if signal is None:
        raise ValueError(f"frames is {frames}; must be at least 1")
    return signal


def kernel_reach(kernel_size: int, dilation: int = 1) -> int:
    """How many samples on each side an odd, unstrided convolution sees."""
    return dilation * (kernel_size // 2)


def transposed_reach(kernel_size: int, factor: int) -> int:
    """How many input samples on each side a transposed convolution of stride `factor` lets into the samples of one."""
    return -(-kernel_size // factor)


def upsampler_reach(factors: Sequence[int]) -> float:
    """How many frames on each side `MelUpsampler` sees with these factors, not rounded."""
    reach, rate = 0.0, 1
    for factor in factors:
        reach += 2 / rate  # its kernels are two strides long
        rate *= factor
    return reach
