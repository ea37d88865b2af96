"""Where a corpus lies, and which files are there. Imports nothing heavy: the Snakefile calls it each time."""

import os
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import ArcticVoice, Source

# What libsndfile reads by its header, and recordings that it does not read.
SUFFIXES = (
    ".wav", ".wave", ".flac", ".ogg", ".oga", ".opus", ".mp3", ".mp2", ".aif", ".aiff", ".aifc", ".au", ".snd", ".caf",
    ".w64", ".rf64", ".sph", ".voc",
)  # fmt: skip
UNREADABLE_SUFFIXES = (
    ".m4a", ".m4b", ".mp4", ".aac", ".wma", ".webm", ".mka", ".ape", ".wv", ".amr", ".3gp", ".ac3", ".alac", ".spx",
    ".tta", ".shn", ".dsf", ".dff", ".ra", ".raw", ".pcm",
)  # fmt: skip
INDEXES = ("metadata.csv", "txt.done.data")  # of LJSpeech and of CMU ARCTIC
DOWNLOADS = Path("data")  # not below the results, so that all studies in a working folder share it


@dataclass(frozen=True)
class CorpusLocation:
    """Where a corpus lies.

    Attributes:
        folder: The folder of the corpus.
        archive: The archive that it is extracted from, if the user has one.
        made_here: Whether a rule makes it (synthesis, download, extraction); else it is the user's, read in place.
    """

    folder: Path
    archive: Path | None
    made_here: bool

    @property
    def metadata(self) -> str | None:
        """The metadata.csv that a rule makes; None for a user's own corpus."""
        return (self.folder / "metadata.csv").as_posix() if self.made_here else None


def folder_of_arctic(voice: str) -> str:
    """How CMU ARCTIC calls the folder of a voice, and its archive."""
    return f"cmu_us_{voice}_arctic"


def locate_corpus(
    source: Source, path: str | None, results_dir: str | Path, voice: ArcticVoice = "slt"
) -> CorpusLocation:
    """The corpus that `dataset.source` and `dataset.path` mean.

    Args:
        source: The kind of the corpus.
        path: The user's folder or archive; None for the corpus that a rule makes.
        results_dir: The folder of results, below which a synthetic corpus lies.
        voice: The voice of CMU ARCTIC.

    Raises:
        UserError: The path is missing, or is of the wrong kind.
    """
    where = f"config key dataset.path: {path!r}"
    if source == "synthetic":
        if path is not None:
            raise UserError(f"{where} is not allowed with dataset.source synthetic; set it to null")
        return CorpusLocation(Path(results_dir) / "data" / "synthetic", None, made_here=True)
    published = {"ljspeech": "LJSpeech-1.1", "cmu_arctic": folder_of_arctic(voice)}.get(source)
    if path is None:
        if published:
            return CorpusLocation(DOWNLOADS / published, None, made_here=True)
        raise UserError("config key dataset.path: missing; name the folder that holds the recordings")
    if published and Path(path).is_file():
        return CorpusLocation(DOWNLOADS / published, Path(path), made_here=True)
    if not Path(path).is_dir():
        allowed = f"the folder {published}, {published}.tar.bz2, or null" if published else "a folder"
        fault = "is no folder" if Path(path).exists() else "does not exist"
        raise UserError(f"{where} {fault}; expected {allowed}")
    return CorpusLocation(Path(path), None, made_here=False)


@dataclass(frozen=True)
class LeftOut:
    """The files of a folder that are no recordings of the study; hidden ones are neither.

    Attributes:
        unreadable: The names of recordings in formats that libsndfile does not read, sorted.
        others: How many other files there are, by suffix in small letters.
    """

    unreadable: tuple[str, ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)


def audio_files_below(folder: str | Path) -> list[str]:
    """Names of all recordings below `folder` that libsndfile may read, told by their suffix.

    They are relative to it and sorted, without hidden files and folders. A link to nowhere is among them.

    Raises:
        UserError: A folder cannot be listed, or a name is not valid UTF-8.
    """
    return _names_with(folder, SUFFIXES)


def left_out_below(folder: str | Path) -> LeftOut:
    """What lies below `folder` beside the recordings of `audio_files_below`.

    Raises:
        UserError: A folder cannot be listed, or the name of a recording is not valid UTF-8.
    """
    suffixes = Counter(Path(name).suffix.lower() for name in _files(Path(folder)))
    others: Counter[str] = Counter()
    for suffix in sorted(suffixes.keys() - {*SUFFIXES, *UNREADABLE_SUFFIXES}):
        others[suffix if suffix.isprintable() else ""] += suffixes[suffix]
    return LeftOut(tuple(_names_with(folder, UNREADABLE_SUFFIXES)), dict(others))


def corpus_files(folder: str | Path) -> list[Path]:
    """All files below a user's `folder` that clips are made from, recordings and what lists them, sorted.

    Raises:
        UserError: A folder cannot be listed.
    """
    names = sorted(name for name in _files(Path(folder)) if name.lower().endswith((*SUFFIXES, *INDEXES)))
    return [path for path in (Path(folder) / name for name in names) if os.path.isfile(path)]


def _names_with(folder: str | Path, suffixes: tuple[str, ...]) -> list[str]:
    names = sorted(name for name in _files(Path(folder)) if name.lower().endswith(suffixes))
    for name in names:
        if not name.isprintable():  # among others, a byte that is not UTF-8
            raise UserError(f"{folder}: the file name {name!r} cannot be written into a table; rename the file")
    return names


def _files(folder: Path) -> Iterator[str]:
    pending = [folder]
    visited = set()
    while pending:
        current = pending.pop()
        if (real := os.path.realpath(current)) in visited:  # links may go round in circles
            continue
        visited.add(real)
        try:
            entries = [entry for entry in os.scandir(current) if not entry.name.startswith(".")]
        except OSError as error:
            raise UserError(f"{current}: cannot be listed ({error.strerror}); mend its path or permissions") from error
        for entry in entries:
            if os.path.isdir(entry.path):  # the entry's own methods raise for a link to itself
                pending.append(Path(entry.path))
            elif os.path.isfile(entry.path) or (entry.is_symlink() and not os.path.exists(entry.path)):  # to nowhere
                yield Path(entry.path).relative_to(folder).as_posix()
