"""The P.808 Toolkit (Naderi and Cutler 2020) for crowdsourcing: lists of clips for it, and its votes read back."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.listening_test.key import Key, Stimulus
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault, rating_of, score_of

VOTE_COLUMNS = ("HITId", "workerid", "file", "vote")


def write_p808(folder: str | Path, plan: Plan, base_url: str) -> None:
    """Write rating_clips.csv, training_clips.csv, gold_clips.csv and trapping_clips.csv below `folder`.

    The toolkit composes sessions by itself, so these list all stimuli; the sounds are those of our own page.

    Args:
        folder: to write to.
        plan: the test.
        base_url: address of the folder that the sounds are uploaded to.

    Raises:
        UserError: the folder cannot be written.
    """

    def write(name: str, columns: Sequence[str], stimuli: Sequence[Stimulus]) -> None:
        with written_whole(Path(folder) / name) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(columns)
            for stimulus in stimuli:
                address = f"{base_url.rstrip('/')}/{stimulus.name}.wav"
                writer.writerow([address, stimulus.expected][: len(columns)])

    write("rating_clips.csv", ["rating_clips"], plan.named("rating"))
    write("training_clips.csv", ["training_clips"], plan.named("training"))
    write("gold_clips.csv", ["gold_clips", "gold_clips_ans"], plan.named("gold"))
    write("trapping_clips.csv", ["trapping_clips", "trapping_ans"], plan.named("trap"))


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
