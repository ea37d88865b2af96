"""The reference systems: the recordings themselves, and what classical methods make of them.

Griffin-Lim inverts their mel-spectrograms; WORLD analyses and synthesises the recordings.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.clips import load_clip
from vocoder_pareto.audio.comparison import Comparison
from vocoder_pareto.audio.dataset import Clip, RowFile, clips_of, open_array, read_clip_table
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.study.sections.dataset import Channels
from vocoder_pareto.study.sections.front_ends import FrontEndSettings


def write_ground_truth(
    corpus: str | Path,
    table: str | Path,
    manifest: str | Path,
    comparison: Comparison,
    limit: int | None,
    channels: Channels = "mix",
) -> None:
    """Write the beginning of the first `limit` recordings of the test set (all, if None) as wavs, and their manifest.

    They are read anew, and not taken from the clips of a front end: so they have been resampled once at most.

    Args:
        corpus: The folder of the recordings.
        table: The table of clips, clips.csv.
        manifest: manifest.csv to write, with the wavs beside it.
        comparison: The rate and the stretch of time of the wavs.
        limit: The number of test clips, at least 1; None for all.
        channels: What to do with a recording of several channels, see `read_audio`.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    tests = clips_of(read_clip_table(table), "test", limit)
    audio = (_recording(Path(corpus), comparison, channels, clip) for clip in tests)
    _write_recordings(manifest, tests, audio, comparison)


def write_world(
    corpus: str | Path,
    table: str | Path,
    manifest: str | Path,
    comparison: Comparison,
    limit: int | None,
    channels: Channels = "mix",
    processes: int = 1,
) -> None:
    """Write what WORLD makes of the wavs that `write_ground_truth` writes with the same arguments, and their manifest.

    Args:
        corpus, table, manifest, comparison, limit, channels: See `write_ground_truth`.
        processes: The number of processes that work at once, at least 1.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    tests = clips_of(read_clip_table(table), "test", limit)
    work = partial(_resynthesised, Path(corpus), comparison, channels)
    audio: Iterator[np.ndarray] = map_in_processes(
        work, tests, processes, "Resynthesising by WORLD", chunk_size=1, start_method="spawn"
    )
    _write_recordings(manifest, tests, audio, comparison)


def write_griffin_lim(
    mels: str | Path,
    ranges: str | Path,
    table: str | Path,
    manifest: str | Path,
    front_end: FrontEndSettings,
    comparison: Comparison,
    *,
    limit: int | None,
    iterations: int,
    seed: int,
    processes: int,
) -> None:
    """Write the first `limit` test clips (all, if None), inverted from their mel-spectrograms, and their manifest.

    Args:
        mels: The normalised mel-spectrograms, mels.npy (N, bands, frames).
        ranges: The ranges that they were normalised from, mel_ranges.npy (N, 2).
        table: The table of clips, clips.csv, N rows.
        manifest: manifest.csv to write, with the wavs beside it.
        front_end: The settings that the spectrograms were computed by.
        comparison: The rate and the stretch of time of the wavs.
        limit: The number of test clips, at least 1; None for all.
        iterations: The number of iterations of each phase reconstruction, at least 1.
        seed: The seed of the study, at least 0, from which each clip's seed is derived.
        processes: The number of processes that invert at once, at least 1.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    rows = read_clip_table(table)
    open_array(mels, (len(rows), front_end.bands, None), "compute_mels")
    open_array(ranges, (len(rows), 2), "compute_mels")
    tests = clips_of(rows, "test", limit)
    seeds = [clip_seed(seed, clip.row) for clip in tests]
    items = [(clip.row, own) for clip, own in zip(tests, seeds, strict=True)]
    invert = partial(_invert, RowFile.of(mels), RowFile.of(ranges), front_end, iterations)
    audio: Iterator[np.ndarray] = map_in_processes(
        invert, items, processes, "Inverting by Griffin-Lim", chunk_size=1, start_method="spawn"
    )
    clip_ids = [clip.clip_id for clip in tests]
    write_audio_set(manifest, clip_ids, audio, front_end.sample_rate, seeds, comparison=comparison)


def _invert(
    mels: RowFile, ranges: RowFile, front_end: FrontEndSettings, iterations: int, item: tuple[int, int]
) -> np.ndarray:
    from vocoder_pareto.generation.griffin_lim import invert_mel  # librosa takes seconds, and ground truth needs none

    row, seed = item
    return invert_mel(mels.read(row, 1)[0], ranges.read(row, 1)[0], front_end, iterations, seed)


def _write_recordings(
    manifest: str | Path, tests: Sequence[Clip], audio: Iterator[np.ndarray], comparison: Comparison
) -> None:
    clip_ids = [clip.clip_id for clip in tests]
    write_audio_set(manifest, clip_ids, audio, comparison.sample_rate, [None] * len(tests))


def _recording(corpus: Path, comparison: Comparison, channels: Channels, clip: Clip) -> np.ndarray:
    rate, samples = comparison.sample_rate, comparison.samples_at(comparison.sample_rate)
    return load_clip(corpus / clip.source, rate, samples, channels=channels).samples


def _resynthesised(corpus: Path, comparison: Comparison, channels: Channels, clip: Clip) -> np.ndarray:
    from vocoder_pareto.generation.world import resynthesised  # ground truth needs no WORLD

    return resynthesised(_recording(corpus, comparison, channels, clip), comparison.sample_rate)
