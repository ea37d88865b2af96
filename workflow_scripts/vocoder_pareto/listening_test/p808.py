"""The P.808 Toolkit (Naderi and Cutler 2020), which crowdsources ratings: its lists of clips, and its votes read back.

The toolkit composes sessions by itself, so the lists name all stimuli; the sounds are those of our own page. It has
screened its votes already: its gold and trapping clips are not among them, and a session (HIT) of some ten clips holds
too few of natural speech to be judged by them.
"""

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath

from vocoder_pareto.listening_test.csv_results import has_a_column_of, read_rows, text_of
from vocoder_pareto.listening_test.key import Key, Stimulus
from vocoder_pareto.listening_test.plan import Plan
from vocoder_pareto.listening_test.platform import ExportSettings, Platform, Results
from vocoder_pareto.listening_test.ratings import Rating, RowFault, rating_of, score_of
from vocoder_pareto.listening_test.strict_csv import Row
from vocoder_pareto.tables.csv_files import write_csv

VOTE_COLUMNS = ("HITId", "workerid", "file", "vote")


def write_p808(plan: Plan, folder: Path, settings: ExportSettings) -> None:
    """Write rating_clips.csv, training_clips.csv, gold_clips.csv and trapping_clips.csv into `folder`.

    Raises:
        UserError: The folder cannot be written.
    """
    base_url = settings.p808_base_url.rstrip("/")

    def write(name: str, columns: Sequence[str], stimuli: Sequence[Stimulus]) -> None:
        rows = ([f"{base_url}/{stimulus.name}.wav", stimulus.expected][: len(columns)] for stimulus in stimuli)
        write_csv(folder / name, columns, rows)

    write("rating_clips.csv", ["rating_clips"], plan.stimuli_of("rating"))
    write("training_clips.csv", ["training_clips"], plan.stimuli_of("training"))
    write("gold_clips.csv", ["gold_clips", "gold_clips_ans"], plan.stimuli_of("gold"))
    write("trapping_clips.csv", ["trapping_clips", "trapping_ans"], plan.stimuli_of("trap"))


def read_p808(path: Path, key: Callable[[], Key]) -> Results:
    """Read a `*_votes_per_worker*.csv`. A worker is a participant, a HIT a session.

    Raises:
        UserError: `read_rows` raises it, or the key is missing.
    """
    return read_rows(path, VOTE_COLUMNS, "take the file as the P.808 Toolkit wrote it", partial(_rating, key()))


def _rating(key: Key, cells: Row, source: str) -> Rating:
    stimulus = key.stimulus_by_name.get(PurePosixPath(cells["file"] or "").stem)
    if stimulus is None:
        raise RowFault(f"clip {cells['file']!r} is not in the key, so it is not of this export")
    return rating_of(
        stimulus,
        source=source,
        participant=text_of(cells, "workerid"),
        session=text_of(cells, "HITId"),
        rating=score_of(cells["vote"]),
        is_screened=True,
    )


P808 = Platform(
    name="p808",
    results_form=f"P.808 ({', '.join(VOTE_COLUMNS)})",
    suffix=".csv",
    recognises=has_a_column_of(VOTE_COLUMNS),
    read=read_p808,
    export=write_p808,
)
