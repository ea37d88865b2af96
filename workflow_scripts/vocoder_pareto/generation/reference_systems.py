"""The reference systems: the test clips themselves, and their mel-spectrograms inverted by Griffin-Lim."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.dataset import RowFile, clips_of, open_array, read_clip_table
from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.parallel import map_in_processes


def write_ground_truth(
    clips: str | Path, table: str | Path, manifest: str | Path, audio_format: AudioFormat, limit: int | None
) -> None:
    """Write the first `limit` test clips (all, if None) as wavs, and their manifest.

    Args:
        clips: The clips, clips.npy (N, clip_samples).
        table: Their table, clips.csv, N rows.
        manifest: manifest.csv to write, with the wavs beside it.
        audio_format: The format of the clips.
        limit: The number of test clips, at least 1; None for all.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    rows = read_clip_table(table)
    samples = open_array(clips, (len(rows), audio_format.clip_samples), "prepare_clips")
    tests = clips_of(rows, "test", limit)
    audio = (samples[clip.row] for clip in tests)
    clip_ids = [clip.clip_id for clip in tests]
    write_audio_set(manifest, clip_ids, audio, audio_format.sample_rate, [None] * len(tests))


def write_griffin_lim(
    mels: str | Path,
    ranges: str | Path,
    table: str | Path,
    manifest: str | Path,
    audio_format: AudioFormat,
    *,
    limit: int | None,
    iterations: int,
    seed: int,
    processes: int,
) -> None:
    """Write the first `limit` test clips (all, if None), inverted from their mel-spectrograms, and their manifest.

    Args:
        mels: The normalised mel-spectrograms, mels.npy (N, n_mels, frames).
        ranges: The ranges that they were normalised from, mel_ranges.npy (N, 2).
        table: The table of clips, clips.csv, N rows.
        manifest: manifest.csv to write, with the wavs beside it.
        audio_format: The format of the spectrograms.
        limit: The number of test clips, at least 1; None for all.
        iterations: The number of iterations of each phase reconstruction, at least 1.
        seed: The seed of the study, at least 0, from which each clip's seed is derived.
        processes: The number of processes that invert at once, at least 1.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    rows = read_clip_table(table)
    open_array(mels, (len(rows), audio_format.n_mels, audio_format.frames), "compute_mels")
    open_array(ranges, (len(rows), 2), "compute_mels")
    tests = clips_of(rows, "test", limit)
    seeds = [clip_seed(seed, clip.row) for clip in tests]
    items = [(clip.row, own) for clip, own in zip(tests, seeds, strict=True)]
    invert = partial(_invert, RowFile.of(mels), RowFile.of(ranges), audio_format, iterations)
    audio: Iterator[np.ndarray] = map_in_processes(
        invert, items, processes, "Inverting by Griffin-Lim", chunk_size=1, start_method="spawn"
    )
    write_audio_set(manifest, [clip.clip_id for clip in tests], audio, audio_format.sample_rate, seeds)


def _invert(
    mels: RowFile, ranges: RowFile, audio_format: AudioFormat, iterations: int, item: tuple[int, int]
) -> np.ndarray:
    from vocoder_pareto.generation.griffin_lim import invert_mel  # librosa takes seconds, and ground truth needs none

    row, seed = item
    return invert_mel(mels.read(row, 1)[0], ranges.read(row, 1)[0], audio_format, iterations, seed)
