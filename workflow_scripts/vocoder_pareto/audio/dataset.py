"""The files of the prepared dataset: the table of clips, and arrays with a row per clip, read memory-mapped."""

import errno
import logging
import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self, get_args

import numpy as np

from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.csv_files import read_csv, write_csv

log = logging.getLogger(__name__)

Split = Literal["train", "test"]
_SPLITS: dict[str, Split] = {split: split for split in get_args(Split)}
TABLE_COLUMNS = ("clip_id", "source", "duration_seconds", "split")
_CANNOT_MAP = (errno.ENODEV, errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


@dataclass(frozen=True)
class Clip:
    """A row of clips.csv.

    Attributes:
        row: The index into clips.npy, mels.npy and mel_ranges.npy, from 0.
        clip_id: The identifier of the clip, unique and usable as a file name.
        source: The file that the clip was cut from, relative to the corpus folder.
        duration_seconds: The duration of the whole file; the clip holds its beginning, and zeros where it is shorter.
        split: The part of the dataset that the clip belongs to, `train` or `test`.
    """

    row: int
    clip_id: str
    source: str
    duration_seconds: float
    split: Split


def write_clip_table(path: str | Path, clips: Sequence[Clip]) -> None:
    """Write clips.csv, whole or not at all.

    Raises:
        UserError: The file cannot be written.
    """
    rows = ([clip.clip_id, clip.source, f"{clip.duration_seconds:.6f}", clip.split] for clip in clips)
    write_csv(path, TABLE_COLUMNS, rows)


def read_clip_table(path: str | Path) -> list[Clip]:
    """All rows of clips.csv, in the order of the arrays.

    Raises:
        UserError: The file is missing or damaged.
    """
    if not Path(path).exists():
        raise UserError(f"{path}: no such file; run the rule `prepare_clips`")
    try:
        clips = [
            Clip(index, row["clip_id"], row["source"], float(row["duration_seconds"]), _SPLITS[row["split"]])
            for index, row in enumerate(read_csv(path).records())
        ]
    except (UserError, KeyError, ValueError) as error:
        raise UserError(f"{path}: damaged ({error}); delete it and rerun the rule `prepare_clips`") from error
    if not clips:
        raise UserError(f"{path}: damaged (no clips); delete it and rerun the rule `prepare_clips`")
    return clips


def clips_of(clips: Sequence[Clip], split: Split, limit: int | None = None) -> list[Clip]:
    """The first `limit` clips (all, if None) of a split, in sorted order.

    Raises:
        UserError: `limit` is below 1.
    """
    if limit is not None and limit < 1:
        raise UserError(f"{limit} clips are not allowed; write 1 or more, or null for all")
    return [clip for clip in clips if clip.split == split][:limit]


def open_array(path: str | Path, shape: tuple[int | None, ...], rule: str) -> np.ndarray:
    """Open an array of float32 memory-mapped and read-only; None in `shape` allows any size there.

    Where the file system maps no files, the array is read whole.

    Args:
        path: The file: clips.npy (N, T), mels.npy (N, M, L) or mel_ranges.npy (N, 2).
        shape: The shape that it must have, whose first number is the rows of the table of clips.
        rule: The rule that makes the file, for the message.

    Raises:
        UserError: The file is missing, truncated, or of another shape or type.
    """
    mend = f"delete it and rerun the rule `{rule}`"
    try:
        array = _mapped_or_read(path)
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the rule `{rule}`") from error
    except (ValueError, EOFError, OSError) as error:
        raise UserError(f"{path}: damaged ({error}); {mend}") from error
    fits = array.ndim == len(shape) and all(
        wanted in (None, size) for wanted, size in zip(shape, array.shape, strict=True)
    )
    if not fits or array.dtype != np.float32:
        wanted = tuple("any" if size is None else size for size in shape)
        raise UserError(f"{path}: holds {array.dtype} {array.shape}, expected float32 {wanted}; {mend}")
    return array


def _mapped_or_read(path: str | Path) -> np.ndarray:
    try:
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError as error:
        if error.errno not in _CANNOT_MAP:
            raise
        log.warning("%s: its file system maps no files (%s), so it is read into memory whole", path, error.strerror)
        return np.load(path, allow_pickle=False)


@dataclass(frozen=True)
class RowFile:
    """An .npy file of float32 that several processes read and write by rows, with plain reads and writes.

    Not through a memory map: when the disk is full, writing to one kills the process instead of raising OSError, and
    what was read through one counts as memory of the process.

    Attributes:
        path: The file.
        offset: Where its first row begins, in bytes.
        row_shape: The shape of a row.
    """

    path: Path
    offset: int
    row_shape: tuple[int, ...]

    @classmethod
    def allocate(cls, path: str | Path, shape: tuple[int, ...]) -> Self:
        """Make a file with room for `shape`, whose first number is the rows; they are zeros.

        Raises:
            OSError: The file cannot be made, or the disk has no room for it.
        """
        with Path(path).open("wb") as file:
            np.lib.format.write_array_header_1_0(file, {"descr": "<f4", "fortran_order": False, "shape": shape})
            offset = file.tell()
            file.truncate(offset + math.prod(shape) * 4)
        return cls(Path(path), offset, shape[1:])

    @classmethod
    def of(cls, path: str | Path) -> Self:
        """The rows of a file that `open_array` accepts.

        Raises:
            OSError: The file cannot be read.
        """
        with Path(path).open("rb") as file:
            np.lib.format.read_magic(file)
            shape, _, _ = np.lib.format.read_array_header_1_0(file)
            return cls(Path(path), file.tell(), shape[1:])

    def read(self, first: int, count: int) -> np.ndarray:
        """The `count` rows from `first` on, (count, *row_shape) in float32."""
        values = math.prod(self.row_shape)
        rows = np.fromfile(self.path, dtype="<f4", count=count * values, offset=self.offset + first * values * 4)
        return rows.reshape(count, *self.row_shape)

    def write(self, first: int, rows: np.ndarray) -> None:
        """Overwrite the rows from `first` on by `rows` (n, *row_shape).

        Raises:
            OSError: The file cannot be written.
        """
        content = np.ascontiguousarray(rows, dtype="<f4")
        with self.path.open("r+b") as file:
            file.seek(self.offset + first * math.prod(self.row_shape) * 4)
            file.write(content.data)
