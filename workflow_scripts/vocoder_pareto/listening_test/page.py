"""Our own page: one HTML file and a folder of sounds, which run from disk or from any web server; and its answers.

The page saves or sends one JSON file per session. Two files of one session may come, since a participant may send a
file twice or start anew; each says whose it is.
"""

import html
import json
import re
import reprlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import read_json, write_text
from vocoder_pareto.listening_test.key import Key, Session
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.platform import ExportSettings, Platform, Results, Submission
from vocoder_pareto.listening_test.ratings import (
    Rating,
    RejectedRow,
    RowFault,
    number_or_none,
    rating_of,
    score_of,
    whole_number_or_none,
)
from vocoder_pareto.listening_test.texts import Texts, with_numbers
from vocoder_pareto.study.sections.listening_test import PageSettings

ASSETS = ("page.html", "style.css", "script.js")
ANSWER_FORMAT = "vocoder-pareto listening test answers"
ANSWER_VERSION = 1
NAMES = ("submission_id", "participant", "finished_at")
ANSWER_FIELDS = (*NAMES, "session", "simulated", "ratings")


def write_page(plan: Plan, folder: Path, settings: ExportSettings) -> None:
    """Write `index.html` and `stimuli/*.wav` below `folder`; nothing in them tells systems from each other.

    Raises:
        UserError: A template is missing, or the folder cannot be written.
    """
    texts = settings.texts
    plan.write_sounds(folder / "stimuli")
    markup, style, script = (_asset(settings.templates / name) for name in ASSETS)
    parts = {
        "language": html.escape(texts.language),
        "title": html.escape(texts.title),
        "needs_script": html.escape(texts.page["needs_script"]),
        "style": style,
        "script": script,
        "test": _embedded(_test(plan, texts, settings.page)),
    }
    # One pass, so that a text which looks like a placeholder stays a text.
    write_text(folder / "index.html", re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], markup))


def read_answers(path: Path, key: Callable[[], Key]) -> Results:
    """Read one file of answers.

    Raises:
        UserError: The file is not JSON or no file of answers, lacks a field, or belongs to another test; or the key is
            missing.
    """
    content, session = _checked(path, key())
    return Results(
        file=path.name,
        rows=tuple(_rows(path.name, content, session, key())),
        submission=Submission(
            identifier=str(content["submission_id"]),
            participant=str(content["participant"]).strip(),
            session=str(session.number),
            finished_at=str(content["finished_at"] or ""),
        ),
    )


def _test(plan: Plan, texts: Texts, settings: PageSettings) -> dict[str, Any]:
    """What the script knows: opaque names, sessions and words; no systems, and no answers of checks."""
    words = {**texts.page, "title": texts.title, "question": texts.question}
    for name in ("welcome", "consent", "instructions"):
        words[name] = with_numbers(getattr(texts, name), plan.numbers_in_texts)
    return {
        "format": ANSWER_FORMAT,
        "version": ANSWER_VERSION,
        "test_id": plan.key.test_id,
        "labels": plan.key.labels,
        "texts": words,
        "volume": plan.stimuli_of("training")[0].name,
        "sessions": [asdict(session) for session in plan.key.sessions],
        "submit_url": settings.submit_url,
        "contact": settings.contact,
    }


def _embedded(value: Any) -> str:
    """JSON that may stand in a script element, whatever it holds."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _asset(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); restore it from the repository") from error


def _checked(path: Path, key: Key) -> tuple[Mapping[str, Any], Session]:
    """The content of a file of answers, and the session that it answers."""
    try:
        content = read_json(path)
    except UserError as error:
        raise UserError(f"{path}: {_why_unread(error.__cause__)}; ask for it again, or take it out") from error
    if not isinstance(content, dict) or (content.get("format"), content.get("version")) != (
        ANSWER_FORMAT,
        ANSWER_VERSION,
    ):
        raise UserError(
            f"{path}: not the answers of a listening test (version {ANSWER_VERSION}); take it out of the folder"
        )
    if content.get("test_id") != key.test_id:
        raise UserError(
            f"{path}: belongs to the test {reprlib.repr(content.get('test_id'))}, but key.json to {key.test_id!r}; "
            "put the key of that export beside the answers"
        )
    missing = [name for name in ANSWER_FIELDS if name not in content]
    missing = missing or [name for name in NAMES if isinstance(content[name], dict | list)]
    if missing or not isinstance(content["ratings"], list) or not str(content["participant"]).strip():
        raise UserError(f"{path}: damaged (without {', '.join(missing) or 'ratings or participant'}); ask for it again")
    number = content["session"]
    session = key.session_by_number.get(number) if type(number) is int else None  # which True is not
    if session is None:
        raise UserError(f"{path}: session {reprlib.repr(number)} is not in key.json; put its own key beside it")
    return content, session


def _why_unread(error: BaseException | None) -> str:
    """What is wrong with a file that `read_json` cannot read."""
    if not isinstance(error, json.JSONDecodeError):
        return f"cannot be read ({first_line(error)})" if isinstance(error, Exception) else "cannot be read"
    text = error.doc.strip()
    if text[:1] in ("", "{") and (not text.endswith("}") or error.pos >= len(error.doc.rstrip())):
        return "ends too early, so it was cut off on its way"
    return f"not valid JSON ({error})"


def _rows(file: str, content: Mapping[str, Any], session: Session, key: Key) -> Iterator[Rating | RejectedRow]:
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
            rating = rating_of(
                key.stimulus_by_name[name],
                source=f"{file}:{number}",
                participant=str(content["participant"]).strip(),
                session=str(session.number),
                rating=score_of(row.get("rating")),
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


PAGE = Platform(
    name="page",
    results_form="answers of our page (JSON)",
    suffix=".json",
    recognises=lambda path: True,  # what a damaged file is cannot be told, and other platforms write no JSON
    read=read_answers,
    export=write_page,
    link=lambda session, code: f"index.html?session={session.number}&participant={code}",
)
