"""Read a folder of responses in any of the known forms into ratings that are valid, unique and of one origin."""

import csv
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.key import Key, read_key
from vocoder_pareto.listening_test.p808_results import VOTE_COLUMNS, read_p808
from vocoder_pareto.listening_test.page_answers import Submission, read_submission
from vocoder_pareto.listening_test.rating_tables import read_rating_table
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, Responses
from vocoder_pareto.listening_test.webmushra_results import RESULT_COLUMNS, read_webmushra
from vocoder_pareto.tables.sources import LISTENING_TEST, SIMULATED

KEY_NAME = "key.json"
SUFFIXES = (".json", ".csv")


def read_responses(folder: str | Path, systems: Collection[str]) -> Responses:
    """Read all `.json` and `.csv` files of `folder`: answers of our page, webMUSHRA, P.808 Toolkit, plain tables.

    `key.json` of the export lies beside the responses; plain tables need none.

    Args:
        folder: holds the files; folders in it are not looked into.
        systems: names that a rating may have, the references among them.

    Raises:
        UserError: the folder is missing or empty, a file as a whole is of no known form, the key is missing or belongs
            to another test, simulated responses are mixed with real ones, or no row is valid.
    """
    files = response_files(folder)
    reader = _Reader(Path(folder) / KEY_NAME, systems)
    submissions = [reader.submission(path) for path in files if path.suffix == ".json"]
    rows = [row for path in files if path.suffix == ".csv" for row in reader.rows(path)]
    rows += _first_submissions(submissions)
    ratings, rejected = _unique_and_known(rows, systems)
    if not ratings:
        first = f", the first: {rejected[0].file}, row {rejected[0].row}: {rejected[0].reason}" if rejected else ""
        raise UserError(f"{folder}: holds no valid rating ({len(rejected)} rows rejected{first})")
    origins = {rating.simulated for rating in ratings}
    if len(origins) > 1:
        example = next(rating.source for rating in ratings if rating.simulated)
        raise UserError(f"{folder}: mixes simulated responses ({example}) with real ones; keep them in two folders")
    return Responses(ratings, rejected, (SIMULATED if origins.pop() else LISTENING_TEST).word)


def response_files(folder: str | Path) -> list[Path]:
    """The files of a folder of responses, sorted, without the key.

    Raises:
        UserError: there is no such folder, or nothing in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"config key listening_test.responses: {folder} is no folder; put the responses in one")
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.name != KEY_NAME)
    if not files:
        raise UserError(f"config key listening_test.responses: {folder} holds no {' or '.join(SUFFIXES)} file")
    return files


@dataclass
class _Reader:
    """Tells the forms of files apart, and reads the key when a file needs one."""

    key_path: Path
    systems: Collection[str]
    _key: Key | None = None

    def key_for(self, path: Path) -> Key:
        if self._key is None:
            if not self.key_path.is_file():
                raise UserError(
                    f"{path}: names sounds by opaque names; put {KEY_NAME} of the export "
                    f"(results/listening_test/{KEY_NAME}) into {self.key_path.parent}"
                )
            self._key = read_key(self.key_path)
        return self._key

    def submission(self, path: Path) -> Submission:
        return read_submission(path, self.key_for(path))

    def rows(self, path: Path) -> list[Rating | RejectedRow]:
        try:
            with path.open(newline="", encoding="utf-8-sig") as file:
                columns = set(next(csv.reader(file), []))
            if {"stimuli_rating", "stimuli"} & columns:
                return list(read_webmushra(path, self.key_for(path)))
            if set(VOTE_COLUMNS) & columns:
                return list(read_p808(path, self.key_for(path)))
            if {"participant", "system", "rating"} & columns:
                return list(read_rating_table(path, self.systems))
        except (UnicodeDecodeError, csv.Error) as error:
            raise UserError(f"{path}: not a CSV file in UTF-8 ({error}); save it as one") from error
        raise UserError(
            f"{path}: of no known form (columns {', '.join(sorted(columns)) or 'none'}); known are webMUSHRA "
            f"({', '.join(RESULT_COLUMNS)}), P.808 ({', '.join(VOTE_COLUMNS)}) and participant, system, item, rating"
        )


def _first_submissions(submissions: Iterable[Submission]) -> Iterator[Rating | RejectedRow]:
    """The rows of each participant's first submission of a session; those of later ones are rejected."""
    first: dict[tuple[str, ...], Submission] = {}
    for submission in sorted(submissions, key=lambda found: (found.finished_at or "9999", found.file)):
        names = [("id", submission.submission_id), ("session", submission.participant, str(submission.session))]
        earlier = next((first[name] for name in names if name in first), None)
        if earlier is None:
            first |= dict.fromkeys(names, submission)
            yield from submission.rows
            continue
        who = f"{submission.participant}, session {submission.session}"
        reason = f"duplicate submission of {who}; see {earlier.file}"
        yield from (RejectedRow(submission.file, number, reason) for number, _ in enumerate(submission.rows, start=1))


def _unique_and_known(
    rows: Iterable[Rating | RejectedRow], systems: Collection[str]
) -> tuple[list[Rating], list[RejectedRow]]:
    first: dict[tuple, Rating] = {}
    rejected = []
    for row in rows:
        if isinstance(row, RejectedRow):
            rejected.append(row)
            continue
        file, _, number = row.source.rpartition(":")
        kind = (row.is_trap, row.is_gold, row.is_training, row.is_repeat)
        # A participant may come for several sessions, and meet checks in each, but rates a sound once.
        name = (row.participant, "" if row.counts else row.session, row.system, row.utterance, kind)
        if not row.is_trap and row.system not in systems:
            reason = f"system {row.system!r} is unknown; known are {', '.join(systems)}"
            rejected.append(RejectedRow(file, int(number), reason))
        elif name in first:
            reason = (
                f"duplicate rating of {row.system or 'a trap'}, {row.utterance} by {row.participant}; "
                f"see {first[name].source}"
            )
            rejected.append(RejectedRow(file, int(number), reason))
        else:
            first[name] = row
    return list(first.values()), rejected
