"""Plain tables, a row per rating: the form for tests that were run elsewhere, and of our own canonical output."""

import csv
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import written_whole
from vocoder_pareto.listening_test.ratings import Rating, RejectedRow, RowFault, number_of, score_of, whole_of

REQUIRED = ("participant", "system", "rating")
UTTERANCE_NAMES = ("utterance", "item")
COLUMNS = tuple(field.name for field in fields(Rating))
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no", "")


def read_rating_table(path: str | Path, systems: Collection[str]) -> Iterator[Rating | RejectedRow]:
    """The ratings of a CSV file with the columns participant, system, item (or utterance), rating.

    The other columns of the canonical responses may be there too; others are ignored.

    Args:
        path: the file.
        systems: names that are known.

    Raises:
        UserError: a required column is missing.
    """
    with Path(path).open(newline="", encoding="utf-8-sig") as file:
        reader = csv.DictReader(file)
        columns = reader.fieldnames or []
        missing = [name for name in REQUIRED if name not in columns]
        utterance = next((name for name in UTTERANCE_NAMES if name in columns), None)
        if missing or utterance is None:
            raise UserError(
                f"{path}: column {(missing or ['item'])[0]} is missing; "
                f"ratings need participant, system, item and rating, it has {', '.join(columns) or 'none'}"
            )
        for row in reader:
            try:
                yield _rating(row, utterance, systems, f"{Path(path).name}:{reader.line_num}")
            except RowFault as fault:
                yield RejectedRow(Path(path).name, reader.line_num, str(fault))


def write_rating_table(path: str | Path, ratings: Sequence[Rating]) -> None:
    """Write canonical responses, which `read_rating_table` reads; what is not known is empty."""
    with written_whole(path) as temporary, temporary.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        writer.writerows([_cell(getattr(rating, name)) for name in COLUMNS] for rating in ratings)


def _rating(row: Mapping[str, str | None], utterance: str, systems: Collection[str], source: str) -> Rating:
    def text(name: str) -> str:
        return (row.get(name) or "").strip()

    for name in ("participant", utterance):
        if not text(name):
            raise RowFault(f"{name} is empty")
    is_trap = _flag(text("is_trap"), "is_trap")
    if text("system") not in systems and not is_trap:
        raise RowFault(f"system {text('system')!r} is unknown; known are {', '.join(systems)}")
    return Rating(
        participant=text("participant"),
        session=text("session"),
        system=text("system"),
        utterance=text(utterance),
        rating=score_of(text("rating")),
        trial_index=whole_of(text("trial_index")),
        time_ms=number_of(text("time_ms")),
        n_plays=whole_of(text("n_plays")),
        is_trap=is_trap,
        is_gold=_flag(text("is_gold"), "is_gold"),
        is_training=_flag(text("is_training"), "is_training"),
        list_id=text("list_id"),
        is_repeat=_flag(text("is_repeat"), "is_repeat"),
        expected=score_of(text("expected")) if text("expected") else None,
        played_to_end=_flag(text("played_to_end"), "played_to_end") if text("played_to_end") else None,
        simulated=_flag(text("simulated"), "simulated"),
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
