"""Votes of the P.808 Toolkit, read back."""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.key import Key
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault, rating_of, score_of

VOTE_COLUMNS = ("HITId", "workerid", "file", "vote")


def read_p808(path: str | Path, key: Key) -> Iterator[Rating | RejectedRow]:
    """The ratings of a `*_votes_per_worker.csv`; clips are resolved by `key`. A worker is a participant.

    The toolkit has screened these votes already: its gold and trapping clips are not among them.

    Raises:
        UserError: the file lacks a column.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        missing = [name for name in VOTE_COLUMNS if name not in (reader.fieldnames or [])]
        if missing:
            raise UserError(f"{path}: column {missing[0]} is missing; take the file as the P.808 Toolkit wrote it")
        for row in reader:
            try:
                yield _rating(path, reader.line_num, row, key)
            except RowFault as fault:
                yield RejectedRow(Path(path).name, reader.line_num, str(fault))


def _rating(path: str | Path, line: int, row: Mapping[str, str], key: Key) -> Rating:
    stimulus = key.by_name.get(PurePosixPath(row["file"] or "").stem)
    if stimulus is None:
        raise RowFault(f"clip {row['file']!r} is not in the key")
    return rating_of(
        stimulus,
        source=f"{Path(path).name}:{line}",
        participant=(row["workerid"] or "").strip(),
        session=(row["HITId"] or "").strip(),
        rating=score_of(row["vote"]),
    )
