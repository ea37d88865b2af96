"""What became of the recordings: how many are for training and for the test, and what was left out, mixed or is silent.

It is told in the same sentences in the log, on the terminal and on the report page. Imports nothing heavy, since the
Snakefile tells it, too.
"""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple, Self

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json

# What keeps a clip from being heard or compared, see `audio.sound`, and how readers are told it.
LittleSound = Literal["silent", "constant", "faint", "padded"]
WORDS: dict[LittleSound, str] = {
    "silent": "digital silence",
    "constant": "constant",
    "faint": "next to no sound",
    "padded": "mostly padding",
}
SPLITS = {
    "tail": "the last in sorted order",
    "random": "drawn at random, from every folder its share",
    "list": "named by a list",
}
MUCH_PADDING = 0.1
_NAMES_SHOWN = 3


class Remark(NamedTuple):
    """A sentence about the dataset, without a full stop."""

    kind: Literal["note", "warning"]
    text: str


@dataclass(frozen=True)
class DatasetSummary:
    """What dataset_summary.json holds.

    Attributes:
        recordings: The recordings of the corpus.
        used: How many of them, the first in sorted order, `dataset.clips` takes.
        train: The clips for training.
        test: The clips of the test set.
        split: How the test set was chosen, `tail`, `random` or `list`.
        skipped: The recordings among `used` that no clip could be made of.
        unreadable: Recordings in formats that are not read, by suffix.
        other_files: Files of the folder that are no recordings, by suffix.
        several_channels: The recordings of several channels among those that clips were made of.
        channels: What was done with them, `mix` or `first`.
        padding_share: The part of all samples, 0 to 1, that are zeros behind recordings shorter than a clip.
        little_sound: The clips that have too little sound, by identifier, with what they have instead.
        little_sound_of_test: How many of them are in the test set.
        trained_on: The clips of the test set that are among those for training, too, sample by sample, by identifier,
            each with the one that it equals.
    """

    recordings: int
    used: int
    train: int
    test: int
    split: str
    skipped: int
    unreadable: Mapping[str, int]
    other_files: Mapping[str, int]
    several_channels: int
    channels: str
    padding_share: float
    little_sound: Mapping[str, LittleSound]
    little_sound_of_test: int
    trained_on: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """What dataset_summary.json holds.

        Raises:
            UserError: The file is missing or damaged.
        """
        try:
            return cls(**read_json(path))
        except TypeError as error:
            raise UserError(f"{path}: damaged ({error}); delete it and rerun the rule `prepare_clips`") from error

    def write(self, path: str | Path) -> None:
        """Write dataset_summary.json, whole or not at all.

        Raises:
            UserError: The file cannot be written.
        """
        write_json(path, asdict(self))

    def remarks(self) -> Iterator[Remark]:
        """What a user should know of the dataset, each in a sentence."""
        first = f" (of the first {self.used} of {self.recordings} recordings, dataset.clips)"
        yield Remark(
            "note",
            f"clips for training: {self.train}, for the test: {self.test} ({SPLITS[self.split]}), recordings skipped: "
            f"{self.skipped}{first if self.used < self.recordings else ''}",
        )
        if self.skipped:
            yield Remark("warning", f"recordings that cannot be used, and why, are in skipped.csv: {self.skipped}")
        if self.unreadable:
            mend = "libsndfile does not read them; convert them to FLAC"
            yield Remark("warning", f"recordings left out, in skipped.csv ({mend}): {_counted(self.unreadable)}")
        if self.other_files:
            yield Remark("note", f"files that are no recordings: {_counted(self.other_files)}")
        if self.several_channels:
            done = {"mix": "mixed to one", "first": "of which the first was taken"}[self.channels]
            yield Remark("note", f"recordings of several channels, {done} (dataset.channels): {self.several_channels}")
        if self.padding_share >= MUCH_PADDING:
            why = "recordings are shorter than a clip; lower dataset.clip_seconds"
            yield Remark("warning", f"padding among all samples ({why}): {self.padding_share:.0%}")
        if self.little_sound:
            kinds = "; ".join(self._kinds_of_little_sound())
            yield Remark(
                "warning",
                f"clips with too little sound: {len(self.little_sound)}, in the test set {self.little_sound_of_test} "
                f"({kinds})",
            )

        if self.trained_on:
            pairs = [f"{test} equals {train}" for test, train in self.trained_on.items()]
            more = ", …" if len(pairs) > _NAMES_SHOWN else ""
            yield Remark(
                "warning",
                "clips of the test set that training hears, too (leave out copies of recordings, and links to them): "
                f"{len(pairs)} ({', '.join(pairs[:_NAMES_SHOWN])}{more})",
            )

    def _kinds_of_little_sound(self) -> Iterator[str]:
        for kind, words in WORDS.items():
            if names := [name for name, found in self.little_sound.items() if found == kind]:
                more = ", …" if len(names) > _NAMES_SHOWN else ""
                yield f"{words}: {len(names)}, {', '.join(names[:_NAMES_SHOWN])}{more}"


def _counted(suffixes: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {suffix or 'without a suffix'}" for suffix, count in suffixes.items())
