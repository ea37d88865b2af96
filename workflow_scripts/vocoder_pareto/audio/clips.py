"""From recordings to clips: resampled, cut to equal length, checked, and split into training and test."""

import hashlib
import logging
import math
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import soxr

from vocoder_pareto.audio.corpora import SourceFile, expected_sample_rate, list_corpus
from vocoder_pareto.audio.corpus_location import LeftOut, left_out_below
from vocoder_pareto.audio.dataset import Clip, RowFile, Split, write_clip_table
from vocoder_pareto.audio.dataset_summary import DatasetSummary, LittleSound
from vocoder_pareto.audio.files import BadAudio, read_audio
from vocoder_pareto.audio.sound import little_sound
from vocoder_pareto.audio.split import chosen_test_set, split_name
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.study.sections.dataset import Channels, DatasetSettings
from vocoder_pareto.tables.csv_files import write_csv

# Frames read beyond those that a clip needs, for the resampler's filter. Resampling the whole file gives the same
# samples, exactly up to 48 kHz and within 4e-6 up to 384 kHz (measured); with none they differ by up to 0.3.
RESAMPLING_MARGIN = 2048
_FAULTS_SHOWN = 10
_UNREADABLE = "is in a format that libsndfile does not read; convert it to FLAC"

log = logging.getLogger(__name__)


class LoadedClip(NamedTuple):
    """The beginning of a recording.

    Attributes:
        samples: The clip, (clip_samples,) float32.
        duration_seconds: The duration of the whole recording.
        channels: How many channels the recording has.
    """

    samples: np.ndarray
    duration_seconds: float
    channels: int


def load_clip(
    path: str | Path,
    sample_rate: int,
    clip_samples: int,
    expected_rate: int | None = None,
    channels: Channels = "error",
) -> LoadedClip:
    """The beginning of a recording as a clip.

    Equal to the beginning of `librosa.load(path, sr=sample_rate)`; zeros follow where the recording is shorter.

    Args:
        path: The recording.
        sample_rate: The sample rate of the clip, in Hz.
        clip_samples: The number of samples of the clip, at least 1.
        expected_rate: The sample rate that the recording must have, in Hz; None for any.
        channels: What to do with a recording of several channels, see `read_audio`.

    Raises:
        BadAudio: The recording cannot be used, see `read_audio`, or its sample rate is not `expected_rate`.
    """
    recording = read_audio(path, partial(_frames_needed, sample_rate, clip_samples), channels)
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
    return LoadedClip(clip, recording.duration_seconds, recording.channels)


def prepare_clips(
    folder: str | Path,
    settings: DatasetSettings,
    *,
    sample_rate: int,
    clip_samples: int,
    seed: int,
    processes: int,
    clips: str | Path,
    table: str | Path,
    skipped: str | Path,
    summary: str | Path,
    test_list: Path | None = None,
) -> None:
    """Cut the clips of a dataset. All recordings are read and checked before a file appears.

    The clips for training come first, in sorted order, then those of the test set, in the order of their use.

    Args:
        folder: The folder of the corpus.
        settings: The settings of the dataset.
        sample_rate: The sample rate of the clips, in Hz.
        clip_samples: The number of samples of a clip, at least 1.
        seed: The seed of a random split.
        processes: The number of processes that read and resample, at least 1.
        clips: clips.npy to write, (N, clip_samples) float32.
        table: clips.csv to write, N rows.
        skipped: skipped.csv to write, with the columns file and reason.
        summary: dataset_summary.json to write, see `DatasetSummary`.
        test_list: The file that names the test set; None for that of `settings`.

    Raises:
        UserError: A recording is bad and `on_bad_clip` is `error`; fewer than two are good; a list of the test set does
            not fit; a file cannot be written.
    """
    files = list_corpus(settings.source, folder, settings.clips)
    with written_whole(clips) as temporary:
        array = RowFile.allocate(temporary, (len(files), clip_samples))
        load = partial(
            load_clip,
            sample_rate=sample_rate,
            clip_samples=clip_samples,
            expected_rate=expected_sample_rate(settings.source),
            channels=settings.channels,
        )
        convert = partial(_convert, Path(folder), load, array, sample_rate)
        outcomes = list(map_in_processes(convert, list(enumerate(files)), processes, "Preparing clips", 128))
        bad = [outcome for outcome in outcomes if outcome.fault]
        if bad and settings.on_bad_clip == "error":
            raise UserError(_described(bad))
        good = {files[outcome.row]: outcome for outcome in outcomes if not outcome.fault}
        if len(good) < 2:
            raise UserError(f"{folder}: fewer than two usable recordings are left. {_described(bad)}")
        test = chosen_test_set(files, good, settings, test_list, seed)
        tested = set(test)
        training = [file for file in good if file not in tested]
        rows = [good[file].row for file in (*training, *test)]
        if rows != list(range(len(files))):
            _take_rows(temporary, rows)
        left_out = left_out_below(folder) if settings.source == "folder" else LeftOut()
        found = _summary(folder, settings, bad, good, test, left_out)
        found.write(summary)
        _write_skipped(skipped, bad, [str(Path(folder) / name) for name in left_out.unreadable])
        write_clip_table(table, _table(training, test, good))
    for remark in found.remarks():
        log.log(logging.WARNING if remark.kind == "warning" else logging.INFO, "Dataset: %s.", remark.text)


