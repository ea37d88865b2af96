"""Passages of speech: what a predictor of MOS hears at a time, an utterance or clips that are joined.

Predictors were trained on sentences and cannot tell what a second of speech is worth: of 30 pairs of known quality,
DistillMOS orders 18 on single clips of 1.024 s, and 27 on whole utterances.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soxr

from vocoder_pareto.audio.files import read_audio
from vocoder_pareto.audio.manifest import AudioEntry, read_manifest

LEAST_SECONDS = 7.0  # as long as what DistillMOS was trained on (7.68 s), but for a little padding


@dataclass(frozen=True)
class Passage:
    """Speech of one system, at least 7 s long.

    Attributes:
        clip_ids: the clips that it consists of, in their order.
        samples: (T,) float32 in [-1, 1].
    """

    clip_ids: tuple[str, ...]
    samples: np.ndarray

    @property
    def is_constant(self) -> bool:
        """Whether there is nothing to hear, as in silence."""
        return bool(np.ptp(self.samples) == 0)


def joined(clips: Sequence[tuple[str, float]]) -> list[tuple[str, ...]]:
    """Which clips make up each passage of at least 7 s, in the order in which the passages are complete.

    A clip of that length is one by itself. Shorter ones follow each other, in their order and without a gap, until they
    are as long; the rest of them goes on with the last passage. Clips that are too short together make none.

    Args:
        clips: name and duration in seconds of each.
    """
    found: list[tuple[str, ...]] = []
    begun: tuple[str, ...] = ()
    seconds = 0.0
    for clip_id, duration in clips:
        if duration >= LEAST_SECONDS:
            found.append((clip_id,))
            continue
        begun, seconds = (*begun, clip_id), seconds + duration
        if seconds >= LEAST_SECONDS:
            found.append(begun)
            begun, seconds = (), 0.0
    if begun and found:
        found[-1] += begun
    return found


def read_passages(manifest: str | Path, sample_rate: int, limit: int | None = None) -> list[Passage]:
    """The passages of a system; all systems of a study have the same, so that their scores are paired.

    Args:
        manifest: `generated/{system}/manifest.csv`.
        sample_rate: samples per second to resample to (soxr HQ).
        limit: how many to read, the first ones; None for all.

    Raises:
        UserError: the manifest or its audio is missing or damaged.
    """
    entries = {entry.clip_id: entry for entry in read_manifest(manifest)}
    groups = joined([(entry.clip_id, entry.duration_seconds) for entry in entries.values()])
    return [
        Passage(group, np.concatenate([_samples(manifest, entries[clip_id], sample_rate) for clip_id in group]))
        for group in groups[:limit]
    ]


def _samples(manifest: str | Path, entry: AudioEntry, sample_rate: int) -> np.ndarray:
    audio = read_audio(Path(manifest).parent / entry.file)
    if audio.sample_rate == sample_rate:
        return audio.samples
    return soxr.resample(audio.samples, audio.sample_rate, sample_rate, quality="HQ")
