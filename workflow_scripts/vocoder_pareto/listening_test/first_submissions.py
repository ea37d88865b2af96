"""Which of several files of one session count: people send a part and then the whole, a file twice, or begin anew."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

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

    A person whom the link names and who comes under several codes gets the first of them.
    """
    submitted = [(result.submission, result) for result in results if result.submission is not None]
    found = FirstSubmissions()
    first: dict[tuple[str, ...], tuple[Submission, Results]] = {}
    code_of_person: dict[str, str] = {}
    for submission, result in sorted(submitted, key=lambda each: _rank(*each)):
        code = submission.participant
        if submission.person:
            code = code_of_person.setdefault(submission.person, code)
        names = [("id", submission.identifier), ("session", code, submission.session)]
        earlier = next((first[name] for name in names if name in first), None)
        if earlier is None:
            first |= dict.fromkeys(names, (submission, result))
            found.by_session[code, submission.session] = submission
            found.rows += [replace(row, participant=code) if isinstance(row, Rating) else row for row in result.rows]
            continue
        who = f"{code}, session {submission.session}"
        reason = f"duplicate submission of {who}; see {earlier[1].file}"
        found.rows += [RejectedRow(result.file, row, reason, sent_again=True) for row in range(1, len(result.rows) + 1)]
        if _may_be_another(submission, earlier[0]) and _scores(result) != _scores(earlier[1]):
            found.notes.append(
                f"{result.file}: is left out, since {who} came before with other scores ({earlier[1].file}); if two "
                "people shared a code, change participant in one of the files"
            )
    return found


def _rank(submission: Submission, result: Results) -> tuple[str, int, str]:
    return submission.finished_at or "9999", -submission.n_answered, result.file


def _may_be_another(submission: Submission, earlier: Submission) -> bool:
    return submission.identifier != earlier.identifier and not (submission.person and earlier.person)


def _scores(result: Results) -> list[tuple[int | None, int]]:
    return [(row.trial_index, row.rating) for row in result.rows if isinstance(row, Rating)]
