"""The answers of our page: one JSON file per session, as participants save it or as the receiver stores it.

Several files of one session may come, since a participant may send a part and then the whole, send a file twice, or
start anew; each says whose it is.
"""

import json
import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import read_json
from vocoder_pareto.listening_test.key import Key, KeyOfSessions, Session, Stimulus
from vocoder_pareto.listening_test.platform import Results
from vocoder_pareto.listening_test.ratings import (
    Rating,
    RejectedRow,
    RowFault,
    number_or_none,
    rating_of,
    score_of,
    whole_number_or_none,
)
from vocoder_pareto.listening_test.submissions import Submission

MakeRating = Callable[..., Rating]  # of a stimulus, its score, and the other fields of a rating

ANSWER_FORMAT = "vocoder-pareto listening test answers"
ANSWER_VERSION = 1
NAMES = ("submission_id", "participant", "finished_at")
ANSWER_FIELDS = (*NAMES, "session", "simulated", "ratings")


class AnswersFault(Exception):
    """Answers are wrong as a whole. The message says why, and how to mend it."""


def read_answers(path: Path, key: Callable[[], Key]) -> Results:
    """Read one file of answers.

    Raises:
        UserError: The file is not JSON or no file of answers, lacks a field, or belongs to another test; or the key is
            missing.
    """
    return results_of_file(path, key(), mean_opinion)


def results_of_file(path: Path, key: KeyOfSessions, make: MakeRating) -> Results:
    """As `results_of`, for a file.

    Raises:
        UserError: The file is not JSON or no file of answers, lacks a field, or belongs to another test.
    """
    try:
        content = read_json(path)
    except UserError as error:
        raise UserError(f"{path}: {_why_unread(error.__cause__)}; ask for it again, or take it out") from error
    try:
        return results_of(content, path.name, key, make)
    except AnswersFault as fault:
        raise UserError(f"{path}: {fault}") from fault


def mean_opinion(stimulus: Stimulus, score: Any, **fields: Any) -> Rating:
    """A score of 1 to 5 for a stimulus, as a rating.

    Raises:
        RowFault: The score is none.
    """
    return rating_of(stimulus, rating=score_of(score), **fields)


def results_of(content: Any, file: str, key: KeyOfSessions, make: MakeRating) -> Results:
    """The answers that `content`, as read from JSON, holds to the test of `key`.

    Args:
        content: What was read.
        file: What it is called.
        key: The key of the test.
        make: Makes a rating of a stimulus of the key, of the score as it stands in the answers, and of the other fields
            of a rating; it raises RowFault for a score that is none.

    Returns:
        The answers; sounds that could not be played are no rows.

    Raises:
        AnswersFault: They are no answers, lack a field, or belong to another test.
    """
    session = _session_of(content, key)
    skipped = [row for row in content["ratings"] if _is_skipped(row)]
    return Results(
        file=file,
        rows=tuple(_rows(file, content, session, key, make)),
        submission=Submission(
            identifier=str(content["submission_id"]),
            participant=str(content["participant"]).strip(),
            session=str(session.number),
            finished_at=str(content["finished_at"] or ""),
            n_planned=len(session.training) + len(session.trials),
            n_answered=len(content["ratings"]) - len(skipped),
            n_skipped=len(skipped),
            person=_person_of(content),
            headphone_score=_headphone_score_of(content),
        ),
    )


def _session_of(content: Any, key: KeyOfSessions) -> Session:
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (
        ANSWER_FORMAT,
        ANSWER_VERSION,
    ):
        raise AnswersFault(f"not the answers of a listening test (version {ANSWER_VERSION}); take it out of the folder")
    if content.get("test_id") != key.test_id:
        raise AnswersFault(
            f"belongs to the test {reprlib.repr(content.get('test_id'))}, but key.json to {key.test_id!r}; "
            "put the key of that export beside the answers"
        )
    missing = [name for name in ANSWER_FIELDS if name not in content]
    missing = missing or [name for name in NAMES if isinstance(content[name], dict | list)]
    if missing or not isinstance(content["ratings"], list) or not str(content["participant"]).strip():
        raise AnswersFault(f"damaged (without {', '.join(missing) or 'ratings or participant'}); ask for it again")
    number = content["session"]
    session = key.session_by_number.get(number) if type(number) is int else None  # which True is not
    if session is None:
        raise AnswersFault(f"session {reprlib.repr(number)} is not in key.json; put its own key beside it")
    return session


def _person_of(content: Mapping[str, Any]) -> str:
    """The first of the identifiers that the link told, as `listening_test.page.ids_from_link` orders them."""
    ids = content.get("ids")
    first = next(iter(ids.values()), None) if isinstance(ids, dict) else None
    return first if isinstance(first, str) else ""


def _headphone_score_of(content: Mapping[str, Any]) -> int | None:
    scores = content.get("headphone_scores")
    return max((each for each in scores if type(each) is int), default=None) if isinstance(scores, list) else None


def _is_skipped(row: Any) -> bool:
    return isinstance(row, dict) and row.get("rating") is None and bool(row.get("skipped"))


def _why_unread(error: BaseException | None) -> str:
    """What is wrong with a file that `read_json` cannot read."""
    if not isinstance(error, json.JSONDecodeError):
        return f"cannot be read ({first_line(error)})" if isinstance(error, Exception) else "cannot be read"
    text = error.doc.strip()
    if text[:1] in ("", "{") and (not text.endswith("}") or error.pos >= len(error.doc.rstrip())):
        return "ends too early, so it was cut off on its way"
    return f"not valid JSON ({error})"


def _rows(
    file: str, content: Mapping[str, Any], session: Session, key: KeyOfSessions, make: MakeRating
) -> Iterator[Rating | RejectedRow]:
    expected = Counter((*session.training, *session.trials))
    seen: Counter[str] = Counter()
    for number, row in enumerate(content["ratings"], start=1):
        try:
            if not isinstance(row, dict):
                raise RowFault("is no rating")
            name = row.get("stimulus")
            if not isinstance(name, str) or name not in key.stimulus_by_name:
                raise RowFault(f"stimulus {reprlib.repr(name)} is not in the key")
            if seen[name] >= expected[name]:
                times = f"{expected[name]} times" if expected[name] != 1 else "once"
                raise RowFault(f"stimulus {name!r} comes {times} in session {session.number}, this is one more")
            if _is_skipped(row):
                expected[name] -= 1
                continue
            rating = make(
                key.stimulus_by_name[name],
                row.get("rating"),
                source=f"{file}:{number}",
                participant=str(content["participant"]).strip(),
                session=str(session.number),
                trial_index=whole_number_or_none(row.get("trial_index"), "trial_index"),
                time_ms=number_or_none(row.get("time_ms"), "time_ms"),
                n_plays=whole_number_or_none(row.get("n_plays"), "n_plays"),
                list_id=str(session.list_id),
                is_repeat=seen[name] > 0,
                played_to_end=row.get("played_to_end") is True,
                simulated=content["simulated"] is not False,
            )
        except RowFault as fault:
            yield RejectedRow(file, number, str(fault), fault.score)
            continue
        seen[name] += 1
        yield rating
