"""Write a planned test of pairs as our page, with the experimenter's key and a link for each participant."""

import logging
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.page import PAGE, PageTest, write_page_of
from vocoder_pareto.listening_test.paired_key import SCORES, write_paired_key
from vocoder_pareto.listening_test.paired_planning import PairedPlan
from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.texts import Texts, with_numbers
from vocoder_pareto.study.companions import record_companions
from vocoder_pareto.tables.csv_files import write_csv

logger = logging.getLogger(__name__)


def export_paired_test(
    plan: PairedPlan, settings: ExportSettings, page: Path, key: Path, invitations: Path, alpha: float
) -> None:
    """Write the page, then what the experimenter needs; a design that can find nothing is warned of.

    Args:
        plan: The test.
        settings: Words, templates and settings of the page.
        page: Folder to write.
        key: JSON file to write, which stays with the experimenter.
        invitations: CSV file to write, with a link per participant.
        alpha: The level of significance of the sign tests, after Holm's correction.

    Raises:
        UserError: A template or words are missing, or a folder cannot be written.
    """
    participants, pairs = len(plan.key.sessions), len(plan.key.pairs)
    if pairs * 2 / 2**participants >= alpha:
        logger.warning(
            "Paired test: the sign test of %d participants and %d pairs cannot be significant at %s even if all agree; "
            "raise config key listening_test.paired.participants",
            participants, pairs, alpha,
        )  # fmt: skip
    texts, scores = settings.texts, SCORES[plan.key.scale]
    words, labels = texts.paired, paired_labels(texts, plan.key.scale)
    # A score of two answers has no number to show: their labels stand in its place.
    faces = [(label, "") if len(scores) == 2 else (f"{score:+d}" if score else "0", label)
             for score, label in zip(scores, labels, strict=True)]  # fmt: skip
    test = PageTest(
        test_id=plan.key.test_id,
        sessions=plan.key.sessions,
        volume=plan.key.sessions[0].training[0],
        scores=tuple((score, *face) for score, face in zip(scores, faces, strict=True)),
        title=words["title"],
        question=words["questions"][plan.key.scale],
        paragraphs={
            "welcome": with_numbers(words["welcome"], plan.numbers_in_texts),
            "consent": texts.consent,
            "instructions": words["instructions"],
        },
        write_sounds=plan.write_sounds,
    )
    write_page_of(test, page, texts, settings.page, settings.templates)
    codes = [(session, plan.key.participant_code(session)) for session in plan.key.sessions]
    rows = ([code, session.number, PAGE.link(session, code)] for session, code in codes if PAGE.link)
    write_csv(invitations, ["participant", "session", "link"], rows)
    if page.is_relative_to(key.parent):
        record_companions(key, list(page.rglob("*.wav")))
    write_paired_key(key, plan.key)


def paired_labels(texts: Texts, scale: str) -> list[str]:
    """The labels of a scale, from "the first is far better" on.

    Raises:
        UserError: The texts have no question or another number of labels for it.
    """
    labels = texts.paired["labels"].get(scale)
    if not labels or len(labels) != len(SCORES[scale]) or scale not in texts.paired["questions"]:
        raise UserError(
            f"listening_test.texts: paired.questions.{scale} must be there, and paired.labels.{scale} hold "
            f"{len(SCORES[scale])} labels, that of the worst second first"
        )
    return list(labels)
