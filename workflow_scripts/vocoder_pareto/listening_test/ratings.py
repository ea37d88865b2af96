"""One rating, wherever it came from, and the rows that were no valid ratings."""

import math
import reprlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from vocoder_pareto.listening_test.key import Stimulus
from vocoder_pareto.listening_test.submissions import Submission
from vocoder_pareto.listening_test.texts import HIGHEST_SCORE, LOWEST_SCORE


@dataclass(frozen=True)
class Rating:
    """A score that a participant gave to a sound: a row of the canonical responses, in the order of its columns.

    Attributes:
        participant: A code, not a name.
        session: The session of that participant, as its platform names it.
        system: The name of the system; empty for traps.
        utterance: The clip id.
        rating: The score, 1 to 5.
        trial_index: The place within the session, from 0; None where it is not known.
        time_ms: Milliseconds from the sound on show to the score; None where they are not known.
        n_plays: How often the sound was played; None where it is not known.
        is_trap, is_gold, is_training: What kind of trial it was; such ratings never count for the MOS.
        list_id: The share of the design; empty where it is not known.
        is_repeat: Whether it is the second rating of the same sound, for consistency, which does not count either.
        expected: The right score of traps and gold, else None.
        played_to_end: Whether the sound was heard whole; None where it is not known.
        simulated: Whether no human gave it.
        is_screened: Whether its platform has screened the sessions that it tells of, which are not screened again.
        source: The name of the file, a colon, and the row.
    """

    participant: str
    session: str
    system: str
    utterance: str
    rating: int
    trial_index: int | None = None
    time_ms: float | None = None
    n_plays: int | None = None
    is_trap: bool = False
    is_gold: bool = False
    is_training: bool = False
    list_id: str = ""
    is_repeat: bool = False
    expected: int | None = None
    played_to_end: bool | None = None
    simulated: bool = False
    is_screened: bool = False
    source: str = ""

    @property
    def counts_for_mos(self) -> bool:
        """Whether it enters the MOS."""
        return not (self.is_trap or self.is_gold or self.is_training or self.is_repeat)


@dataclass(frozen=True)
class RejectedRow:
    """A row that is no valid rating.

    Attributes:
        file: The name of its file.
        row: Its place there: the line, or the number of the trial.
        reason: Why it is none.
        score: The score that is off the scale, where that is why.
        sent_again: Whether it is of a session that was sent before, whole, so that nothing is lost with it.
    """

    file: str
    row: int
    reason: str
    score: float | None = None
    sent_again: bool = False


@dataclass(frozen=True)
class Responses:
    """All that was read from a folder.

    Attributes:
        ratings: The valid ratings.
        rejected: The rows that are no valid ratings.
        mos_source: `listening_test`, or `simulated`.
        notes: What the experimenter should know of the files, a sentence each.
        submissions: What is known of sessions as a whole, by participant and session, where their platform tells it.
    """

    ratings: Sequence[Rating]
    rejected: Sequence[RejectedRow]
    mos_source: str
    notes: Sequence[str] = ()
    submissions: Mapping[tuple[str, str], Submission] = field(default_factory=dict)


class RowFault(Exception):
    """A row is no valid rating. The message says why; `score` is the score that is off the scale, if that is why."""

    def __init__(self, message: str, score: float | None = None):
        super().__init__(message)
        self.score = score


def repeat_differences(ratings: Sequence[Rating]) -> list[int]:
    """Absolute differences between the two scores that a participant gave to the same sound within a session."""
    first = {_heard(rating): rating.rating for rating in ratings if rating.counts_for_mos}
    return [
        abs(rating.rating - first[_heard(rating)]) for rating in ratings if rating.is_repeat and _heard(rating) in first
    ]


def _heard(rating: Rating) -> tuple[str, str, str, str]:
    return rating.participant, rating.session, rating.system, rating.utterance


def rating_of(stimulus: Stimulus, **fields) -> Rating:
    """A rating of a stimulus of the key.

    Raises:
        RowFault: The participant is not named.
    """
    if not fields["participant"]:
        raise RowFault("participant is empty")
    return Rating(
        system=stimulus.system,
        utterance=stimulus.utterance,
        is_trap=stimulus.kind == "trap",
        is_gold=stimulus.kind == "gold",
        is_training=stimulus.kind == "training",
        expected=stimulus.expected,
        **fields,
    )


def score_of(value: object, name: str = "rating") -> int:
    """A score of 1 to 5, given as a number or as text; `name` is what the message calls it.

    Raises:
        RowFault: It is missing, is no whole number, or is out of range.
    """
    score = number_or_none(value, name)
    if score is None:
        raise RowFault(f"{name} is missing")
    if score not in range(LOWEST_SCORE, HIGHEST_SCORE + 1):
        raise RowFault(f"{name} {reprlib.repr(value)} is not one of {LOWEST_SCORE} to {HIGHEST_SCORE}", score)
    return int(score)


def number_or_none(value: object, name: str) -> float | None:
    """A number, or None where the cell is empty; `name` is what the message calls it.

    Raises:
        RowFault: It is no finite number.
    """
    if value is None or (isinstance(value, str) and value.strip() in ("", "NA")):
        return None
    number = math.nan
    if isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            number = float(value)
        except (ValueError, OverflowError):
            pass
    if not math.isfinite(number):
        raise RowFault(f"{name} {reprlib.repr(value)} is no number")
    return number


def whole_number_or_none(value: object, name: str) -> int | None:
    """A whole number, or None where the cell is empty; `name` is what the message calls it.

    Raises:
        RowFault: It is no whole number.
    """
    number = number_or_none(value, name)
    if number is None:
        return None
    if number != int(number):
        raise RowFault(f"{name} {reprlib.repr(value)} is no whole number")
    return int(number)
