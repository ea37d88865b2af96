"""The mel-spectrograms of a dataset: computed in batches by several threads, then normalised."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Literal

import numpy as np
import torch
from tqdm import tqdm

from vocoder_pareto.audio.dataset import allocate_array, open_array, read_clip_table, read_rows, write_rows
from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.spectrogram import log_mel_spectrogram, min_max_normalized, ranges_of
from vocoder_pareto.files import write_json, written_whole

Normalization = Literal["per_spectrogram", "dataset"]

# 4 clips and their spectra (5 MB) stay in the processor's cache, and in memory that is used again for the next batch;
# with 32 it takes twice as long.
BATCH = 4


def compute_mels(
    clips: str | Path,
    table: str | Path,
    audio_format: AudioFormat,
    normalization: Normalization,
    *,
    threads: int,
    mels: str | Path,
    ranges: str | Path,
    stats: str | Path,
) -> None:
    """Write the normalised log-mel-spectrograms of all clips, and what it takes to undo the normalisation.

    Args:
        clips: clips.npy (N, clip_samples).
        table: clips.csv, N rows.
        audio_format: of clips and spectrograms.
        normalization: map to [0, 1] from the minimum and maximum of each spectrogram, or of the whole dataset.
        threads: that compute at once.
        mels: mels.npy to write, (N, n_mels, frames) float32 in [0, 1]; a constant spectrogram, as of silence, is zeros.
        ranges: mel_ranges.npy to write, (N, 2) float32: the log-mel values that became 0 and 1 in each clip, so that
            log-mel = minimum + mel · (maximum − minimum) under either normalisation.
        stats: mel_stats.json to write: minimum and maximum of the dataset, normalisation, format, constant clips.

    Raises:
        UserError: an input is missing or damaged, or an output cannot be written.
    """
    rows = len(read_clip_table(table))
    audio = open_array(clips, (rows, audio_format.clip_samples), "prepare_clips")
    with written_whole(mels) as temporary:
        offset = allocate_array(temporary, (rows, audio_format.n_mels, audio_format.frames))
        clip_ranges = np.empty((rows, 2), dtype=np.float32)
        analyse = partial(_write_log_mels, audio, audio_format, temporary, offset, clip_ranges)
        _over_batches(analyse, rows, threads, "Computing mel-spectrograms")
        whole_range = np.array([clip_ranges[:, 0].min(), clip_ranges[:, 1].max()])
        used = clip_ranges if normalization == "per_spectrogram" else np.tile(whole_range, (rows, 1))
        log_mels = np.load(temporary, mmap_mode="r")
        normalize = partial(_write_normalized, log_mels, used, temporary, offset)
        _over_batches(normalize, rows, threads, "Normalising mel-spectrograms")
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


def _over_batches(function: Callable[[slice], None], rows: int, threads: int, description: str) -> None:
    batches = [slice(start, min(start + BATCH, rows)) for start in range(0, rows, BATCH)]
    # A batch is too small for several threads: each takes one of its own, and PyTorch starts none inside.
    pool = ThreadPoolExecutor(threads, initializer=torch.set_num_threads, initargs=(1,))
    with pool, tqdm(total=rows, desc=description, unit="clip", mininterval=1.0) as bar:
        for batch, _ in zip(batches, pool.map(function, batches), strict=True):
            bar.update(batch.stop - batch.start)


@torch.inference_mode()
def _write_log_mels(
    audio: np.memmap, audio_format: AudioFormat, path: Path, offset: int, ranges: np.ndarray, batch: slice
) -> None:
    """Write a batch of log-mels into `path`, and their ranges into `ranges` (N, 2).

    They are not returned: a small result that outlives the large arrays of its batch keeps the allocator from using
    their memory again (6 GB for 13,100 clips, measured).
    """
    log_mel = log_mel_spectrogram(torch.from_numpy(read_rows(audio, batch)), audio_format)
    write_rows(path, offset, batch.start, log_mel.numpy())
    ranges[batch] = ranges_of(log_mel).numpy()


@torch.inference_mode()
def _write_normalized(log_mels: np.memmap, ranges: np.ndarray, path: Path, offset: int, batch: slice) -> None:
    """Overwrite a batch of log-mels (B, M, L) by its normalised form."""
    log_mel = torch.from_numpy(read_rows(log_mels, batch))
    write_rows(path, offset, batch.start, min_max_normalized(log_mel, torch.from_numpy(ranges[batch])).numpy())
