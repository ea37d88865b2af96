"""Results of webMUSHRA, read back.

They name no participant unless a question asks for one, so the export asks, and files without are refused.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.listening_test.key import Key
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault, number_of, rating_of, score_of

PARTICIPANT_QUESTION = "participant_id"
RESULT_COLUMNS = ("session_test_id", "trial_id", "stimuli_rating", "stimuli", "rating_time")


def read_webmushra(path: str | Path, key: Key) -> Iterator[Rating | RejectedRow]:
    """The ratings of an `lss.csv` or `lms.csv`; conditions are resolved by `key`.

    Raises:
        UserError: the file has no participants, or lacks a column.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        if PARTICIPANT_QUESTION not in columns:
            raise UserError(
                f"{path}: has no column {PARTICIPANT_QUESTION}, so its ratings cannot be told apart by participant; "
                f"run the exported configurations, whose last page asks for it"
            )
        missing = [name for name in RESULT_COLUMNS if name not in columns]
        if missing:
            raise UserError(f"{path}: column {missing[0]} is missing; take the file as webMUSHRA wrote it")
        for row in reader:
            try:
                yield _rating(path, reader.line_num, row, key)
            except RowFault as fault:
                yield RejectedRow(Path(path).name, reader.line_num, str(fault))


def _rating(path: str | Path, line: int, row: Mapping[str, str], key: Key) -> Rating:
    stimulus = key.by_name.get((row["stimuli"] or "").strip())
    if stimulus is None:
        raise RowFault(f"condition {row['stimuli']!r} is not in the key")
    session = (row["session_test_id"] or "").strip()
    return rating_of(
        stimulus,
        source=f"{Path(path).name}:{line}",
        participant=(row[PARTICIPANT_QUESTION] or "").strip(),
        session=session,
        rating=score_of(row["stimuli_rating"]),
        time_ms=number_of(row["rating_time"]),
        list_id=session.rpartition("list")[2],
    )
