"""From recordings to clips: resampled, cut to equal length, checked, and split into training and test."""

import csv
import math
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from vocoder_pareto.audio.corpora import SourceFile, expected_sample_rate, list_corpus
from vocoder_pareto.audio.dataset import Clip, RowFile, write_clip_table
from vocoder_pareto.audio.files import BadAudio, read_audio
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.study.sections.dataset import DatasetSettings

# Frames read beyond those that a clip needs, for the resampler's filter. Resampling the whole file gives the same
# samples, exactly up to 48 kHz and within 4e-6 up to 384 kHz (measured); with none they differ by up to 0.3.
RESAMPLING_MARGIN = 2048
_FAULTS_SHOWN = 10


def load_clip(
    path: str | Path, sample_rate: int, clip_samples: int, expected_rate: int | None = None
) -> tuple[np.ndarray, float]:
    """The beginning of a recording as a clip (clip_samples,) float32, and the seconds of the whole recording.

    Equal to the beginning of `librosa.load(path, sr=sample_rate)`; zeros follow where the recording is shorter.

    Args:
        path: The recording, WAV or FLAC.
        sample_rate: The sample rate of the clip, in Hz.
        clip_samples: The number of samples of the clip, at least 1.
        expected_rate: The sample rate that the recording must have, in Hz; None for any.

    Raises:
        BadAudio: The recording cannot be used, see `read_audio`, or its sample rate is not `expected_rate`.
    """
    recording = read_audio(path, partial(_frames_needed, sample_rate, clip_samples))
    if expected_rate not in (None, recording.sample_rate):
        raise BadAudio(path, f"has {recording.sample_rate} Hz, expected {expected_rate} Hz")
    samples = recording.samples
    if recording.sample_rate != sample_rate:
        resampler = _resampler(recording.sample_rate, sample_rate, threading.get_ident())
        resampler.clear()
        samples = resampler.resample_chunk(samples, last=True)
    clip = np.zeros(clip_samples, dtype=np.float32)
    kept = samples[:clip_samples]
    clip[: len(kept)] = kept
    return clip, recording.duration_seconds


def prepare_clips(
    folder: str | Path,
    settings: DatasetSettings,
    *,
    sample_rate: int,
    clip_samples: int,
    processes: int,
    clips: str | Path,
    table: str | Path,
    skipped: str | Path,
) -> None:
    """Cut the clips of a dataset. All recordings are read and checked before a file appears.

    Args:
        folder: The folder of the corpus.
        settings: The settings of the dataset.
        sample_rate: The sample rate of the clips, in Hz.
        clip_samples: The number of samples of a clip, at least 1.
        processes: The number of processes that read and resample, at least 1.
        clips: clips.npy to write, (N, clip_samples) float32 in [-1, 1].
        table: clips.csv to write, N rows.
        skipped: skipped.csv to write, with the columns file and reason.

    Raises:
        UserError: A recording is bad and `on_bad_clip` is `error`; fewer than two are good; a file cannot be written.
    """
    files = list_corpus(settings.source, folder, settings.clips)
    with written_whole(clips) as temporary:
        array = RowFile.allocate(temporary, (len(files), clip_samples))
        load = partial(
            load_clip,
            sample_rate=sample_rate,
            clip_samples=clip_samples,
            expected_rate=expected_sample_rate(settings.source),
        )
        convert = partial(_convert, Path(folder), load, array)
        outcomes = list(map_in_processes(convert, list(enumerate(files)), processes, "Preparing clips", 128))
        bad = [outcome for outcome in outcomes if outcome.fault]
        if bad and settings.on_bad_clip == "error":
            raise UserError(_described(bad))
        good = [outcome for outcome in outcomes if not outcome.fault]
        if len(good) < 2:
            raise UserError(f"{folder}: fewer than two usable recordings are left. {_described(bad)}")
        if bad:
            _keep_rows(temporary, [outcome.row for outcome in good])
        _write_skipped(skipped, bad)
        write_clip_table(table, _split(files, good, settings.test_share))


def size_of_test_set(clips: int, test_share: float) -> int:
    """How many of `clips` are the test set: the rounded share, but at least one, with at least one left to train on."""
    return min(max(round(clips * test_share), 1), clips - 1)


class _Outcome(NamedTuple):
    row: int
    duration_seconds: float
    path: str = ""
    fault: str = ""


@cache
def _resampler(source_rate: int, sample_rate: int, thread: int) -> soxr.ResampleStream:
    """A resampler to use again, since designing its filter takes a third of the time; one for each `thread`.

    The quality is the one of `librosa.load`.
    """
    return soxr.ResampleStream(source_rate, sample_rate, 1, dtype="float32", quality="HQ")


def _frames_needed(sample_rate: int, clip_samples: int, source_rate: int) -> int:
    return math.ceil(clip_samples * source_rate / sample_rate) + RESAMPLING_MARGIN


def _convert(
    folder: Path,
    load: Callable[[Path], tuple[np.ndarray, float]],
    array: RowFile,
    item: tuple[int, SourceFile],
) -> _Outcome:
    """Write the clip of one recording into its row of `array`, or tell what is wrong with it."""
    row, file = item
    try:
        clip, duration_seconds = load(folder / file.name)
    except BadAudio as error:
        return _Outcome(row, math.nan, error.path, error.reason)
    array.write(row, clip[None])
    return _Outcome(row, duration_seconds)


def _keep_rows(path: Path, rows: Sequence[int]) -> None:
    """Reduce the array in `path` to `rows`."""
    everything = np.load(path, mmap_mode="r")
    with written_whole(path) as temporary:
        kept = RowFile.allocate(temporary, (len(rows), everything.shape[1]))
        for new, row in enumerate(rows):
            kept.write(new, everything[row : row + 1])


def _split(files: Sequence[SourceFile], good: Sequence[_Outcome], test_share: float) -> list[Clip]:
    first_test = len(good) - size_of_test_set(len(good), test_share)
    return [
        Clip(
            row=row,
            clip_id=files[outcome.row].clip_id,
            source=files[outcome.row].name,
            duration_seconds=outcome.duration_seconds,
            split="test" if row >= first_test else "train",
        )
        for row, outcome in enumerate(good)
    ]


def _write_skipped(path: str | Path, bad: Iterable[_Outcome]) -> None:
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("file", "reason"))
        writer.writerows((outcome.path, outcome.fault) for outcome in bad)


def _described(bad: Sequence[_Outcome]) -> str:
    shown = [f"{outcome.path}: {outcome.fault}" for outcome in bad[:_FAULTS_SHOWN]]
    if len(bad) > _FAULTS_SHOWN:
        shown.append(f"and {len(bad) - _FAULTS_SHOWN} more")
    mend = "Restore or remove what is wrong, or leave it out with dataset.on_bad_clip: skip"
    return f"{len(bad)} of the recordings cannot be used: {'; '.join(shown)}. {mend}"
