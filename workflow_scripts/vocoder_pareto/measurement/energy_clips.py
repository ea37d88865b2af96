"""The clips that energy is measured with: real speech of the test set, whatever of it is judged.

Utterances of the test set follow each other, whole and in their order, and are cut into clips of the length that the
protocol asks for. So a clip of 10 s holds 10 s of speech, of one utterance or of several, and no second comes twice
before the whole test set was heard.
"""

import logging
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.clips import load_clip
from vocoder_pareto.audio.comparison import Comparison
from vocoder_pareto.audio.dataset import clips_of, read_clip_table
from vocoder_pareto.audio.files import BadAudio
from vocoder_pareto.audio.mels import normalized_features, one_thread, range_of_dataset
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.measurement.clip_files import frames_of
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import FrontEndSettings

log = logging.getLogger(__name__)


def cut_energy_clips(
    corpus: str | Path,
    clip_table: str | Path,
    mel_stats: str | Path,
    settings: DatasetSettings,
    front_end: FrontEndSettings,
    *,
    clip_count: int,
    clip_seconds: float,
    clips: str | Path,
    mels: str | Path,
    mel_ranges: str | Path,
) -> None:
    """Write the clips of the energy protocol, and what a front end makes of them.

    Args:
        corpus: The folder of the recordings.
        clip_table: The table of clips, clips.csv, which tells the test set.
        mel_stats: mel_stats.json of the same front end, see `range_of_dataset`.
        settings: The settings of the dataset.
        front_end: The settings that mel-spectrograms are computed by.
        clip_count: The number of clips, N, at least 1.
        clip_seconds: The length of each, of whole frames, see `frames_of`.
        clips: clips.npy to write, (N, samples) float32.
        mels: mels.npy to write, (N, bands, frames) float32, normalised.
        mel_ranges: mel_ranges.npy to write, (N, 2) float32: what became 0 and 1 in each clip.

    Raises:
        UserError: An input is missing or damaged; a recording is bad and `on_bad_clip` is `error`; there is no test
            set; an output cannot be written.
    """
    samples = frames_of(clip_seconds, front_end.sample_rate, front_end.hop_length) * front_end.hop_length
    audio = _material(Path(corpus), clip_table, settings, front_end.sample_rate, clip_count * samples)
    cut = audio.reshape(clip_count, samples)
    whole_range = range_of_dataset(mel_stats)
    with one_thread():
        found = [normalized_features(clip, front_end, whole_range) for clip in cut]
    _save(clips, cut)
    _save(mels, np.stack([mel for mel, _ in found]))
    _save(mel_ranges, np.array([value_range for _, value_range in found], np.float32))


def _material(
    corpus: Path, clip_table: str | Path, settings: DatasetSettings, sample_rate: int, samples: int
) -> np.ndarray:
    """The first `samples` of the utterances of the test set, end to end, from the beginning again where they end."""
    heard: list[np.ndarray] = []
    for clip in clips_of(read_clip_table(clip_table), "test"):
        whole = Comparison(sample_rate, clip.duration_seconds).samples_at(sample_rate)
        try:
            heard.append(load_clip(corpus / clip.source, sample_rate, whole, channels=settings.channels).samples)
        except BadAudio as error:
            if settings.on_bad_clip == "error":
                raise
            log.warning("Energy: %s, so it is left out", error)
        if sum(map(len, heard)) >= samples:
            break
    else:
        if not heard:
            raise UserError(f"{clip_table}: no recording of the test set can be used; enlarge the corpus")
        log.warning(
            "Energy: the test set has %.1f s of speech, and the protocol asks for %.1f s, so it is heard again",
            sum(map(len, heard)) / sample_rate, samples / sample_rate,
        )  # fmt: skip
    return np.resize(np.concatenate(heard), samples)


def _save(path: str | Path, array: np.ndarray) -> None:
    with written_whole(path) as temporary, temporary.open("wb") as file:
        np.save(file, array)
