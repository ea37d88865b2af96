"""webMUSHRA (Schoeffler et al. 2018): a configuration per session and the sounds for it, and its results read back.

Names of conditions are opaque; key.json resolves them. Results name no participant unless a question asks for one, so
the last page asks, with the code that was handed out filled in, and files without are refused.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.listening_test.csv_results import columns_of, has_a_column_of, read_rows, text_of
from vocoder_pareto.listening_test.key import Key, Session, Stimulus
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.platform import ExportSettings, Platform, Results
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault, number_or_none, rating_of, score_of
from vocoder_pareto.listening_test.strict_csv import Row, read_strict_csv
from vocoder_pareto.listening_test.texts import Texts, with_numbers
from vocoder_pareto.listening_test.yamljs import yaml_of

PARTICIPANT_QUESTION = "participant_id"
RESULT_COLUMNS = ("session_test_id", "trial_id", "stimuli_rating", "stimuli", "rating_time")
_PAGE = "likert_single_stimulus"
_SOUNDS = Path("configs", "resources", "vocoder_pareto")
_TRIAL = re.compile(r"session(\d+)_sound(\d+)_(\w+)")


def write_webmushra(plan: Plan, folder: Path, settings: ExportSettings) -> None:
    """Write `configs/vocoder_pareto_session{n}.yaml` and `configs/resources/vocoder_pareto/*.wav` below `folder`.

    Copied over a webMUSHRA installation they run as they are, at `?config=vocoder_pareto_session1.yaml`.

    Raises:
        UserError: The folder cannot be written.
    """
    plan.write_sounds(folder / _SOUNDS)
    for session in plan.key.sessions:
        text = yaml_of(_configuration(plan, settings.texts, session))
        write_text(folder / "configs" / _configuration_name(session), text)


def read_webmushra(path: Path, key: Callable[[], Key]) -> Results:
    """Read an `lss.csv`.

    Two people who give the same code for the same session count as two, since webMUSHRA shows nothing else of them; a
    session that was sent twice counts once.

    Raises:
        UserError: The file has no participants or is of another export, `read_rows` raises it, or the key is missing.
    """
    if PARTICIPANT_QUESTION not in columns_of(path):
        raise UserError(
            f"{path}: has no column {PARTICIPANT_QUESTION}, so its ratings cannot be told apart by participant; "
            f"run the exported configurations, whose last page asks for it"
        )
    read = read_rows(path, RESULT_COLUMNS, "take the file as webMUSHRA wrote it", partial(_rating, key()))
    for line, cells in read_strict_csv(path)[1]:
        if text_of(cells, "session_test_id") == "session_test_id":  # of two files that were joined
            raise UserError(f"{path}: line {line} repeats the names of the columns; take it out")
        if text_of(cells, "session_test_id") != _test_id(key()):
            raise UserError(
                f"{path}: line {line} belongs to the test {cells['session_test_id']!r}, but key.json to "
                f"{_test_id(key())!r}; put the key of that export beside the answers"
            )
    return _told_apart(read)


def _configuration_name(session: Session) -> str:
    return f"vocoder_pareto_session{session.number}.yaml"


def _test_id(key: Key) -> str:
    return f"vocoder_pareto_{key.test_id}"  # of all sessions: webMUSHRA writes a file per test


def _configuration(plan: Plan, texts: Texts, session: Session) -> dict[str, Any]:
    words = texts.webmushra
    volume = plan.stimuli_of("training")[0]
    return {
        "testname": texts.title,
        "testId": _test_id(plan.key),
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [
            _prose("generic", "welcome", texts.title, with_numbers(texts.welcome, plan.numbers_in_texts)),
            _prose("consent", "consent", texts.page["consent_title"], words["consent"]) | {"mustConsent": True},
            _prose("generic", "instructions", texts.page["instructions_title"], texts.instructions),
            _prose("volume", "volume", texts.page["volume_title"], [words["volume"]])
            | {"stimulus": _path(volume), "defaultVolume": 0.5},
            *_trials(plan.key, texts, session),
            _prose("finish", "finish", texts.page["finish_title"], [words["finish"]])
            | {
                "popupContent": _escaped(words["sent"]),
                "showErrors": True,
                "showResults": False,
                "writeResults": True,
                "questionnaire": [
                    {
                        "type": "number",  # the one type with a default; it is a text field all the same
                        "label": _escaped(texts.page["code_label"]),
                        "name": PARTICIPANT_QUESTION,
                        "default": plan.key.participant_code(session),
                        "optional": False,
                    }
                ],
            },
        ],
    }


def _prose(kind: str, name: str, title: str, paragraphs: Sequence[str]) -> dict[str, Any]:
    content = "".join(f"<p>{_escaped(paragraph)}</p>" for paragraph in paragraphs)
    return {"type": kind, "id": name, "name": _escaped(title), "content": content}


def _trials(key: Key, texts: Texts, session: Session) -> list[dict[str, Any]]:
    return [
        {
            "type": _PAGE,
            "id": f"session{session.number}_sound{place}_{name}",
            "name": _escaped(texts.page["practice"] if place <= len(session.training) else texts.question),
            "content": _escaped(texts.question) if place <= len(session.training) else None,  # it must be there
            "mustRate": True,
            "mustPlayback": "ended",
            "stimuli": {name: _path(key.stimulus_by_name[name])},
            "response": [
                {"value": score, "label": _escaped(f"{score} {label}".strip())}
                for score, label in enumerate(key.labels, start=1)
            ],
        }
        for place, name in enumerate((*session.training, *session.trials), start=1)
    ]


def _path(stimulus: Stimulus) -> str:
    return (_SOUNDS / f"{stimulus.name}.wav").as_posix()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _rating(key: Key, cells: Row, source: str) -> Rating:
    name, trial = text_of(cells, "stimuli"), text_of(cells, "trial_id")
    if name not in key.stimulus_by_name:
        raise RowFault(f"condition {name!r} is not in the key")
    found = _TRIAL.fullmatch(trial)
    session = key.session_by_number.get(int(found[1])) if found else None
    heard = (*session.training, *session.trials) if session else ()
    index = int(found[2]) - 1 if found else -1
    if session is None or not 0 <= index < len(heard) or heard[index] != name:
        raise RowFault(f"trial_id {trial!r} is not in the key")
    participant, code = text_of(cells, PARTICIPANT_QUESTION), key.participant_code(session)
    return rating_of(
        key.stimulus_by_name[name],
        source=source,
        # Two people may type one name: the code of the session tells them apart.
        participant=participant if participant in ("", code) else f"{participant} ({code})",
        session=str(session.number),
        rating=score_of(cells["stimuli_rating"]),
        trial_index=index,
        time_ms=number_or_none(cells["rating_time"], "rating_time"),
        list_id=str(session.list_id),
        is_repeat=name in heard[:index],
    )


def _told_apart(results: Results) -> Results:
    """Give the second of two submissions of a session under one code a code of its own, unless they are the same."""
    times: Counter[tuple] = Counter()
    submissions: dict[tuple[str, str, int], list[Rating]] = {}
    for row in results.rows:
        if isinstance(row, Rating):
            times[row.participant, row.session, row.trial_index] += 1
            number = times[row.participant, row.session, row.trial_index]
            submissions.setdefault((row.participant, row.session, number), []).append(row)
    rows: list[Rating | RejectedRow] = [row for row in results.rows if isinstance(row, RejectedRow)]
    notes, known = [], set()
    for (participant, session, number), ratings in submissions.items():
        what = (participant, session, _what_was_answered(ratings))
        if what in known:
            rows += [_sent_again(rating) for rating in ratings]
            continue
        known.add(what)
        name = participant if number == 1 else f"{participant} #{number}"
        rows += [replace(rating, participant=name) for rating in ratings]
        if number > 1:
            notes.append(
                f"{results.file}: session {session} came twice from {participant}, with other answers; the second "
                f"counts as another participant, {name}: delete its rows if the same person took part twice"
            )
    return replace(results, rows=tuple(rows), notes=tuple(notes))


def _what_was_answered(ratings: Iterable[Rating]) -> tuple:
    return tuple((rating.trial_index, rating.rating, rating.time_ms) for rating in ratings)


def _sent_again(rating: Rating) -> RejectedRow:
    file, _, line = rating.source.rpartition(":")
    reason = f"duplicate submission of {rating.participant}, session {rating.session}"
    return RejectedRow(file, int(line), reason, sent_again=True)


WEBMUSHRA = Platform(
    name="webmushra",
    results_form=f"webMUSHRA ({', '.join(RESULT_COLUMNS)})",
    suffix=".csv",
    recognises=has_a_column_of(("stimuli_rating", "stimuli")),
    read=read_webmushra,
    export=write_webmushra,
    link=lambda session, code: f"?config={_configuration_name(session)}",
)
