"""Our own page: one HTML file and a folder of sounds, which run from disk or from any web server."""

import html
import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.listening_test.answers import ANSWER_FORMAT, ANSWER_VERSION, read_answers
from vocoder_pareto.listening_test.headphones import headphone_check, write_tones
from vocoder_pareto.listening_test.key import Session
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.platform import ExportSettings, Platform
from vocoder_pareto.listening_test.texts import Texts, with_numbers
from vocoder_pareto.study.sections.listening_test import PageSettings

SCRIPTS = ("session.js", "player.js", "headphones.js", "delivery.js", "script.js")  # in this order, they are one
ASSETS = ("page.html", "style.css", *SCRIPTS)
STALL_SECONDS = 15  # after which a sound that does not move has failed
SEND_SECONDS = 30  # after which an address that does not answer has failed
SEND_WAITS = (0, 2, 5)  # seconds before each try to send
_WORDS_USED = re.compile(r'\b(?:text|notify)\("(\w+)"|data-text="(\w+)"|(?:sayOnPlayer)\("(\w+)"')
_OF_THE_TEST = ("title", "question")  # words that are not of the page alone

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class PageTest:
    """What a page asks, and in which words.

    Attributes:
        test_id: The id of the test.
        sessions: What each participant hears.
        volume: The name of the sound to set the volume with.
        scores: The scores to choose from, each with its face and its label, which may be empty.
        title, question: What it is called, and what is asked for every sound.
        paragraphs: The paragraphs `welcome`, `consent` and `instructions`.
        write_sounds: Writes the sounds into a folder.
    """

    test_id: str
    sessions: tuple[Session, ...]
    volume: str
    scores: tuple[tuple[int, str, str], ...]
    title: str
    question: str
    paragraphs: Mapping[str, Sequence[str]]
    write_sounds: Callable[[Path], None]


def write_page(plan: Plan, folder: Path, settings: ExportSettings) -> None:
    """Write `index.html` and `stimuli/*.wav` below `folder`; nothing in them tells systems from each other.

    Raises:
        UserError: A template or words that it uses are missing, or the folder cannot be written.
    """
    texts = settings.texts
    test = PageTest(
        test_id=plan.key.test_id,
        sessions=plan.key.sessions,
        volume=plan.stimuli_of("training")[0].name,
        scores=tuple((score, str(score), label) for score, label in enumerate(plan.key.labels, start=1)),
        title=texts.title,
        question=texts.question,
        paragraphs={
            name: with_numbers(getattr(texts, name), plan.numbers_in_texts)
            for name in ("welcome", "consent", "instructions")
        },
        write_sounds=plan.write_sounds,
    )
    write_page_of(test, folder, texts, settings.page, settings.templates)


def write_page_of(test: PageTest, folder: Path, texts: Texts, settings: PageSettings, templates: Path) -> None:
    """Write the page of a test of any kind, as `write_page` does.

    Raises:
        UserError: As `write_page`.
    """
    markup, style, *scripts = (_asset(templates / name) for name in ASSETS)
    script = "\n\n".join(scripts)
    _require_words(texts, markup + script)
    if not (settings.submit_url or settings.contact):
        logger.warning(
            "Listening test: participants save a file and are told no address for it; set config key "
            "listening_test.page.submit_url (where answers are posted to) or listening_test.page.contact (an e-mail "
            "address), unless you collect the files yourself"
        )
    test.write_sounds(folder / "stimuli")
    if settings.headphone_check != "none":
        write_tones(folder / "stimuli")
    parts = {
        "language": html.escape(texts.language),
        "title": html.escape(test.title),
        "needs_script": html.escape(texts.page["needs_script"]),
        "style": style,
        "script": script,
        "test": _embedded(_known_to_script(test, texts, settings)),
    }
    # One pass, so that a text which looks like a placeholder stays a text.
    write_text(folder / "index.html", re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], markup))


def _known_to_script(test: PageTest, texts: Texts, settings: PageSettings) -> dict[str, Any]:
    """What the script knows: opaque names, sessions and words; no systems, and no answers of checks."""
    return {
        "format": ANSWER_FORMAT,
        "version": ANSWER_VERSION,
        "test_id": test.test_id,
        "scores": [{"value": value, "face": face, "label": label} for value, face, label in test.scores],
        "texts": {**texts.page, "title": test.title, "question": test.question, **test.paragraphs},
        "volume": test.volume,
        "sessions": [asdict(session) for session in test.sessions],
        "submit_url": settings.submit_url,
        "contact": settings.contact,
        "ids": settings.ids_from_link,
        "completion_code": settings.completion_code,
        "return_url": settings.return_url,
        "headphones": headphone_check(settings.headphone_check),
        "stall_seconds": STALL_SECONDS,
        "send_seconds": SEND_SECONDS,
        "send_waits": SEND_WAITS,
    }


def _require_words(texts: Texts, used_in: str) -> None:
    used = {next(filter(None, found)) for found in _WORDS_USED.findall(used_in)} - set(_OF_THE_TEST)
    if missing := sorted(used - set(texts.page)):
        raise UserError(
            f"listening_test.texts: page.{missing[0]} is missing; take its English words from "
            "resources/listening_test/texts.json and translate them"
        )


def _embedded(value: Any) -> str:
    """JSON that may stand in a script element, whatever it holds."""
    return json.dumps(value, ensure_ascii=False).replace("<", "\\u003c").replace("\u2028", "\\u2028")


def _asset(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8").rstrip()
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); restore it from the repository") from error


PAGE = Platform(
    name="page",
    results_form="answers of our page (JSON)",
    suffix=".json",
    recognises=lambda path: True,  # what a damaged file is cannot be told, and other platforms write no JSON
    read=read_answers,
    export=write_page,
    link=lambda session, code: f"index.html?session={session.number}&participant={code}",
)
