"""Our own page of the test: one HTML file and a folder of sounds, which run from disk or from any web server."""

import html
import json
import re
from dataclasses import asdict
from pathlib import Path
from typing import Any

from vocoder_pareto.audio.files import write_wav
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text
from vocoder_pareto.listening_test.page_answers import ANSWER_FORMAT, ANSWER_VERSION
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.texts import Texts, with_numbers
from vocoder_pareto.study.sections.listening_test import PageSettings

ASSETS = ("page.html", "style.css", "script.js")


def write_page(folder: str | Path, plan: Plan, texts: Texts, settings: PageSettings, templates: str | Path) -> None:
    """Write `index.html` and `stimuli/*.wav` below `folder`; nothing in them tells systems from each other.

    Args:
        folder: what is given to participants, whole.
        plan: the test.
        texts: all words.
        settings: see there.
        templates: folder of page.html, style.css and script.js.

    Raises:
        UserError: a template is missing, or the folder cannot be written.
    """
    folder = Path(folder)
    for name, samples in plan.sounds.items():
        write_wav(folder / "stimuli" / f"{name}.wav", samples, plan.sample_rate)
    markup, style, script = (_asset(Path(templates) / name) for name in ASSETS)
    parts = {
        "language": html.escape(texts.language),
        "title": html.escape(texts.title),
        "needs_script": html.escape(texts.page["needs_script"]),
        "style": style,
        "script": script,
        "test": _embedded(_test(plan, texts, settings)),
    }
    # One pass, so that a text which looks like a placeholder stays a text.
    write_text(folder / "index.html", re.sub(r"\{\{ (\w+) \}\}", lambda found: parts[found[1]], markup))


def _test(plan: Plan, texts: Texts, settings: PageSettings) -> dict[str, Any]:
    """What the script knows: opaque names, sessions and words; no systems, and no answers of checks."""
    words = {**texts.page, "title": texts.title, "question": texts.question}
    for name in ("welcome", "consent", "instructions"):
        words[name] = with_numbers(getattr(texts, name), plan.numbers)
    return {
        "format": ANSWER_FORMAT,
        "version": ANSWER_VERSION,
        "test_id": plan.key.test_id,
        "labels": plan.key.labels,
        "texts": words,
        "volume": plan.named("training")[0].name,
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
