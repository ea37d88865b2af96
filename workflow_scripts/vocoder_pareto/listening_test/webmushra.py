"""webMUSHRA (Schoeffler et al. 2018): a configuration per list with its sounds, and its results read back.

The results name no participant unless a question asks for one, so the export asks, and the import refuses files
without. Names of conditions are opaque; key.json resolves them.
"""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from vocoder_pareto.audio.files import write_wav
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.listening_test.key import Key, Stimulus
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault, number_of, rating_of, score_of
from vocoder_pareto.listening_test.texts import Texts, with_numbers

PARTICIPANT_QUESTION = "participant_id"
RESULT_COLUMNS = ("session_test_id", "trial_id", "stimuli_rating", "stimuli", "rating_time")
_PAGE = "likert_single_stimulus"


def write_webmushra(folder: str | Path, plan: Plan, texts: Texts) -> None:
    """Write `configs/vocoder_pareto_list{n}.yaml` and `configs/resources/vocoder_pareto/*.wav` below `folder`.

    Copied over a webMUSHRA installation they run as they are, at `?config=vocoder_pareto_list1.yaml`. Repeats are left
    out, since webMUSHRA shows a condition once.

    Raises:
        UserError: the folder cannot be written.
    """
    folder = Path(folder)
    sounds = Path("configs", "resources", "vocoder_pareto")
    for name, samples in plan.sounds.items():
        write_wav(folder / sounds / f"{name}.wav", samples, plan.sample_rate)
    for list_id in sorted({session.list_id for session in plan.key.sessions}):
        content = _configuration(plan, texts, list_id, sounds)
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
        write_text(folder / "configs" / f"vocoder_pareto_list{list_id}.yaml", text)


def read_webmushra(path: str | Path, key: Key) -> Iterator[Rating | RejectedRow]:
    """The ratings of an `lss.csv` or `lms.csv`; conditions are resolved by `key`.

    Raises:
        UserError: the file has no participants, or lacks a column.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        if PARTICIPANT_QUESTION not in columns:
            raise UserError(
                f"{path}: has no column {PARTICIPANT_QUESTION}, so its ratings cannot be told apart by participant; "
                f"run the exported configurations, whose last page asks for it"
            )
        missing = [name for name in RESULT_COLUMNS if name not in columns]
        if missing:
            raise UserError(f"{path}: column {missing[0]} is missing; take the file as webMUSHRA wrote it")
        for row in reader:
            try:
                yield _rating(path, reader.line_num, row, key)
            except RowFault as fault:
                yield RejectedRow(Path(path).name, reader.line_num, str(fault))


def _rating(path: str | Path, line: int, row: Mapping[str, str], key: Key) -> Rating:
    stimulus = key.by_name.get((row["stimuli"] or "").strip())
    if stimulus is None:
        raise RowFault(f"condition {row['stimuli']!r} is not in the key")
    session = (row["session_test_id"] or "").strip()
    return rating_of(
        stimulus,
        source=f"{Path(path).name}:{line}",
        participant=(row[PARTICIPANT_QUESTION] or "").strip(),
        session=session,
        rating=score_of(row["stimuli_rating"]),
        time_ms=number_of(row["rating_time"]),
        list_id=session.rpartition("list")[2],
    )


def _configuration(plan: Plan, texts: Texts, list_id: int, sounds: Path) -> dict[str, Any]:
    session = next(session for session in plan.key.sessions if session.list_id == list_id)
    trials = [plan.key.by_name[name] for name in dict.fromkeys(session.trials)]  # each once
    training = [plan.key.by_name[name] for name in session.training]

    def page(stimulus: Stimulus, number: str) -> dict[str, Any]:
        return {
            "type": _PAGE,
            "id": f"{number}_{stimulus.name}",
            "name": texts.question,
            "content": None,  # the key must be there
            "mustRate": True,
            "mustPlayback": "ended",
            "stimuli": {stimulus.name: (sounds / f"{stimulus.name}.wav").as_posix()},
            "response": [
                {"value": score, "label": f"{score} {label}".strip()}
                for score, label in enumerate(plan.key.labels, start=1)
            ],
        }

    def prose(name: str, title: str, paragraphs: Sequence[str]) -> dict[str, Any]:
        content = "".join(f"<p>{_escaped(paragraph)}</p>" for paragraph in paragraphs)
        return {"type": "generic", "id": name, "name": title, "content": content}

    volume = plan.named("training")[0]
    return {
        "testname": texts.title,
        "testId": f"vocoder_pareto_{plan.key.test_id}_list{list_id}",
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [
            prose("welcome", texts.title, with_numbers([*texts.welcome, *texts.consent], plan.numbers)),
            prose("instructions", texts.page["instructions_title"], texts.instructions),
            {
                "type": "volume",
                "id": "volume",
                "name": texts.page["volume_title"],
                "content": _escaped(texts.page["volume_text"]),
                "stimulus": (sounds / f"{volume.name}.wav").as_posix(),
                "defaultVolume": 0.5,
            },
            *(page(stimulus, f"training{number}") for number, stimulus in enumerate(training, start=1)),
            ["random", *(page(stimulus, "trial") for stimulus in trials)],
            {
                "type": "finish",
                "name": texts.page["finish_title"],
                "content": _escaped(texts.page["code_label"]),
                "popupContent": _escaped(texts.page["finish_title"]),
                "showResults": False,
                "writeResults": True,
                "questionnaire": [
                    {
                        "type": "text",
                        "label": texts.page["code_label"],
                        "name": PARTICIPANT_QUESTION,
                        "optional": False,
                    }
                ],
            },
        ],
    }


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
