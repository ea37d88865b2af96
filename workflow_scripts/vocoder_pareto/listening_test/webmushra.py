"""webMUSHRA (Schoeffler et al. 2018): a configuration per list and the sounds for it, and its results read back.

Names of conditions are opaque; key.json resolves them. Results name no participant unless a question asks for one, so
the last page asks, and files without are refused.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.listening_test.csv_results import Row, columns_of, has_a_column_of, read_rows, text_of
from vocoder_pareto.listening_test.key import Key, Stimulus
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.platform import ExportSettings, Platform, Results
from vocoder_pareto.listening_test.ratings import Rating, RowFault, number_or_none, rating_of, score_of
from vocoder_pareto.listening_test.texts import Texts, with_numbers

PARTICIPANT_QUESTION = "participant_id"
RESULT_COLUMNS = ("session_test_id", "trial_id", "stimuli_rating", "stimuli", "rating_time")
_PAGE = "likert_single_stimulus"


def write_webmushra(plan: Plan, folder: Path, settings: ExportSettings) -> None:
    """Write `configs/vocoder_pareto_list{n}.yaml` and `configs/resources/vocoder_pareto/*.wav` below `folder`.

    Copied over a webMUSHRA installation they run as they are, at `?config=vocoder_pareto_list1.yaml`. Repeats are left
    out, since webMUSHRA shows a condition once.

    Raises:
        UserError: The folder cannot be written.
    """
    import yaml  # which nobody needs who reads results

    sounds = Path("configs", "resources", "vocoder_pareto")
    plan.write_sounds(folder / sounds)
    for list_id in sorted({session.list_id for session in plan.key.sessions}):
        content = _configuration(plan, settings.texts, list_id, sounds)
        text = yaml.safe_dump(content, sort_keys=False, allow_unicode=True, width=1000)
        write_text(folder / "configs" / f"vocoder_pareto_list{list_id}.yaml", text)


def read_webmushra(path: Path, key: Callable[[], Key]) -> Results:
    """Read an `lss.csv` or `lms.csv`.

    Raises:
        UserError: The file has no participants or lacks a column, or the key is missing.
    """
    if PARTICIPANT_QUESTION not in columns_of(path):
        raise UserError(
            f"{path}: has no column {PARTICIPANT_QUESTION}, so its ratings cannot be told apart by participant; "
            f"run the exported configurations, whose last page asks for it"
        )
    return read_rows(path, RESULT_COLUMNS, "take the file as webMUSHRA wrote it", partial(_rating, key()))


def _configuration(plan: Plan, texts: Texts, list_id: int, sounds: Path) -> dict[str, Any]:
    session = next(session for session in plan.key.sessions if session.list_id == list_id)
    trials = [plan.key.stimulus_by_name[name] for name in dict.fromkeys(session.trials)]  # each once
    training = [plan.key.stimulus_by_name[name] for name in session.training]

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

    volume = plan.stimuli_of("training")[0]
    return {
        "testname": texts.title,
        "testId": f"vocoder_pareto_{plan.key.test_id}_list{list_id}",
        "bufferSize": 2048,
        "stopOnErrors": True,
        "showButtonPreviousPage": False,
        "remoteService": "service/write.php",
        "pages": [
            prose("welcome", texts.title, with_numbers([*texts.welcome, *texts.consent], plan.numbers_in_texts)),
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


def _rating(key: Key, cells: Row, source: str) -> Rating:
    stimulus = key.stimulus_by_name.get(text_of(cells, "stimuli"))
    if stimulus is None:
        raise RowFault(f"condition {cells['stimuli']!r} is not in the key")
    session = text_of(cells, "session_test_id")
    return rating_of(
        stimulus,
        source=source,
        participant=text_of(cells, PARTICIPANT_QUESTION),
        session=session,
        rating=score_of(cells["stimuli_rating"]),
        time_ms=number_or_none(cells["rating_time"]),
        list_id=session.rpartition("list")[2],
    )


WEBMUSHRA = Platform(
    name="webmushra",
    results_form=f"webMUSHRA ({', '.join(RESULT_COLUMNS)})",
    suffix=".csv",
    recognises=has_a_column_of(("stimuli_rating", "stimuli")),
    read=read_webmushra,
    export=write_webmushra,
)
