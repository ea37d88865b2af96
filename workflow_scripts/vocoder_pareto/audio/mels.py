"""The mel-spectrograms of a dataset: computed in batches by several processes, then normalised."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch

from vocoder_pareto.audio.dataset import RowFile, open_array, read_clip_table
from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.spectrogram import log_mel_spectrogram, min_max_normalized, ranges_of
from vocoder_pareto.files import write_json, written_whole
from vocoder_pareto.parallel import map_in_processes

Normalization = Literal["per_spectrogram", "dataset"]

# 4 clips and their spectra (5 MB) stay in the processor's cache; with 32 it takes twice as long.
BATCH = 4


def compute_mels(
    clips: str | Path,
    table: str | Path,
    audio_format: AudioFormat,
    normalization: Normalization,
    *,
    processes: int,
    mels: str | Path,
    ranges: str | Path,
    stats: str | Path,
) -> None:
    """Write the normalised log-mel-spectrograms of all clips, and what it takes to undo the normalisation.

    Args:
        clips: The clips, clips.npy (N, clip_samples).
        table: Their table, clips.csv, N rows.
        audio_format: The format of clips and spectrograms.
        normalization: Whether [0, 1] spans the minimum and maximum of each spectrogram, or of the whole dataset.
        processes: The number of processes that compute at once, at least 1.
        mels: mels.npy to write, (N, n_mels, frames) float32 in [0, 1]; a constant spectrogram, as of silence, is zeros.
        ranges: mel_ranges.npy to write, (N, 2) float32: the log-mel values that became 0 and 1 in each clip, so that
            log-mel = minimum + mel · (maximum − minimum) under either normalisation.
        stats: mel_stats.json to write: minimum and maximum of the dataset, normalisation, format, constant clips.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    rows = len(read_clip_table(table))
    open_array(clips, (rows, audio_format.clip_samples), "prepare_clips")
    audio = RowFile.of(clips)
    batches = [(start, min(BATCH, rows - start)) for start in range(0, rows, BATCH)]
    with written_whole(mels) as temporary:
        log_mels = RowFile.allocate(temporary, (rows, audio_format.n_mels, audio_format.frames))
        analyse = partial(_write_log_mels, audio, log_mels, audio_format)
        with _one_thread():
            clip_ranges = np.array(_over_batches(analyse, batches, processes), dtype=np.float32)
        whole_range = np.array([clip_ranges[:, 0].min(), clip_ranges[:, 1].max()])
        used = clip_ranges if normalization == "per_spectrogram" else np.tile(whole_range, (rows, 1))
        for first, count in batches:
            log_mel = torch.from_numpy(log_mels.read(first, count))
            normalized = min_max_normalized(log_mel, torch.from_numpy(used[first : first + count]))
            log_mels.write(first, normalized.numpy())
        with written_whole(ranges) as temporary_ranges, temporary_ranges.open("wb") as file:
            np.save(file, used)
        write_json(
            stats,
            {
                "normalization": normalization,
                "log_mel_minimum": float(whole_range[0]),
                "log_mel_maximum": float(whole_range[1]),
                "clips": rows,
                "constant_clips": int((clip_ranges[:, 0] == clip_ranges[:, 1]).sum()),
                "format": asdict(audio_format),
            },
        )


def _over_batches(
    analyse: Callable[[tuple[int, int]], list[list[float]]], batches: list[tuple[int, int]], processes: int
) -> list[list[float]]:
    results = map_in_processes(
        analyse,
        batches,
        processes,
        "Computing mel-spectrograms",
        chunk_size=128 // BATCH,
        unit=f"batch of {BATCH} clips",
    )
    return [value_range for of_batch in results for value_range in of_batch]


@torch.inference_mode()
def _write_log_mels(
    audio: RowFile, log_mels: RowFile, audio_format: AudioFormat, batch: tuple[int, int]
) -> list[list[float]]:
    """Write the log-mels of a batch (first row, rows), and return their minima and maxima, (B, 2).

    As numbers of Python: a small tensor that outlives the large ones of its batch keeps the allocator from using their
    memory again (6 GB for 13,100 clips, measured).
    """
    log_mel = log_mel_spectrogram(torch.from_numpy(audio.read(*batch)), audio_format)
    log_mels.write(batch[0], log_mel.numpy())
    return ranges_of(log_mel).tolist()


@contextmanager
def _one_thread() -> Iterator[None]:
    """Let PyTorch compute with one thread, here and in processes forked here: a batch is too small for several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
