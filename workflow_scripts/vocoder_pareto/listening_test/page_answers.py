"""The answers that our own page saves or sends, read back."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.listening_test.key import Key, Session
from vocoder_pareto.listening_test.ratings import (
    Rating,
    RejectedRow,
    RowFault,
    number_of,
    rating_of,
    score_of,
    whole_of,
)

ANSWER_FORMAT = "vocoder-pareto listening test answers"
ANSWER_VERSION = 1
FIELDS = ("submission_id", "participant", "session", "finished_at", "simulated", "ratings")


@dataclass(frozen=True)
class Submission:
    """One file of answers.

    Attributes:
        file: its name.
        submission_id: drawn once per session on the participant's device.
        participant: the code.
        session: number of the prepared session.
        finished_at: ISO 8601, UTC; empty if the participant stopped early.
        rows: its ratings, or why they were rejected.
    """

    file: str
    submission_id: str
    participant: str
    session: int
    finished_at: str
    rows: tuple[Rating | RejectedRow, ...]


def read_submission(path: str | Path, key: Key) -> Submission:
    """Read one file of answers; stimuli are resolved by `key`.

    Raises:
        UserError: the file is not JSON or no file of answers, lacks a field, or belongs to another test.
    """
    try:
        content = read_json(path)
    except UserError as error:
        raise UserError(f"{path}: not valid JSON, perhaps cut off on its way; ask for it again") from error
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (
        ANSWER_FORMAT,
        ANSWER_VERSION,
    ):
        raise UserError(
            f"{path}: not the answers of a listening test (version {ANSWER_VERSION}); take it out of the folder"
        )
    if content.get("test_id") != key.test_id:
        raise UserError(
            f"{path}: belongs to the test {content.get('test_id')!r}, but key.json to {key.test_id!r}; "
            "put the key of that export beside the answers"
        )
    missing = [name for name in FIELDS if name not in content]
    if missing or not isinstance(content["ratings"], list) or not str(content["participant"]).strip():
        raise UserError(f"{path}: damaged (without {', '.join(missing) or 'ratings or participant'}); ask for it again")
    session = key.by_number.get(content["session"]) if isinstance(content["session"], int) else None
    if session is None:
        raise UserError(f"{path}: session {content['session']!r} is not in key.json; put its own key beside it")
    return Submission(
        file=Path(path).name,
        submission_id=str(content["submission_id"]),
        participant=str(content["participant"]).strip(),
        session=session.number,
        finished_at=str(content["finished_at"] or ""),
        rows=tuple(_rows(path, content, session, key)),
    )


def _rows(path: str | Path, content: Mapping[str, Any], session: Session, key: Key) -> Iterator[Rating | RejectedRow]:
    expected = Counter((*session.training, *session.trials))
    seen: Counter[str] = Counter()
    for number, row in enumerate(content["ratings"], start=1):
        try:
            if not isinstance(row, dict):
                raise RowFault("is no rating")
            name = str(row.get("stimulus"))
            if name not in key.by_name:
                raise RowFault(f"stimulus {name!r} is not in the key")
            if seen[name] >= expected[name]:
                times = f"{expected[name]} times" if expected[name] != 1 else "once"
                raise RowFault(f"stimulus {name!r} comes {times} in session {session.number}, this is one more")
            rating = rating_of(
                key.by_name[name],
                source=f"{Path(path).name}:{number}",
                participant=str(content["participant"]).strip(),
                session=str(session.number),
                rating=score_of(row.get("rating")),
                trial_index=whole_of(row.get("trial_index")),
                time_ms=number_of(row.get("time_ms")),
                n_plays=whole_of(row.get("n_plays")),
                list_id=str(session.list_id),
                is_repeat=seen[name] > 0,
                played_to_end=row.get("played_to_end") is True,
                simulated=content["simulated"] is not False,
            )
        except RowFault as fault:
            yield RejectedRow(Path(path).name, number, str(fault))
            continue
        seen[name] += 1
        yield rating
