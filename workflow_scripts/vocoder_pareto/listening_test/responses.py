"""Read a folder of responses in any of the known forms into ratings that are valid, unique and of one origin."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.csv_results import columns_of
from vocoder_pareto.listening_test.first_submissions import first_submissions
from vocoder_pareto.listening_test.key import Key, read_key
from vocoder_pareto.listening_test.platform import Results
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, Responses
from vocoder_pareto.listening_test.registry import PLATFORMS
from vocoder_pareto.listening_test.texts import HIGHEST_SCORE
from vocoder_pareto.study.sections.listening_test import ListeningTestSettings
from vocoder_pareto.study.systems import GROUND_TRUTH
from vocoder_pareto.tables.sources import LISTENING_TEST, SIMULATED

KEY_NAME = "key.json"
SUFFIXES = tuple(dict.fromkeys(platform.suffix for platform in PLATFORMS))
HIDDEN = (".", "~$")  # how hidden files, macOS's companions (._a.csv) and Excel's locks (~$a.csv) begin
OF_THE_SYSTEM = ("desktop.ini", "thumbs.db")
MAX_REJECTED_SHARE = ListeningTestSettings().max_rejected_share
REASONS_TOLD = 3
MOST_CHARACTERS = 400  # of a reason on the terminal; rejected.csv has all
ENOUGH_REFERENCES = 20  # ratings of natural speech, of which one at least has the highest score in any sensible test


def read_responses(
    folder: str | Path, systems: Collection[str], max_rejected_share: float = MAX_REJECTED_SHARE
) -> Responses:
    """Read all results of any platform in `folder`, which may be mixed.

    `key.json` of the export lies beside them; plain tables need none.

    Args:
        folder: The folder that holds the files; folders in it are not looked into.
        systems: The names that a rating may have, the references among them.
        max_rejected_share: The largest share of rows that may be no valid ratings, 0 to 1; a single one always may.

    Raises:
        UserError: The folder is missing or empty, a file as a whole is of no known form or of another scale, the key is
            missing or belongs to another test, simulated responses are mixed with real ones, no row is valid, or too
            many are not.
    """
    reader = _Reader(Path(folder))
    results = [reader.results(path) for path in response_files(folder)]
    rows = [row for result in results if result.submission is None for row in result.rows]
    submitted = first_submissions(results)
    rows += submitted.rows
    ratings, rejected = _unique_and_known(rows, systems)
    _require_few_rejected(folder, ratings, rejected, max_rejected_share)
    origins = {rating.simulated for rating in ratings}
    if len(origins) > 1:
        example = next(rating.source for rating in ratings if rating.simulated)
        raise UserError(f"{folder}: mixes simulated responses ({example}) with real ones; keep them in two folders")
    notes = [note for result in results for note in result.notes] + submitted.notes + _notes(folder, ratings)
    source = SIMULATED if origins.pop() else LISTENING_TEST
    return Responses(ratings, rejected, source.word, notes, submitted.by_session)


def response_files(folder: str | Path) -> list[Path]:
    """The files of a folder of responses that are read, sorted, without the key.

    Raises:
        UserError: There is no such folder, or nothing in it.
    """
    if not Path(folder).is_dir():
        raise UserError(f"config key listening_test.responses: {folder} is no folder; put the responses in one")
    files = [path for path in sorted(Path(folder).iterdir()) if _is_read(path) and path.name.lower() != KEY_NAME]
    if not files:
        others = ", ".join(unread_names(folder))
        raise UserError(
            f"config key listening_test.responses: {folder} holds no {' or '.join(SUFFIXES)} file"
            + (f", only {others}" if others else "")
        )
    return files


def key_file(folder: str | Path) -> Path | None:
    """The key beside the responses, None if there is none."""
    return next((path for path in sorted(Path(folder).iterdir()) if path.name.lower() == KEY_NAME), None)


def unread_names(folder: str | Path) -> list[str]:
    """The names of what lies in a folder of responses and is not read, folders with a slash, without hidden files."""
    unread = [path for path in sorted(Path(folder).iterdir()) if not (_is_hidden(path) or _is_read(path))]
    return [f"{path.name}/" if path.is_dir() else path.name for path in unread]


def _is_read(path: Path) -> bool:
    return path.suffix.lower() in SUFFIXES and not _is_hidden(path) and not path.is_dir()


def _is_hidden(path: Path) -> bool:
    return path.name.startswith(HIDDEN) or path.name.lower() in OF_THE_SYSTEM


@dataclass(frozen=True)
class _Reader:
    """Finds the platform of each file, and reads the key when a file needs it."""

    folder: Path

    def results(self, path: Path) -> Results:
        for platform in PLATFORMS:
            if path.suffix.lower() == platform.suffix and platform.recognises(path):
                return platform.read(path, partial(self._key_for, path))
        raise UserError(
            f"{path}: of no known form (columns {', '.join(sorted(columns_of(path))) or 'none'}); "
            f"known are {'; '.join(platform.results_form for platform in PLATFORMS)}"
        )

    def _key_for(self, path: Path) -> Key:
        if self._key is None:
            raise UserError(
                f"{path}: names sounds by opaque names; put {KEY_NAME} of the export "
                f"(results/listening_test/{KEY_NAME}) into {self.folder}"
            )
        return self._key

    @cached_property
    def _key(self) -> Key | None:
        key = key_file(self.folder)
        return read_key(key) if key else None


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
        name = (row.participant, "" if row.counts_for_mos else row.session, row.system, row.utterance, kind)
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


def _require_few_rejected(
    folder: str | Path, ratings: Sequence[Rating], rejected: Sequence[RejectedRow], max_share: float
) -> None:
    lost = [row for row in rejected if not row.sent_again]
    first = (
        f", the first: {rejected[0].file}, row {rejected[0].row}: {_in_a_line(rejected[0].reason)}" if rejected else ""
    )
    if not ratings:
        raise UserError(f"{folder}: holds no valid rating ({len(rejected)} rows rejected{first})")
    total = len(ratings) + len(lost)
    if len(lost) > 1 and len(lost) > max_share * total:
        raise UserError(
            f"{folder}: {len(lost)} of {total} rows ({len(lost) / total:.0%}) are no ratings: {reasons_of(lost)}. "
            f"Correct them, or allow more than {max_share:.0%} by config key listening_test.max_rejected_share"
        )


def reasons_of(rejected: Iterable[RejectedRow]) -> str:
    """The most frequent reasons, each with how often and where it came first."""
    first: dict[str, RejectedRow] = {}
    counts = Counter(row.reason for row in rejected if first.setdefault(row.reason, row))
    told = [
        f"{count} × {_in_a_line(reason)} ({first[reason].file}, row {first[reason].row})"
        for reason, count in counts.most_common(REASONS_TOLD)
    ]
    others = sum(counts.values()) - sum(count for _, count in counts.most_common(REASONS_TOLD))
    return "; ".join([*told, *([f"{others} × other reasons"] if others else [])])


def _in_a_line(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= MOST_CHARACTERS else f"{line[: MOST_CHARACTERS - 3]}..."


def _notes(folder: str | Path, ratings: Sequence[Rating]) -> list[str]:
    """What nobody can tell for certain to be wrong, or is left out."""
    notes = []
    if unread := unread_names(folder):
        notes.append(f"{folder}: not read: {', '.join(unread)} (read are {' and '.join(SUFFIXES)} files)")
    references = [rating.rating for rating in ratings if rating.counts_for_mos and rating.system == GROUND_TRUTH]
    if len(references) >= ENOUGH_REFERENCES and max(references) < HIGHEST_SCORE:
        notes.append(
            f"{folder}: none of {len(references)} ratings of natural speech is {HIGHEST_SCORE}; "
            "if the scale was 0 to 4, add one to every score"
        )
    return notes
