"""The answers to a test of pairs, read back and screened."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.answers import results_of_file
from vocoder_pareto.listening_test.first_submissions import first_submissions
from vocoder_pareto.listening_test.paired_key import (
    PAIRED_KEY_NAME,
    SCORES,
    PairedKey,
    PairedStimulus,
    paired_response_files,
    read_paired_key,
)
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault, number_or_none
from vocoder_pareto.listening_test.submissions import Submission
from vocoder_pareto.study.sections.listening_test import ScreeningSettings


@dataclass(frozen=True)
class Preference(Rating):
    """What a participant answered to a pair, as a rating of the system that was heard second.

    Attributes:
        first: The system that was heard first; `rating` is positive if the second was found better.
        better: The right half of gold, 1 or 2, else None.
    """

    first: str = ""
    better: int | None = None


@dataclass(frozen=True)
class PairedResponses:
    """All that was read from a folder.

    Attributes:
        key: The key that lay in it.
        preferences: The valid answers.
        rejected: The rows that are no valid answers.
        submissions: What is known of sessions as a whole, by participant and session.
        notes: What the experimenter should know of the files, a sentence each.
    """

    key: PairedKey
    preferences: Sequence[Preference]
    rejected: Sequence[RejectedRow]
    submissions: dict[tuple[str, str], Submission]
    notes: Sequence[str]


@dataclass(frozen=True)
class PairedSession:
    """What the checks found in one session: a row of the table of screening.

    Attributes:
        participant, session: Whose session it is.
        n_answers: How many answers would count.
        n_not_played_to_end: How many sounds were not heard whole.
        n_gold, n_failed_gold: How many pairs of natural speech and noise were met, and answered wrong.
        headphone_score: Right answers, of 6, in the check for headphones; None where there was none.
        is_partial: Whether it ended before its last sound.
        n_skipped: How many sounds could not be played.
        kept: Whether the session counts.
        reasons: Why it does not count; empty if it counts.
    """

    participant: str
    session: str
    n_answers: int
    n_not_played_to_end: int
    n_gold: int
    n_failed_gold: int
    headphone_score: int | None
    is_partial: bool
    n_skipped: int
    kept: bool
    reasons: str


def read_paired_responses(folder: str | Path) -> PairedResponses:
    """Read the answers of our page in `folder`, with paired_key.json of the export beside them.

    Raises:
        UserError: The folder, the key or answers are missing, a file is no file of answers or belongs to another test,
            or answers are simulated.
    """
    where = "config key listening_test.paired.responses"
    if not Path(folder).is_dir():
        raise UserError(f"{where}: {folder} is no folder; put the responses in one")
    files = paired_response_files(folder)
    if not files:
        raise UserError(f"{where}: {folder} holds no answers (.json)")
    key = read_paired_key(Path(folder) / PAIRED_KEY_NAME)
    found = first_submissions(results_of_file(path, key, partial(preference, key.scale)) for path in files)
    preferences = [row for row in found.rows if isinstance(row, Preference)]
    if simulated := next((each for each in preferences if each.simulated), None):
        raise UserError(f"{folder}: {simulated.source} is simulated; keep answers of people apart")
    rejected = [row for row in found.rows if isinstance(row, RejectedRow)]
    return PairedResponses(key, preferences, rejected, found.by_session, found.notes)


def preference(scale: str, stimulus: PairedStimulus, score: Any, **fields: Any) -> Preference:
    """The answer `score`, as it stands in a file, to a stimulus of the key.

    Raises:
        RowFault: It is none of the scores of the scale.
    """
    number = number_or_none(score, "rating")
    if number not in SCORES[scale]:
        raise RowFault(f"rating {score!r:.40} is not one of {', '.join(map(str, SCORES[scale]))}")
    return Preference(
        system=stimulus.second,
        first=stimulus.first,
        utterance=stimulus.utterance,
        rating=int(number),
        is_gold=stimulus.kind == "gold",
        is_training=stimulus.kind == "training",
        better=stimulus.better,
        **fields,
    )


def screen_paired(
    responses: PairedResponses, settings: ScreeningSettings
) -> tuple[list[Preference], list[PairedSession]]:
    """The answers that count, and the report on all sessions; of `settings`, what applies to pairs is checked.

    Raises:
        UserError: No session passes.
    """
    sessions: dict[tuple[str, str], list[Preference]] = {}
    for each in responses.preferences:
        sessions.setdefault((each.participant, each.session), []).append(each)
    report = [_screened(answers, settings, responses.submissions[name]) for name, answers in sessions.items()]
    kept = {(session.participant, session.session) for session in report if session.kept}
    counting = [
        each for each in responses.preferences if each.counts_for_mos and (each.participant, each.session) in kept
    ]
    if not counting:
        raise UserError(
            f"paired test: none of {len(report)} sessions has answers and passes the screening; loosen config key "
            "listening_test.screening"
        )
    return counting, report


def _screened(answers: Sequence[Preference], settings: ScreeningSettings, known: Submission) -> PairedSession:
    unheard = sum(each.played_to_end is False for each in answers)
    gold = [each for each in answers if each.is_gold]
    wrong = sum((each.rating > 0) != (each.better == 2) or each.rating == 0 for each in gold)
    headphones, fewest, most = known.headphone_score, settings.min_headphone_score, settings.max_failed_gold
    checks = (
        (settings.full_playback and unheard > 0, f"{unheard} sounds not played to the end"),
        (most is not None and wrong > most, f"{wrong} of {len(gold)} times noise found no worse than natural speech"),
        (
            headphones is not None and fewest is not None and headphones < fewest,
            f"{headphones} of 6 right in the check for headphones",
        ),
    )
    reasons = [reason for failed, reason in checks if failed]
    return PairedSession(
        participant=answers[0].participant,
        session=answers[0].session,
        n_answers=sum(each.counts_for_mos for each in answers),
        n_not_played_to_end=unheard,
        n_gold=len(gold),
        n_failed_gold=wrong,
        headphone_score=headphones,
        is_partial=known.is_partial,
        n_skipped=known.n_skipped,
        kept=not reasons,
        reasons="; ".join(reasons),
    )