class _Outcome(NamedTuple):
    row: int
    duration_seconds: float
    channels: int = 1
    little_sound: LittleSound | None = None
    digest: bytes = b""
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
    load: Callable[[Path], LoadedClip],
    array: RowFile,
    sample_rate: int,
    item: tuple[int, SourceFile],
) -> _Outcome:
    """Write the clip of one recording into its row of `array`, or tell what is wrong with it."""
    row, file = item
    try:
        clip = load(folder / file.name)
    except BadAudio as error:
        return _Outcome(row, math.nan, path=error.path, fault=error.reason)
    array.write(row, clip.samples[None])
    digest = hashlib.blake2b(clip.samples.tobytes(), digest_size=16).digest()
    return _Outcome(row, clip.duration_seconds, clip.channels, little_sound(clip.samples, sample_rate), digest)


def _take_rows(path: Path, rows: Sequence[int]) -> None:
    """Replace the array in `path` by `rows` of it, in their order."""
    everything = RowFile.of(path)
    with written_whole(path) as temporary:
        taken = RowFile.allocate(temporary, (len(rows), *everything.row_shape))
        for new, row in enumerate(rows):
            taken.write(new, everything.read(row, 1))


def _table(
    training: Iterable[SourceFile], test: Iterable[SourceFile], good: Mapping[SourceFile, _Outcome]
) -> list[Clip]:
    split: list[tuple[SourceFile, Split]] = [(file, "train") for file in training]
    split += [(file, "test") for file in test]
    return [
        Clip(row, file.clip_id, file.name, good[file].duration_seconds, part) for row, (file, part) in enumerate(split)
    ]


def _summary(
    folder: str | Path,
    settings: DatasetSettings,
    bad: Sequence[_Outcome],
    good: Mapping[SourceFile, _Outcome],
    test: Sequence[SourceFile],
    left_out: LeftOut,
) -> DatasetSummary:
    missing_shares = [max(0.0, 1 - outcome.duration_seconds / settings.clip_seconds) for outcome in good.values()]
    return DatasetSummary(
        recordings=len(list_corpus(settings.source, folder)),
        used=len(bad) + len(good),
        train=len(good) - len(test),
        test=len(test),
        split=split_name(settings),
        skipped=len(bad),
        unreadable=dict(sorted(Counter(Path(name).suffix.lower() for name in left_out.unreadable).items())),
        other_files=left_out.others,
        several_channels=sum(outcome.channels > 1 for outcome in good.values()),
        channels=settings.channels,
        padding_share=sum(missing_shares) / len(missing_shares),
        little_sound={file.clip_id: each.little_sound for file, each in good.items() if each.little_sound},
        little_sound_of_test=sum(good[file].little_sound is not None for file in test),
        trained_on=_trained_on(good, test),
    )


def _trained_on(good: Mapping[SourceFile, _Outcome], test: Sequence[SourceFile]) -> dict[str, str]:
    """The clips of the test set that equal one for training; silence equals silence, and does not count."""
    training = good.keys() - set(test)
    heard = {good[file].digest: file.clip_id for file in sorted(training, key=lambda file: file.clip_id, reverse=True)}
    with_sound = [file for file in test if good[file].little_sound is None]
    return {file.clip_id: heard[good[file].digest] for file in with_sound if good[file].digest in heard}


def _write_skipped(path: str | Path, bad: Iterable[_Outcome], unreadable: Iterable[str]) -> None:
    rows = [(outcome.path, outcome.fault) for outcome in bad]
    write_csv(path, ("file", "reason"), [*rows, *((name, _UNREADABLE) for name in unreadable)])


def _described(bad: Sequence[_Outcome]) -> str:
    shown = [f"{outcome.path}: {outcome.fault}" for outcome in bad[:_FAULTS_SHOWN]]
    if len(bad) > _FAULTS_SHOWN:
        shown.append(f"and {len(bad) - _FAULTS_SHOWN} more")
    mend = "Restore or remove what is wrong, or leave it out with dataset.on_bad_clip: skip"
    return f"{len(bad)} of the recordings cannot be used: {'; '.join(shown)}. {mend}"
