"""The recordings of a corpus: a list of files with an identifier each, in sorted order. Imports nothing heavy."""

import itertools
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vocoder_pareto.audio.corpus_location import audio_files_below
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.sections.dataset import Source

LJSPEECH_RATE = 22050
ARCTIC_RATE = 16000
ARCTIC_INDEX = "etc/txt.done.data"
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

    A synthetic corpus and LJSpeech are what their metadata.csv lists, CMU ARCTIC what its etc/txt.done.data does; a
    folder is all recordings below it.

    Raises:
        UserError: There is no such list or it is damaged, there are fewer than two recordings, `limit` is less than
            2 or more than there are, or an identifier is too long for the name of a file.
    """
    if source == "folder":
        files = name_files(audio_files_below(folder))
        nothing = "holds fewer than two recordings (WAV, FLAC, …); one clip is for training and one for the test"
    elif source == "cmu_arctic":
        files = _read_prompts(Path(folder) / ARCTIC_INDEX)
        nothing = f"its {ARCTIC_INDEX} lists fewer than two recordings; one is for training and one for the test"
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
    return {"folder": None, "cmu_arctic": ARCTIC_RATE}.get(source, LJSPEECH_RATE)


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
    """What lists the recordings of LJSpeech: an identifier up to the first | of each line."""
    mend = "dataset.path must be the folder that holds metadata.csv and wavs/ of LJSpeech"
    lines = [(number, line.partition("|")[0]) for number, line in _numbered_lines(path, mend)]
    return [SourceFile(clip_id, f"wavs/{clip_id}.wav") for clip_id in _identifiers(path, lines)]


def _read_prompts(path: Path) -> list[SourceFile]:
    """What lists the recordings of CMU ARCTIC: ( arctic_a0001 "Author of the danger trail, Philip Steels, etc." )."""
    mend = "dataset.path must be the folder that holds etc/ and wav/ of a voice of CMU ARCTIC"
    lines = []
    for number, line in _numbered_lines(path, mend):
        prompt = re.fullmatch(r'\s*\(\s*(\S+)\s+".*"\s*\)\s*', line)
        if not prompt:
            raise UserError(f"{path}, line {number}: {line!r} is no prompt of CMU ARCTIC; restore the file")
        lines.append((number, prompt[1]))
    return [SourceFile(clip_id, f"wav/{clip_id}.wav") for clip_id in _identifiers(path, lines)]


def _numbered_lines(path: Path, mend: str) -> list[tuple[int, str]]:
    """The lines of a list that hold something, each with its number from 1; `mend` says where the list must be."""
    try:
        lines = read_lines(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; {mend} (for other recordings set dataset.source: folder)") from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error}); restore it") from error
    return [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]


def _identifiers(path: Path, lines: list[tuple[int, str]]) -> list[str]:
    """The identifiers that the lines of `path` give, sorted."""
    for number, clip_id in lines:
        # An identifier becomes part of a path: it must not lead out of the folder.
        if not re.fullmatch(r"\w[\w.-]*", clip_id):
            raise UserError(f"{path}, line {number}: {clip_id!r} is no identifier of a clip; restore the file")
    clip_ids = sorted(clip_id for _, clip_id in lines)
    for one, next_one in itertools.pairwise(clip_ids):
        if one == next_one:
            raise UserError(f"{path}: lists {one!r} twice; restore the file")
    return clip_ids
