"""What vocoders take in of a dataset, by one front end: computed in batches by several processes, then normalised."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import numpy as np
import torch

from vocoder_pareto.audio.dataset import RowFile, open_array, read_clip_table
from vocoder_pareto.audio.features import features, min_max_normalized, ranges_of
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json, written_whole
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.study.sections.front_ends import FrontEndSettings

# 4 clips and their spectra (5 MB) stay in the processor's cache; with 32 it takes twice as long.
BATCH = 4


def compute_mels(
    clips: str | Path,
    table: str | Path,
    front_end: FrontEndSettings,
    *,
    processes: int,
    mels: str | Path,
    ranges: str | Path,
    stats: str | Path,
) -> None:
    """Write the normalised features of all clips, and what it takes to undo a normalisation by their range.

    Args:
        clips: The clips, clips.npy (N, clip_samples), of whole frames.
        table: Their table, clips.csv, N rows.
        front_end: The settings that they are computed by.
        processes: The number of processes that compute at once, at least 1.
        mels: mels.npy to write, (N, bands, frames) float32; a constant spectrogram, as of silence, is zeros where its
            range becomes 0 and 1.
        ranges: mel_ranges.npy to write, (N, 2) float32: what became 0 and 1 in each clip, so that
            log-mel = minimum + mel · (maximum − minimum); 0 and 1 themselves where no range is looked for.
        stats: mel_stats.json to write: minimum and maximum of the dataset before they become 0 and 1, the settings of
            the front end, constant clips.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    rows = len(read_clip_table(table))
    samples = open_array(clips, (rows, None), "prepare_clips").shape[1]
    if samples % front_end.hop_length:
        raise UserError(
            f"{clips}: has clips of {samples} samples, which is no multiple of {front_end.hop_length}; "
            "delete it and rerun the rule `prepare_clips`"
        )
    audio = RowFile.of(clips)
    batches = [(start, min(BATCH, rows - start)) for start in range(0, rows, BATCH)]
    with written_whole(mels) as temporary:
        log_mels = RowFile.allocate(temporary, (rows, front_end.bands, samples // front_end.hop_length))
        analyse = partial(_write_features, audio, log_mels, front_end)
        with one_thread():
            clip_ranges = np.array(_over_batches(analyse, batches, processes), dtype=np.float32)
        whole_range = np.array([clip_ranges[:, 0].min(), clip_ranges[:, 1].max()])
        used = _used_ranges(front_end, clip_ranges, whole_range)
        for first, count in batches if front_end.has_range else ():
            log_mel = torch.from_numpy(log_mels.read(first, count))
            normalized = min_max_normalized(log_mel, torch.from_numpy(used[first : first + count]))
            log_mels.write(first, normalized.numpy())
        with written_whole(ranges) as temporary_ranges, temporary_ranges.open("wb") as file:
            np.save(file, used)
        write_json(
            stats,
            {
                "log_mel_minimum": float(whole_range[0]),
                "log_mel_maximum": float(whole_range[1]),
                "clips": rows,
                "constant_clips": int((clip_ranges[:, 0] == clip_ranges[:, 1]).sum()),
                "front_end": front_end.told(),
            },
        )


@torch.inference_mode()
def normalized_features(
    samples: np.ndarray, front_end: FrontEndSettings, whole_range: tuple[float, float]
) -> tuple[np.ndarray, tuple[float, float]]:
    """The normalised features of one recording, as `compute_mels` makes those of a clip, and their range.

    Args:
        samples: The recording (T,) float32, of whole frames.
        front_end: The settings that they are computed by.
        whole_range: What becomes 0 and 1 where the normalisation is that of the whole dataset.

    Returns:
        Features (bands, frames) float32, and what became 0 and 1 in them: 0 and 1 where no range is looked for.
    """
    values = features(torch.from_numpy(samples)[None], front_end)
    if not front_end.has_range:
        return values[0].numpy(), (0.0, 1.0)
    used = ranges_of(values) if front_end.normalization == "per_spectrogram" else torch.tensor([whole_range])
    low, high = used[0].tolist()
    return min_max_normalized(values, used)[0].numpy(), (low, high)


def range_of_dataset(stats: str | Path) -> tuple[float, float]:
    """What becomes 0 and 1 where features are normalised by the range of the whole dataset.

    Args:
        stats: mel_stats.json of `compute_mels`.

    Raises:
        UserError: The file is missing or damaged.
    """
    found = read_json(stats)
    try:
        return float(found["log_mel_minimum"]), float(found["log_mel_maximum"])
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{stats}: damaged; delete it and rerun the rule `compute_mels`") from error


def _used_ranges(front_end: FrontEndSettings, clip_ranges: np.ndarray, whole_range: np.ndarray) -> np.ndarray:
    """What becomes 0 and 1 in each clip, (N, 2)."""
    if front_end.has_range and front_end.normalization == "per_spectrogram":
        return clip_ranges
    whole = whole_range if front_end.has_range else np.array([0.0, 1.0], dtype=np.float32)
    return np.tile(whole, (len(clip_ranges), 1))


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
def _write_features(
    audio: RowFile, values: RowFile, front_end: FrontEndSettings, batch: tuple[int, int]
) -> list[list[float]]:
    """Write the features of a batch (first row, rows), and return their minima and maxima, (B, 2).

    As numbers of Python: a small tensor that outlives the large ones of its batch keeps the allocator from using their
    memory again (6 GB for 13,100 clips, measured).
    """
    found = features(torch.from_numpy(audio.read(*batch)), front_end)
    values.write(batch[0], found.numpy())
    return ranges_of(found).tolist()


@contextmanager
def one_thread() -> Iterator[None]:
    """Let PyTorch compute with one thread, here and in processes forked here: a batch is too small for several."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
