"""What a front end makes of the utterances that are judged, computed by several processes; see `audio.utterances`."""

import logging
from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np

from vocoder_pareto.audio.clips import load_clip
from vocoder_pareto.audio.dataset import Clip, clips_of, read_clip_table
from vocoder_pareto.audio.files import BadAudio
from vocoder_pareto.audio.mels import normalized_features, one_thread, range_of_dataset
from vocoder_pareto.audio.utterances import Utterance, write_utterances
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.study.sections.dataset import Channels, DatasetSettings
from vocoder_pareto.study.sections.evaluation import LEAST_SECONDS
from vocoder_pareto.study.sections.front_ends import FrontEndSettings

_FAULTS_SHOWN = 10

log = logging.getLogger(__name__)


def prepare_utterances(
    corpus: str | Path,
    clip_table: str | Path,
    mel_stats: str | Path,
    settings: DatasetSettings,
    front_end: FrontEndSettings,
    *,
    max_clips: int | None,
    max_seconds: float | None,
    processes: int,
    table: str | Path,
    mels: str | Path,
) -> None:
    """Write what a front end makes of the first `max_clips` utterances of the test set (all, if None).

    Args:
        corpus: The folder of the recordings.
        clip_table: The table of clips, clips.csv, which tells the test set.
        mel_stats: mel_stats.json of the same front end, whose range counts where a dataset is normalised as a whole.
        settings: The settings of the dataset.
        front_end: The settings that mel-spectrograms are computed by.
        max_clips: The number of utterances, at least 1; None for all.
        max_seconds: The longest stretch of a recording that is judged, in seconds; None for whole recordings.
        processes: The number of processes that read and compute at once, at least 1.
        table: utterances.csv to write.
        mels: mels.npy to write, (frames of all, bands) float32.

    Raises:
        UserError: An input is missing or damaged; a recording is bad or too short to be judged, and `on_bad_clip` is
            `error`; none is left; an output cannot be written.
    """
    tests = clips_of(read_clip_table(clip_table), "test", max_clips)
    if not tests:
        raise UserError(f"{clip_table}: no clip of the test set; enlarge the corpus")
    analyse = partial(_analysed, Path(corpus), settings.channels, front_end, max_seconds, range_of_dataset(mel_stats))
    with one_thread(), written_whole(mels) as temporary:
        outcomes = map_in_processes(analyse, tests, processes, "Preparing utterances", chunk_size=4, unit="utterance")
        with temporary.open("wb") as file:
            good, faults = _appended(file, front_end.bands, outcomes)
        if faults and (settings.on_bad_clip == "error" or not good):
            raise UserError(_described(faults, len(tests)))
        write_utterances(table, good)
    for fault in faults:
        log.warning("Evaluation: %s, so it is not judged", fault)


class _Outcome(NamedTuple):
    utterance: Utterance
    mel: np.ndarray | None = None
    fault: str = ""


def _analysed(
    corpus: Path,
    channels: Channels,
    front_end: FrontEndSettings,
    max_seconds: float | None,
    whole_range: tuple[float, float],
    clip: Clip,
) -> _Outcome:
    """The mel-spectrogram of what is judged of a recording, or what is wrong with the recording."""
    seconds = clip.duration_seconds if max_seconds is None else min(clip.duration_seconds, max_seconds)
    samples = front_end.clip_samples(seconds)
    frames = samples // front_end.hop_length
    utterance = Utterance(clip.clip_id, clip.source, clip.row, seconds, 0, frames, (0.0, 1.0))
    path = corpus / clip.source
    if seconds < LEAST_SECONDS:
        return _Outcome(utterance, fault=f"{path}: lasts {seconds:g} s, too short to be judged ({LEAST_SECONDS:g} s)")
    try:
        audio = load_clip(path, front_end.sample_rate, samples, channels=channels).samples
    except BadAudio as error:
        return _Outcome(utterance, fault=str(error))
    mel, value_range = normalized_features(audio, front_end, whole_range)
    return _Outcome(replace(utterance, value_range=value_range), mel)


def _appended(file: BinaryIO, bands: int, outcomes: Iterable[_Outcome]) -> tuple[list[Utterance], list[str]]:
    """Write the mel-spectrograms of `outcomes` as an array (frames of all, bands); the utterances, and the faults."""
    good, faults, frames = [], [], 0
    _write_header(file, frames, bands)
    for outcome in outcomes:
        if outcome.mel is None:
            faults.append(outcome.fault)
            continue
        file.write(np.ascontiguousarray(outcome.mel.T, dtype="<f4").data)
        good.append(replace(outcome.utterance, first_frame=frames))
        frames += outcome.utterance.frames
    file.seek(0)
    _write_header(file, frames, bands)
    return good, faults


def _write_header(file: BinaryIO, frames: int, bands: int) -> None:
    """The header of an .npy file, which is as long for any number of rows: NumPy leaves room for them to grow."""
    np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": (frames, bands)})


def _described(faults: Sequence[str], of: int) -> str:
    more = [f"and {len(faults) - _FAULTS_SHOWN} more"] if len(faults) > _FAULTS_SHOWN else []
    return (
        f"{len(faults)} of {of} recordings of the test set cannot be judged: "
        f"{'; '.join([*faults[:_FAULTS_SHOWN], *more])}. Restore or remove what is wrong, or leave it out with "
        "dataset.on_bad_clip: skip"
    )
