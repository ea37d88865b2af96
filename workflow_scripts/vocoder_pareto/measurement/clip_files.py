"""The clips of the energy protocol as `cut_energy_clips` writes them: their length, and how they are read."""

from pathlib import Path

import numpy as np

from vocoder_pareto.audio.dataset import open_array

RULE = "cut_energy_clips"


def frames_of(clip_seconds: float, sample_rate: int, hop_length: int) -> int:
    """The whole frames of a clip of the energy protocol, at least one."""
    return max(1, round(clip_seconds * sample_rate / hop_length))


def open_energy_clips(path: str | Path, *shape: int | None) -> np.ndarray:
    """An array of N clips (N, *shape), memory-mapped; None in `shape` allows any size.

    Raises:
        UserError: The file is missing, truncated, or of another shape or type.
    """
    return open_array(path, (None, *shape), RULE)
