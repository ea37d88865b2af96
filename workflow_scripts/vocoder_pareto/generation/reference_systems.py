"""The reference systems: the recordings themselves, and what classical methods make of them.

Griffin-Lim inverts their mel-spectrograms; WORLD analyses and synthesises the recordings.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.clips import load_clip
from vocoder_pareto.audio.dataset import RowFile
from vocoder_pareto.audio.manifest import write_audio_set
from vocoder_pareto.audio.utterances import Utterance, open_mels, read_utterances
from vocoder_pareto.generation.seeds import clip_seed
from vocoder_pareto.parallel import map_in_processes
from vocoder_pareto.study.sections.dataset import Channels
from vocoder_pareto.study.sections.front_ends import FrontEndSettings


def write_ground_truth(
    corpus: str | Path, table: str | Path, manifest: str | Path, compared_rate: int, channels: Channels = "mix"
) -> None:
    """Write what is judged of the recordings of the test set as wavs, and their manifest.

    They are read anew, and not taken from the clips of a front end: so they have been resampled once at most.

    Args:
        corpus: The folder of the recordings.
        table: The table of utterances, utterances.csv.
        manifest: manifest.csv to write, with the wavs beside it.
        compared_rate: The sample rate of the wavs.
        channels: What to do with a recording of several channels, see `read_audio`.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    utterances = read_utterances(table)
    audio = (_recording(Path(corpus), compared_rate, channels, utterance) for utterance in utterances)
    _write_recordings(manifest, utterances, audio, compared_rate)


def write_world(
    corpus: str | Path,
    table: str | Path,
    manifest: str | Path,
    compared_rate: int,
    channels: Channels = "mix",
    processes: int = 1,
) -> None:
    """Write what WORLD makes of the wavs that `write_ground_truth` writes with the same arguments, and their manifest.

    Args:
        corpus, table, manifest, compared_rate, channels: See `write_ground_truth`.
        processes: The number of processes that work at once, at least 1.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    utterances = read_utterances(table)
    work = partial(_resynthesised, Path(corpus), compared_rate, channels)
    audio: Iterator[np.ndarray] = map_in_processes(
        work, utterances, processes, "Resynthesising by WORLD", chunk_size=1, start_method="spawn", unit="utterance"
    )
    _write_recordings(manifest, utterances, audio, compared_rate)


def write_griffin_lim(
    mels: str | Path,
    table: str | Path,
    manifest: str | Path,
    front_end: FrontEndSettings,
    compared_rate: int,
    *,
    iterations: int,
    seed: int,
    processes: int,
) -> None:
    """Write the utterances that are judged, inverted from their mel-spectrograms, and their manifest.

    Args:
        mels: The mel-spectrograms of the utterances, mels.npy of `prepare_utterances`.
        table: Their table, utterances.csv, which tells the ranges that they were normalised from.
        manifest: manifest.csv to write, with the wavs beside it.
        front_end: The settings that the spectrograms were computed by.
        compared_rate: The sample rate of the wavs.
        iterations: The number of iterations of each phase reconstruction, at least 1.
        seed: The seed of the study, at least 0, from which each utterance's seed is derived.
        processes: The number of processes that invert at once, at least 1.

    Raises:
        UserError: An input is missing or damaged, or an output cannot be written.
    """
    utterances = read_utterances(table)
    open_mels(mels, utterances, front_end.bands)
    seeds = [clip_seed(seed, utterance.row) for utterance in utterances]
    invert = partial(_invert, RowFile.of(mels), front_end, iterations)
    audio: Iterator[np.ndarray] = map_in_processes(
        invert,
        list(zip(utterances, seeds, strict=True)),
        processes,
        "Inverting by Griffin-Lim",
        chunk_size=1,
        start_method="spawn",
        unit="utterance",
    )
    clip_ids = [utterance.clip_id for utterance in utterances]
    comparisons = [utterance.compared_at(compared_rate) for utterance in utterances]
    write_audio_set(manifest, clip_ids, audio, front_end.sample_rate, seeds, comparisons=comparisons)


def _invert(mels: RowFile, front_end: FrontEndSettings, iterations: int, item: tuple[Utterance, int]) -> np.ndarray:
    from vocoder_pareto.generation.griffin_lim import invert_mel  # librosa takes seconds, and ground truth needs none

    utterance, seed = item
    mel = mels.read(utterance.first_frame, utterance.frames).T  # (M, L)
    return invert_mel(mel, np.asarray(utterance.value_range, np.float32), front_end, iterations, seed)


def _write_recordings(
    manifest: str | Path, utterances: Sequence[Utterance], audio: Iterator[np.ndarray], compared_rate: int
) -> None:
    clip_ids = [utterance.clip_id for utterance in utterances]
    write_audio_set(manifest, clip_ids, audio, compared_rate, [None] * len(utterances))


def _recording(corpus: Path, compared_rate: int, channels: Channels, utterance: Utterance) -> np.ndarray:
    samples = utterance.compared_at(compared_rate).samples_at(compared_rate)
    return load_clip(corpus / utterance.source, compared_rate, samples, channels=channels).samples


def _resynthesised(corpus: Path, compared_rate: int, channels: Channels, utterance: Utterance) -> np.ndarray:
    from vocoder_pareto.generation.world import resynthesised  # ground truth needs no WORLD

    return resynthesised(_recording(corpus, compared_rate, channels, utterance), compared_rate)
