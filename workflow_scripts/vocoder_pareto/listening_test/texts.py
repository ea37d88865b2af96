"""All words that participants read or hear, from one file, so that a translation is another file."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.study.settings import settings_from

LOWEST_SCORE, HIGHEST_SCORE = 1, 5
WEBMUSHRA_WORDS = ("consent", "volume", "finish", "sent")
PAIRED_WORDS = ("title", "welcome", "instructions", "questions", "labels")


@dataclass(frozen=True)
class Texts:
    """The content of resources/listening_test/texts.json.

    Attributes:
        language: The code of the language, for browsers and screen readers.
        title: The title of the test.
        welcome, consent, instructions: Paragraphs, in which `{trials}` and `{minutes}` stand for numbers.
        question: The question that is asked for every sound.
        scales: The labels of the five scores by the name of the scale, worst first.
        trap_sentence: What an attention check says; `{score}` is the number to choose.
        trap_voice: The voice of eSpeak NG that says it.
        page: The words of the page's controls and messages, by name.
        webmushra: What webMUSHRA says in other words than our page, since it records other things: `consent`
            (paragraphs), `volume`, `finish` and `sent`.
        paired: What the test of pairs says: `title`, `welcome` and `instructions` (paragraphs), and `questions` and
            `labels` (worst of the second first) by the name of the scale.

    Raises:
        ValueError: A scale has another number of labels than five, the trap does not say its score, or words for
            webMUSHRA or the test of pairs are missing.
    """

    language: str
    title: str
    welcome: tuple[str, ...]
    consent: tuple[str, ...]
    instructions: tuple[str, ...]
    question: str
    scales: dict[str, Any]
    trap_sentence: str
    trap_voice: str
    page: dict[str, Any]
    webmushra: dict[str, Any]
    paired: dict[str, Any]

    def __post_init__(self):
        for name, labels in self.scales.items():
            if len(labels) != HIGHEST_SCORE:
                raise ValueError(f"scales.{name} has {len(labels)} labels; must be {HIGHEST_SCORE}, worst first")
        if "{score}" not in self.trap_sentence:
            raise ValueError("trap_sentence does not hold {score}, which stands for the number to choose")
        for part, known in (("webmushra", WEBMUSHRA_WORDS), ("paired", PAIRED_WORDS)):
            missing = [name for name in known if name not in getattr(self, part)]
            if missing:
                raise ValueError(f"{part}.{missing[0]} is missing; allowed: {', '.join(known)}")

    def labels(self, scale: str) -> tuple[str, ...]:
        """The labels of a scale, worst first.

        Raises:
            UserError: The texts have no such scale.
        """
        if scale not in self.scales:
            raise UserError(
                f"config key listening_test.page.scale: {scale!r} is unknown; allowed: {', '.join(self.scales)}"
            )
        return tuple(self.scales[scale])


def with_numbers(paragraphs: Sequence[str], numbers: Mapping[str, int]) -> list[str]:
    """The paragraphs with `{name}` replaced by its number; other braces stay."""
    return [re.sub(r"\{(\w+)\}", lambda found: str(numbers.get(found[1], found[0])), text) for text in paragraphs]


def read_texts(path: str | Path) -> Texts:
    """Read a file of texts.

    Raises:
        UserError: The file is missing, or a text is missing or of the wrong type.
    """
    return settings_from(Texts, read_json(path), str(path))
