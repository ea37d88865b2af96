"""The audio of the report page: equally loud, with pictures of the spectrograms, and what to know of it."""

from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from vocoder_pareto.analysis.spectrograms import save_spectrogram
from vocoder_pareto.analysis.untrained import not_judged
from vocoder_pareto.audio.files import read_audio, write_wav
from vocoder_pareto.audio.loudness import levelled
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.listening_test import LoudnessSettings
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS
from vocoder_pareto.tables.csv_tables import read_table
from vocoder_pareto.units import SECONDS_PER_HOUR

FINISHED_TRAINING_HOURS = 24.0
COLLAPSED = "generator_collapse"


def write_clips(manifest: Path, folder: Path, limit: int, loudness: LoudnessSettings) -> dict[str, dict[str, str]]:
    """Write the first `limit` clips of a system below `audio/`, levelled, and their spectrograms below `pictures/`.

    The spectrograms are those of the audio as it was generated: they show its own level.

    Args:
        manifest: `generated/{system}/manifest.csv`.
        folder: that of the page.
        limit: number of clips.
        loudness: how loud they become.

    Returns:
        The files `sound` and `picture` of each clip, relative to `folder`.

    Raises:
        UserError: a file is missing or damaged, or the manifest has no clip.
    """
    system = manifest.parent.name
    entries = read_table(manifest, {"clip_id": "text", "file": "text"})
    if entries.empty:
        raise UserError(f"{manifest}: lists no clip; rerun the rule that generates {system}")
    clips = {}
    for clip_id, file in entries.head(limit).itertuples(index=False):
        sound, picture = f"audio/{system}/{file}", f"pictures/{system}/{Path(file).stem}.png"
        (folder / sound).parent.mkdir(parents=True, exist_ok=True)
        audio = read_audio(manifest.parent / file)
        equally_loud = levelled(audio.samples, audio.sample_rate, loudness)
        write_wav(folder / sound, equally_loud.samples, audio.sample_rate)
        save_spectrogram(audio.samples, folder / picture)
        clips[clip_id] = {"sound": sound, "picture": picture}
    return clips


def _judged(systems: pd.DataFrame) -> pd.DataFrame:
    return systems[~systems["system"].isin(REFERENCE_SYSTEMS) & ~not_judged(systems)]


def briefly_trained(systems: pd.DataFrame) -> pd.Series:
    """Which of the judged systems are known to have been trained for less than a day: not what they can do."""
    trained = _judged(systems)
    return trained["training_seconds"] < FINISHED_TRAINING_HOURS * SECONDS_PER_HOUR


def audio_note(systems: pd.DataFrame, loudness: LoudnessSettings) -> str:
    """What a reader must know before listening."""
    clips = (
        "Utterances of the test set: the recording, and what each system makes of its mel-spectrogram (WORLD: of the "
        f"recording). All are played equally loud ({loudness.target_lufs:g} LUFS, as far as peaks allow); the "
        "spectrograms show their own levels."
    )
    if _judged(systems).empty:
        return f"{clips} No system was trained for long enough, so there is audio of the references alone."
    steps = _judged(systems)["training_steps"].dropna()
    if not briefly_trained(systems).any() or steps.empty:
        return clips
    fewest, most = int(steps.min()), int(steps.max())
    return (
        f"{clips} The models were trained for "
        f"{fewest if fewest == most else f'{fewest} to {most}'} steps only, so this audio shows that the workflow runs "
        "and says nothing about the quality of the architectures; published scores are those of finished models."
    )


def training_note(row: Mapping[Hashable, Any], flags: Mapping[str, Sequence[str]]) -> str:
    """What is known of the training of a system, a row of `systems.csv`, in a sentence or two."""
    if row["system"] in REFERENCE_SYSTEMS:
        return "Reference, not trained."
    if pd.isna(row["training_steps"]):
        return "Training unknown."
    seconds = 0.0 if pd.isna(row["training_seconds"]) else row["training_seconds"]
    length = f"{seconds / SECONDS_PER_HOUR:.1f} h" if seconds >= SECONDS_PER_HOUR else f"{seconds:.0f} s"
    collapsed = COLLAPSED in flags.get(row["system"], ())
    audio = " The generator has collapsed: silent, constant or not finite audio." if collapsed else ""
    return f"Trained for {int(row['training_steps'])} steps ({length}).{audio}"
