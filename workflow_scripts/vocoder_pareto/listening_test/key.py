"""What links the opaque names that participants meet to systems: the key, which stays with the experimenter."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json

FORMAT = "vocoder-pareto listening test key"
VERSION = 1

StimulusKind = Literal["rating", "training", "gold", "trap"]


@dataclass(frozen=True)
class Stimulus:
    """One audio file of the test.

    Attributes:
        name: An opaque name, another one for another sound; the file is `{name}.wav`.
        kind: `rating` counts for the MOS, `training` does not; `gold` has a known score; `trap` asks for one.
        system: The name of the system; empty for traps.
        utterance: The clip id, or the trap's number.
        expected: The right score of gold and traps, else None.
        loudness_lufs: The integrated loudness (EBU R128) as played; None for silence.
        gain_db: The gain applied for that; it is less than the target needs where the peak limit was met.
        peak_limited: Whether the peak limit kept it quieter than the others.
    """

    name: str
    kind: StimulusKind
    system: str
    utterance: str
    expected: int | None = None
    loudness_lufs: float | None = None
    gain_db: float = 0.0
    peak_limited: bool = False


@dataclass(frozen=True)
class Session:
    """What one participant hears, in order.

    Attributes:
        number: The number of the session, from 1; it is in the participant's link.
        list_id: The number of the list, which is a share of the design, from 1.
        training: The names of the stimuli of the training trials, which come first and do not count.
        trials: The names of the stimuli of all other trials. A name that comes twice is repeated for consistency.
    """

    number: int
    list_id: int
    training: tuple[str, ...]
    trials: tuple[str, ...]


class KeyOfSessions:
    """What the keys of all kinds of tests share: sessions of named stimuli."""

    test_id: str
    stimuli: tuple[Any, ...]
    sessions: tuple[Session, ...]

    @cached_property
    def stimulus_by_name(self) -> Mapping[str, Any]:
        """The stimuli by their opaque names."""
        return {stimulus.name: stimulus for stimulus in self.stimuli}

    @cached_property
    def session_by_number(self) -> Mapping[int, Session]:
        """The sessions by their numbers."""
        return {session.number: session for session in self.sessions}

    def participant_code(self, session: Session) -> str:
        """The code that is handed out with the link to a session."""
        return f"p{session.number:0{len(str(len(self.sessions)))}}"


@dataclass(frozen=True)
class Key(KeyOfSessions):
    """One exported listening test.

    Attributes:
        test_id: A text that changes with anything that participants would hear or be asked.
        labels: The labels of the scores, from the worst (1) to the best.
        systems: The names of the systems, natural speech and the low anchor among them.
        stimuli: All sounds of the test.
        sessions: What each participant hears.
    """

    test_id: str
    labels: tuple[str, ...]
    systems: tuple[str, ...]
    stimuli: tuple[Stimulus, ...]
    sessions: tuple[Session, ...]


def write_key(path: str | Path, key: Key) -> None:
    """Write the key as JSON."""
    write_json(path, {"format": FORMAT, "version": VERSION, **dataclasses.asdict(key)})


def read_key(path: str | Path) -> Key:
    """Read a key.

    Raises:
        UserError: The file is missing, is not a key, or is of another version.
    """
    content = content_of_key(path, FORMAT, VERSION, "listening test", "key.json")
    try:
        return Key(
            content["test_id"],
            tuple(content["labels"]),
            tuple(content["systems"]),
            tuple(Stimulus(**stimulus) for stimulus in content["stimuli"]),
            tuple(session_of(session) for session in content["sessions"]),
        )
    except (KeyError, TypeError) as error:
        raise UserError(f"{path}: damaged ({error!r}); take key.json of the export again") from error


def content_of_key(path: str | Path, form: str, version: int, kind: str, name: str) -> dict[str, Any]:
    """What the key of a test of some kind holds, as it stands in its file.

    Args:
        path: The file.
        form, version: What it must say of itself.
        kind, name: The test and the file's usual name, for the message.

    Raises:
        UserError: The file is missing, is not such a key, or is of another version.
    """
    content = read_json(path)
    if not isinstance(content, dict) or content.get("format") != form or content.get("version") != version:
        raise UserError(f"{path}: not the key of a {kind} (version {version}); take {name} of its export")
    return content


def session_of(content: Mapping[str, Any]) -> Session:
    """A session as a key holds it in JSON."""
    return Session(content["number"], content["list_id"], tuple(content["training"]), tuple(content["trials"]))
