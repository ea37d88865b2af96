"""The key of a test of pairs: which sound is which two systems in which order. It stays with the experimenter."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.listening_test.key import KeyOfSessions, Session, content_of_key, session_of

FORMAT = "vocoder-pareto paired test key"
VERSION = 1
PAIRED_KEY_NAME = "paired_key.json"

PairedKind = Literal["rating", "training", "gold"]
# The scores of a scale, from "the first is far better" to "the second is far better".
SCORES = {"cmos": (-3, -2, -1, 0, 1, 2, 3), "ab": (-1, 1)}


@dataclass(frozen=True)
class PairedStimulus:
    """One audio file of the test: a clip by two systems, one after the other.

    Attributes:
        name: An opaque name, another one for another sound; the file is `{name}.wav`.
        kind: `rating` counts, `training` does not; `gold` has a second half that is drowned in noise, or a first one.
        first, second: The systems in the order in which they are heard.
        utterance: The clip id.
        better: The half of gold that is not drowned, 1 or 2; else None.
    """

    name: str
    kind: PairedKind
    first: str
    second: str
    utterance: str
    better: int | None = None


@dataclass(frozen=True)
class PairedKey(KeyOfSessions):
    """One exported test of pairs.

    Attributes:
        test_id: A text that changes with anything that participants would hear or be asked.
        scale: What is asked, a name of `SCORES`.
        pairs: The pairs of systems; a positive result speaks for the first of a pair.
        stimuli: All sounds of the test.
        sessions: What each participant hears.
    """

    test_id: str
    scale: str
    pairs: tuple[tuple[str, str], ...]
    stimuli: tuple[PairedStimulus, ...]
    sessions: tuple[Session, ...]


def write_paired_key(path: str | Path, key: PairedKey) -> None:
    """Write the key as JSON."""
    write_json(path, {"format": FORMAT, "version": VERSION, **dataclasses.asdict(key)})


def is_paired_key(path: str | Path) -> bool:
    """Whether a file of JSON is the key of a test of pairs, of any version.

    Raises:
        UserError: It cannot be read.
    """
    content = read_json(path)
    return isinstance(content, dict) and content.get("format") == FORMAT


def read_paired_key(path: str | Path) -> PairedKey:
    """Read a key.

    Raises:
        UserError: The file is missing, is not the key of a test of pairs, or is of another version.
    """
    content = content_of_key(path, FORMAT, VERSION, "paired test", PAIRED_KEY_NAME)
    try:
        key = PairedKey(
            content["test_id"],
            content["scale"],
            tuple((first, second) for first, second in content["pairs"]),
            tuple(PairedStimulus(**stimulus) for stimulus in content["stimuli"]),
            tuple(session_of(session) for session in content["sessions"]),
        )
        SCORES[key.scale]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{path}: damaged ({error!r}); take paired_key.json of the export again") from error
    return key


def paired_response_files(folder: str | Path) -> list[Path]:
    """The files with answers in a folder, sorted, without the key and hidden files."""
    return [
        path
        for path in sorted(Path(folder).iterdir())
        if path.suffix.lower() == ".json" and path.name != PAIRED_KEY_NAME and not path.name.startswith(".")
    ]
