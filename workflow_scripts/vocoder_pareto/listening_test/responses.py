"""Read a folder of responses in any of the known forms into ratings that are valid, unique and of one origin."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.csv_results import columns_of
from vocoder_pareto.listening_test.key import Key, read_key
from vocoder_pareto.listening_test.platform import Results
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, Responses
from vocoder_pareto.listening_test.registry import PLATFORMS
from vocoder_pareto.tables.sources import LISTENING_TEST, SIMULATED

KEY_NAME = "key.json"
SUFFIXES = tuple(dict.fromkeys(platform.suffix for platform in PLATFORMS))


def read_responses(folder: str | Path, systems: Collection[str]) -> Responses:
    """Read all results of any platform in `folder`, which may be mixed.

    `key.json` of the export lies beside them; plain tables need none.

    Args:
        folder: The folder that holds the files; folders in it are not looked into.
        systems: The names that a rating may have, the references among them.

    Raises:
        UserError: The folder is missing or empty, a file as a whole is of no known form, the key is missing or belongs
            to another test, simulated responses are mixed with real ones, or no row is valid.
    """
    reader = _Reader(Path(folder))
    results = [reader.results(path) for path in response_files(folder)]
    rows = [row for result in results if result.submission is None for row in result.rows]
    rows += _first_submissions(results)
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
        UserError: There is no such folder, or nothing in it.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise UserError(f"config key listening_test.responses: {folder} is no folder; put the responses in one")
    files = sorted(path for path in folder.iterdir() if path.suffix in SUFFIXES and path.name != KEY_NAME)
    if not files:
        raise UserError(f"config key listening_test.responses: {folder} holds no {' or '.join(SUFFIXES)} file")
    return files


@dataclass(frozen=True)
class _Reader:
    """Finds the platform of each file, and reads the key when a file needs it."""

    folder: Path

    def results(self, path: Path) -> Results:
        for platform in PLATFORMS:
            if path.suffix == platform.suffix and platform.recognises(path):
                return platform.read(path, partial(self._key_for, path))
        raise UserError(
            f"{path}: of no known form (columns {', '.join(sorted(columns_of(path))) or 'none'}); "
            f"known are {'; '.join(platform.results_form for platform in PLATFORMS)}"
        )

    def _key_for(self, path: Path) -> Key:
        key = self.folder / KEY_NAME
        if not key.is_file():
            raise UserError(
                f"{path}: names sounds by opaque names; put {KEY_NAME} of the export "
                f"(results/listening_test/{KEY_NAME}) into {self.folder}"
            )
        return self._key

    @cached_property
    def _key(self) -> Key:
        return read_key(self.folder / KEY_NAME)


def _first_submissions(results: Iterable[Results]) -> Iterator[Rating | RejectedRow]:
    """The rows of each participant's first submission of a session; those of later ones are rejected."""
    submitted = [(result.submission, result) for result in results if result.submission is not None]
    first: dict[tuple[str, ...], Results] = {}
    for submission, result in sorted(submitted, key=lambda found: (found[0].finished_at or "9999", found[1].file)):
        names = [("id", submission.identifier), ("session", submission.participant, submission.session)]
        earlier = next((first[name] for name in names if name in first), None)
        if earlier is None:
            first |= dict.fromkeys(names, result)
            yield from result.rows
            continue
        who = f"{submission.participant}, session {submission.session}"
        reason = f"duplicate submission of {who}; see {earlier.file}"
        yield from (RejectedRow(result.file, number, reason) for number, _ in enumerate(result.rows, start=1))


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
