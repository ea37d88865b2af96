"""The recordings of a corpus: a list of files with an identifier each, in sorted order. Imports nothing heavy."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vocoder_pareto.audio.corpus_location import audio_files_below
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import Source

LJSPEECH_RATE = 22050
LONGEST_ID_BYTES = 255 - len(".wav")  # in UTF-8: files are called by it, and no usual file system takes longer names


@dataclass(frozen=True)
class SourceFile:
    """A recording of a corpus.

    Attributes:
        clip_id: The identifier of the clip, unique and usable as a file name.
        name: The path of the file, relative to the folder of the corpus.
    """

    clip_id: str
    name: str


def list_corpus(source: Source, folder: str | Path, limit: int | None = None) -> list[SourceFile]:
    """The first `limit` recordings (all, if None) of a corpus, in sorted order.

    A synthetic corpus and LJSpeech are what their metadata.csv lists; a folder is all recordings below it.

    Raises:
        UserError: There is no metadata.csv or it is damaged, there are fewer than two recordings, `limit` is less than
            2 or more than there are, or an identifier is too long for the name of a file.
    """
    if source == "folder":
        files = name_files(audio_files_below(folder))
        nothing = "holds fewer than two recordings (WAV, FLAC, …); one clip is for training and one for the test"
    else:
        files = _read_metadata(Path(folder) / "metadata.csv")
        nothing = "its metadata.csv lists fewer than two clips; one is for training and one for the test"
    if len(files) < 2:
        raise UserError(f"{folder}: {nothing}")
    if limit is not None and not 2 <= limit <= len(files):
        raise UserError(
            f"config key dataset.clips: {limit} is not allowed; the corpus {folder} has {len(files)} recordings, so "
            f"write 2 to {len(files)}, or null for all"
        )
    for file in files[:limit]:
        _require_short(Path(folder) / file.name, file.clip_id)
    return files[:limit]


def expected_sample_rate(source: Source) -> int | None:
    """The sample rate in Hz that every file of a corpus must have; None where any will do."""
    return None if source == "folder" else LJSPEECH_RATE


def name_files(names: Iterable[str]) -> list[SourceFile]:
    """Identifiers for files in folders: `choir/take 1.wav` → `choir__take_1`, numbered where two would be equal."""
    taken: set[str] = set()
    files = []
    for name in names:
        stem = re.sub(r"[^\w.-]", "_", Path(name).with_suffix("").as_posix().replace("/", "__"))
        clip_id, copy = stem, 1
        while clip_id in taken:
            copy += 1
            clip_id = f"{stem}-{copy}"
        taken.add(clip_id)
        files.append(SourceFile(clip_id, name))
    return files


def read_lines(path: Path) -> list[str]:
    """The lines of a text file in UTF-8, with or without a byte order mark; LF or CRLF ends them.

    `str.splitlines` would also end one at a form feed, at U+0085 and at U+2028, which transcripts hold.

    Raises:
        OSError: The file cannot be read.
        UnicodeDecodeError: It is not UTF-8.
    """
    return [line.removesuffix("\r") for line in path.read_bytes().decode("utf-8-sig").split("\n")]


def _require_short(path: Path, clip_id: str) -> None:
    if (length := len(clip_id.encode())) > LONGEST_ID_BYTES:
        raise UserError(
            f"{path}: its clip would be called {clip_id[:20]}…, {length} bytes long, and files are called by clips: at "
            f"most {LONGEST_ID_BYTES} bytes; shorten the names of the file and of its folders below dataset.path"
        )


def _read_metadata(path: Path) -> list[SourceFile]:
    try:
        lines = read_lines(path)
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: no such file; dataset.path must be the folder that holds metadata.csv and wavs/ of LJSpeech "
            "(for other recordings set dataset.source: folder)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error}); restore it") from error
    clip_ids = []
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        clip_id = line.partition("|")[0]
        # An identifier becomes part of a path: it must not lead out of the folder.
        if not re.fullmatch(r"\w[\w.-]*", clip_id):
            raise UserError(f"{path}, line {number}: {clip_id!r} is no identifier of a clip; restore the file")
        clip_ids.append(clip_id)
    if len(set(clip_ids)) < len(clip_ids):
        twice = next(clip_id for clip_id in clip_ids if clip_ids.count(clip_id) > 1)
        raise UserError(f"{path}: lists {twice!r} twice; restore the file")
    return [SourceFile(clip_id, f"wavs/{clip_id}.wav") for clip_id in sorted(clip_ids)]
