"""Which of several files of one session count: people send a part and then the whole, a file twice, or begin anew."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace
from itertools import chain, count

from vocoder_pareto.listening_test.platform import Results
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow
from vocoder_pareto.listening_test.submissions import Submission


@dataclass
class FirstSubmissions:
    """What `first_submissions` finds.

    Attributes:
        rows: The rows of the files that count as they are, and those of the others as rejected.
        by_session: What is known of the sessions that count, by participant and session.
        notes: What the experimenter should know of the others, a sentence each.
    """

    rows: list[Rating | RejectedRow] = field(default_factory=list)
    by_session: dict[tuple[str, str], Submission] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


def first_submissions(results: Iterable[Results]) -> FirstSubmissions:
    """Sort out files that hold a session each: the one that was finished first counts, else that with most answers.

    A person whom the link names and who comes under several codes gets the first of them. Two such persons who give one
    code get a number each.
    """
    submitted = [(result.submission, result) for result in results if result.submission is not None]
    found = FirstSubmissions()
    first: dict[tuple[str, ...], tuple[Submission, Results]] = {}
    codes: dict[tuple[str, str], str] = {}  # of those who took part, by person or else by code
    for submission, result in sorted(submitted, key=lambda each: _rank(*each)):
        who = ("person", submission.person) if submission.person else ("code", submission.participant)
        code = codes.setdefault(who, _free(submission.participant, codes.values()))
        names = [("id", submission.identifier), ("session", *who, submission.session)]
        earlier = next((first[name] for name in names if name in first), None)
        if earlier is None:
            first |= dict.fromkeys(names, (submission, result))
            found.by_session[code, submission.session] = submission
            found.rows += [replace(row, participant=code) if isinstance(row, Rating) else row for row in result.rows]
            continue
        told = f"{code}, session {submission.session}"
        reason = f"duplicate submission of {told}; see {earlier[1].file}"
        found.rows += [RejectedRow(result.file, row, reason, sent_again=True) for row in range(1, len(result.rows) + 1)]
        is_another = submission.identifier != earlier[0].identifier and not submission.person
        if is_another and _scores(result) != _scores(earlier[1]):
            found.notes.append(
                f"{result.file}: is left out, since {told} came before with other scores ({earlier[1].file}); if two "
                "people shared a code, change participant in one of the files"
            )
    return found


def _rank(submission: Submission, result: Results) -> tuple[str, int, str]:
    return submission.finished_at or "9999", -submission.n_answered, result.file


def _free(code: str, taken: Collection[str]) -> str:
    names = chain([code], (f"{code} #{number}" for number in count(2)))
    return next(name for name in names if name not in taken)


def _scores(result: Results) -> list[tuple[int | None, int]]:
    return [(row.trial_index, row.rating) for row in result.rows if isinstance(row, Rating)]
