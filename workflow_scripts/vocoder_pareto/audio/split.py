"""Which clips are the test set: the tail of the sorted names, a random share of every folder, or a list."""

import hashlib
from collections.abc import Collection, Sequence
from pathlib import Path, PurePosixPath

from vocoder_pareto.audio.corpora import SourceFile, read_lines
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import DatasetSettings, ListedTestSet


def split_name(settings: DatasetSettings) -> str:
    """How the test set is chosen: `tail`, `random` or `list`."""
    if isinstance(settings.split, ListedTestSet):
        return "list"
    return settings.split or ("random" if settings.source == "folder" else "tail")


def size_of_test_set(clips: int, test_share: float) -> int:
    """How many of `clips` are the test set: the rounded share, but at least one, with at least one left to train on."""
    return min(max(round(clips * test_share), 1), clips - 1)


def tail(files: Sequence[SourceFile], test_share: float) -> list[SourceFile]:
    """The last of `files`, in their order."""
    return list(files[-size_of_test_set(len(files), test_share) :])


def random_share(files: Sequence[SourceFile], test_share: float, seed: int) -> list[SourceFile]:
    """A random share of `files`, of every folder, in random order.

    Each folder, at any depth, has its share of the chosen files to within one: the files are shuffled inside their
    folders, folders inside of theirs, and then taken at equal distances (systematic sampling, Cochran 1977, chapter
    8). Equal names and seeds give an equal choice on any machine.
    """
    shuffled = sorted(files, key=lambda file: _random_place(file.name, seed))
    count, size = len(files), size_of_test_set(len(files), test_share)
    start = int.from_bytes(_digest("start", seed)[:6]) % count
    chosen = [
        file
        for index, file in enumerate(shuffled)
        if ((index + 1) * size + start) // count > (index * size + start) // count
    ]
    return sorted(chosen, key=lambda file: _digest(f"order/{file.name}", seed))


def listed(files: Sequence[SourceFile], path: Path) -> list[SourceFile]:
    """Those of `files` that a text file names, in their order.

    A line holds the name of a file below the corpus or the identifier of a clip; what follows a `|`, as transcripts do
    in the lists of other projects, does not count. Blank lines are passed over.

    Raises:
        UserError: The list cannot be read, names none of `files`, or names something else.
    """
    try:
        lines = read_lines(path)
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(
            f"config key dataset.split: {path} cannot be read as UTF-8 text ({error}); restore it"
        ) from error
    known = {file.clip_id: file for file in files} | {file.name: file for file in files}
    chosen = set()
    for number, line in enumerate(lines, start=1):
        spellings = (line, line.strip(), line.partition("|")[0].strip())
        file = next((known[spelling] for spelling in spellings if spelling in known), None)
        if file is not None:
            chosen.add(file)
        elif line.strip():
            raise UserError(
                f"{path}, line {number}: {line.strip()!r} is none of the {len(files)} recordings in use "
                "(config key dataset.clips limits them); write a file relative to dataset.path, or the name of a clip"
            )
    if not chosen:
        raise UserError(f"{path}: names no recording; name the test set, one recording a line")
    return [file for file in files if file in chosen]


def chosen_test_set(
    files: Sequence[SourceFile],
    usable: Collection[SourceFile],
    settings: DatasetSettings,
    test_list: Path | None,
    seed: int,
) -> list[SourceFile]:
    """The test set among the `usable` ones of `files`, in the order in which it is to be used.

    Args:
        files: The recordings of the corpus, sorted.
        usable: Those of them that clips could be made of, at least two.
        settings: The settings of the dataset.
        test_list: The file that names the test set; None for that of `settings`.
        seed: The seed of a random split.

    Raises:
        UserError: The list is damaged, or leaves no clip for training or for the test.
    """
    good = [file for file in files if file in usable]
    if not isinstance(settings.split, ListedTestSet):
        share = settings.test_share
        return tail(good, share) if split_name(settings) == "tail" else random_share(good, share, seed)
    path = test_list or Path(settings.split.file)
    chosen = [file for file in listed(files, path) if file in usable]
    if not 0 < len(chosen) < len(good):
        what = "all usable recordings; leave some to train on" if chosen else "no usable recording; name others"
        raise UserError(f"{path}: names {what}")
    return chosen


def _random_place(name: str, seed: int) -> tuple[bytes, ...]:
    """A place in random order that keeps the files of each folder together."""
    path = PurePosixPath(name)
    parts = [*reversed(path.parents), path][1:]  # without the folder of the corpus
    return tuple(_digest(f"place/{part}", seed) for part in parts)


def _digest(text: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed}/{text}".encode()).digest()
