"""The recordings of a corpus: a list of files with an identifier each, in sorted order. Imports nothing heavy."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from vocoder_pareto.audio.corpus_location import Source, audio_files_below
from vocoder_pareto.errors import UserError

LJSPEECH_RATE = 22050


@dataclass(frozen=True)
class DatasetSettings:
    """How clips are cut from a corpus: the section `dataset` of the configuration, but for where the corpus lies.

    Attributes:
        source: kind of the corpus.
        clips: recordings to use, the first in sorted order; None for all.
        voices: of a synthetic corpus.
        test_share: part of the clips, the last in sorted order, that is the test set.
        on_bad_clip: what to do about a recording that cannot be used: end with an error, or leave it out.
        sample_rate: of the clips, in Hz.
        clip_samples: of each clip.

    Raises:
        ValueError: a number is out of its range.
    """

    source: Source
    clips: int | None = None
    voices: tuple[str, ...] = ()
    test_share: float = 0.2
    on_bad_clip: Literal["error", "skip"] = "error"
    sample_rate: int = 16000
    clip_samples: int = 16384

    def __post_init__(self):
        if not 0 < self.test_share < 1:
            raise ValueError(f"test_share is {self.test_share}; must be between 0 and 1")
        if self.sample_rate < 1 or self.clip_samples < 1:
            raise ValueError(f"sample_rate {self.sample_rate} and clip_samples {self.clip_samples} must be at least 1")


def dataset_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of `DatasetSettings` in the study's configuration; a corpus that moved is the same corpus."""
    return {key: value for key, value in config["dataset"].items() if key != "path"}


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

    A synthetic corpus and LJSpeech are what their metadata.csv lists; a folder is all WAV and FLAC files below it.

    Raises:
        UserError: There is no metadata.csv or it is damaged, there are fewer than two recordings, or `limit` is less
            than 2 or more than there are.
    """
    if source == "folder":
        files = name_files(audio_files_below(folder))
        nothing = "holds fewer than two WAV or FLAC files; one clip is for training and one for the test"
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


def _read_metadata(path: Path) -> list[SourceFile]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except FileNotFoundError as error:
        raise UserError(
            f"{path}: no such file; dataset.path must be the folder that holds metadata.csv and wavs/ of LJSpeech "
            "(for other recordings set dataset.source: folder)"
        ) from error
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: cannot be read as UTF-8 text ({error}); restore it") from error
    clip_ids = []
    for number, line in enumerate(lines, start=1):
        clip_id = line.partition("|")[0]
        # An identifier becomes part of a path: it must not lead out of the folder.
        if not re.fullmatch(r"\w[\w.-]*", clip_id):
            raise UserError(f"{path}, line {number}: {clip_id!r} is no identifier of a clip; restore the file")
        clip_ids.append(clip_id)
    if len(set(clip_ids)) < len(clip_ids):
        twice = next(clip_id for clip_id in clip_ids if clip_ids.count(clip_id) > 1)
        raise UserError(f"{path}: lists {twice!r} twice; restore the file")
    return [SourceFile(clip_id, f"wavs/{clip_id}.wav") for clip_id in sorted(clip_ids)]
