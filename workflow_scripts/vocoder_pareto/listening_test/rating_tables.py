"""Plain tables, a row per rating: the form for tests that were run elsewhere, and of our own canonical output."""

from collections.abc import Callable, Sequence
from dataclasses import fields
from functools import partial
from pathlib import Path

from vocoder_pareto.listening_test.csv_results import columns_of, has_a_column_of, read_rows, text_of
from vocoder_pareto.listening_test.key import Key
from vocoder_pareto.listening_test.platform import Platform, Results
from vocoder_pareto.listening_test.ratings import (
    Rating,
    RowFault,
    number_or_none,
    score_of,
    whole_number_or_none,
)
from vocoder_pareto.listening_test.strict_csv import Row
from vocoder_pareto.tables.csv_files import write_csv

REQUIRED = ("participant", "system", "rating")
UTTERANCE_NAMES = ("utterance", "item")
COLUMNS = tuple(field.name for field in fields(Rating))
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


def read_rating_table(path: Path, key: Callable[[], Key]) -> Results:
    """Read a CSV file with the columns participant, system, item (or utterance) and rating.

    The other columns of the canonical responses may be there too; still others are ignored. The key is not needed,
    since the table names systems.

    Raises:
        UserError: `read_rows` raises it.
    """
    columns = columns_of(path)
    utterance = next((name for name in UTTERANCE_NAMES if name in columns), "item")
    remedy = f"ratings need participant, system, item and rating, it has {', '.join(columns) or 'none'}"
    return read_rows(path, (*REQUIRED, utterance), remedy, partial(_rating, utterance))


def write_rating_table(path: str | Path, ratings: Sequence[Rating]) -> None:
    """Write canonical responses, which `read_rating_table` reads; what is not known is empty."""
    write_csv(path, COLUMNS, ([_cell(getattr(rating, name)) for name in COLUMNS] for rating in ratings))


def _rating(utterance: str, cells: Row, source: str) -> Rating:
    text = partial(text_of, cells)
    for name in ("participant", utterance):
        if not text(name):
            raise RowFault(f"{name} is empty")
    return Rating(
        participant=text("participant"),
        session=text("session"),
        system=text("system"),
        utterance=text(utterance),
        rating=score_of(text("rating")),
        trial_index=whole_number_or_none(text("trial_index"), "trial_index"),
        time_ms=number_or_none(text("time_ms"), "time_ms"),
        n_plays=whole_number_or_none(text("n_plays"), "n_plays"),
        is_trap=_flag(text("is_trap"), "is_trap"),
        is_gold=_flag(text("is_gold"), "is_gold"),
        is_training=_flag(text("is_training"), "is_training"),
        list_id=text("list_id"),
        is_repeat=_flag(text("is_repeat"), "is_repeat"),
        expected=score_of(text("expected"), "expected") if text("expected") else None,
        played_to_end=_flag(text("played_to_end"), "played_to_end") if text("played_to_end") else None,
        simulated=_flag(text("simulated"), "simulated"),
        is_screened=_flag(text("is_screened"), "is_screened"),
        source=source,
    )


def _flag(value: str, name: str) -> bool:
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise RowFault(f"{name} is {value!r}; must be true or false")


def _cell(value: object) -> object:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else value


RATING_TABLES = Platform(
    name="rating_tables",
    results_form="participant, system, item, rating",
    suffix=".csv",
    recognises=has_a_column_of(REQUIRED),
    read=read_rating_table,
)
