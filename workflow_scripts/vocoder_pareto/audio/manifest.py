"""A folder of generated audio: a wav per clip, and manifest.csv, which is written last and vouches for all of them.

The wavs are at the rate that all systems are compared at. Audio that was made at another rate lies beside them, in the
folder `original`.

Their sizes are recorded beside it, see `study.companions`.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np

from vocoder_pareto.audio.comparison import Comparison
from vocoder_pareto.audio.files import write_wav
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.companions import forget_companions, record_companions
from vocoder_pareto.tables.csv_files import read_csv, write_csv

ORIGINAL = "original"  # the folder of what was made at another rate


@dataclass(frozen=True)
class AudioEntry:
    """A row of manifest.csv.

    Attributes:
        clip_id: The clip of the test set.
        file: The name of the wav, which lies beside the manifest.
        duration_seconds: The duration of the wav.
        sample_rate: The number of samples per second.
        seed: The seed of the clip's noise, 0 to 2^32 − 1; None for recordings.
        training_steps: The training steps of the checkpoint, so that the audio of a briefly trained model tells so;
            None for references.
        clipped_samples: How many samples were outside [-1, 1].
        original_file: The name of the wav at the rate that it was made at, which is `file` itself where no other is.
        original_sample_rate: The number of samples per second of that wav.
    """

    clip_id: str
    file: str
    duration_seconds: float
    sample_rate: int
    seed: int | None
    training_steps: int | None
    clipped_samples: int
    original_file: str
    original_sample_rate: int


def write_audio_set(
    manifest: str | Path,
    clip_ids: Sequence[str],
    audio: Iterable[np.ndarray],
    sample_rate: int,
    seeds: Sequence[int | None],
    training_steps: int | None = None,
    comparisons: Sequence[Comparison] | None = None,
) -> list[AudioEntry]:
    """Write a wav for each clip beside the manifest, then the manifest itself, and return its rows.

    The manifest and the wavs that lay there before are removed first.

    Args:
        manifest: manifest.csv to write.
        clip_ids: The clips.
        audio: The samples of each clip, (T,), in the order of `clip_ids`.
        sample_rate: The number of samples per second of `audio`.
        seeds: The seed of each clip's noise; None for recordings.
        training_steps: The training steps of the checkpoint; None for references.
        comparisons: The rate and the stretch of time of each clip's wav; None leaves both as they are.

    Raises:
        UserError: The folder cannot be written.
        ValueError: There are not as many clips, samples and seeds.
    """
    manifest = Path(manifest)
    try:
        manifest.unlink(missing_ok=True)
        forget_companions(manifest)
        for old in (*manifest.parent.glob("*.wav"), *manifest.parent.glob(f"{ORIGINAL}/*.wav")):
            old.unlink()
    except OSError as error:
        raise UserError(f"{manifest.parent}: cannot be cleared ({error.strerror}); mend its permissions") from error
    entries = []
    each: Sequence[Comparison | None] = comparisons or [None] * len(clip_ids)
    for clip_id, seed, comparison, samples in zip(clip_ids, seeds, each, audio, strict=True):
        rate = comparison.sample_rate if comparison else sample_rate
        name = original = f"{clip_id}.wav"
        if rate != sample_rate and comparison:
            original = f"{ORIGINAL}/{name}"
            write_wav(manifest.parent / original, comparison.stretch_of(samples, sample_rate), sample_rate)
        compared = comparison.compared(samples, sample_rate) if comparison else samples
        clipped = write_wav(manifest.parent / name, compared, rate)
        seconds = len(compared) / rate
        entries.append(AudioEntry(clip_id, name, seconds, rate, seed, training_steps, clipped, original, sample_rate))
    written = dict.fromkeys(file for entry in entries for file in (entry.file, entry.original_file))
    record_companions(manifest, [manifest.parent / file for file in written])
    names = [field.name for field in fields(AudioEntry)]
    write_csv(manifest, names, ([getattr(entry, name) for name in names] for entry in entries))
    return entries


def read_manifest(manifest: str | Path) -> list[AudioEntry]:
    """All rows of a manifest; the audio of an entry lies at `Path(manifest).parent / entry.file`.

    Raises:
        UserError: The manifest is missing or damaged, or names a file outside its folder.
    """
    mend = "delete it and rerun the rule that makes it (generate_audio, generate_reference)"
    if not Path(manifest).exists():
        raise UserError(f"{manifest}: no such file; run the rule generate_audio or generate_reference")
    try:
        entries = [_parsed(row) for row in read_csv(manifest).records()]
    except (UserError, KeyError, ValueError) as error:
        raise UserError(f"{manifest}: damaged ({error}); {mend}") from error
    if not entries or any(not re.fullmatch(r"[^/\\\0]+\.wav", entry.file) for entry in entries):
        raise UserError(f"{manifest}: damaged (no rows, or a file outside its folder); {mend}")
    return entries


def _parsed(row: dict[str, str]) -> AudioEntry:
    return AudioEntry(
        clip_id=row["clip_id"],
        file=row["file"],
        duration_seconds=float(row["duration_seconds"]),
        sample_rate=int(row["sample_rate"]),
        seed=int(row["seed"]) if row["seed"] else None,
        training_steps=int(row["training_steps"]) if row["training_steps"] else None,
        clipped_samples=int(row["clipped_samples"]),
        original_file=row.get("original_file") or row["file"],  # earlier versions had one rate and no such column
        original_sample_rate=int(row.get("original_sample_rate") or row["sample_rate"]),
    )
