"""What files hold, as digests: of the recordings, weights, words and answers that a user brings.

A file is read once; later its digest is looked up by path, size, time of modification, time of change and inode. A file
with other content has another digest whatever its time stamp says, and one that was copied or touched has the same.
"""

import hashlib
import json
import os
import stat
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import write_text

MEMORY = ".snakemake/content_of_files.json"  # of a working folder
# Hashing as much as this takes so long that a progress bar is due.
_LARGE_BYTES = 500_000_000
_FORMAT = 1


class FileDigests:
    """Digests of files, remembered between calls in a file of its own.

    Args:
        memory: The file that it remembers in, with a folder beside it for what digests stand for; one that is missing
            or damaged costs reading the files again.
    """

    def __init__(self, memory: str | Path):
        self._memory = Path(memory)
        self._known = _read(self._memory)

    def of(self, files: Iterable[str | Path]) -> dict[str, str]:
        """The digest of each of `files`, 32 hex digits, by its path as given.

        Raises:
            UserError: A file is missing or cannot be read.
        """
        stamps = {str(file): _stamp(Path(file)) for file in files}
        new = [file for file, stamp in stamps.items() if self._known.get(_key(file), ("",))[0] != stamp]
        if new:
            total = sum(int(stamps[file].partition(" ")[0]) for file in new)
            with ThreadPoolExecutor() as threads:  # hashing leaves Python's lock
                bar = _with_bar(threads.map(_digest, new), len(new), total)
                self._known |= {_key(file): (stamps[file], digest) for file, digest in zip(new, bar, strict=True)}
            self._remember()
        return {file: self._known[_key(file)][1] for file in stamps}

    def together(self, files: Sequence[str | Path], folder: str | Path | None = None) -> str:
        """One digest, 16 hex digits, of the content of `files` and of their names below `folder`, in any order.

        What it stands for is kept, see `files_of`.
        """
        digest, known = hashlib.sha256(), {}
        for file, content in sorted(self.of(files).items()):
            name = Path(file).relative_to(folder).as_posix() if folder else Path(file).name
            digest.update(f"{name}\0{content}\0".encode("utf-8", "surrogateescape"))
            known[name] = content
        together = digest.hexdigest()[:16]
        kept = _record_of(self._memory, together)
        if not os.path.exists(kept):
            _write(kept, known)
        return together

    def _remember(self) -> None:
        _write(self._memory, {"format": _FORMAT, "files": self._known})


def files_of(memory: str | Path, digest: str) -> dict[str, str] | None:
    """What `FileDigests(memory).together` made a digest of: the digest of each file by its name; None if unknown."""
    try:
        found = json.loads(_record_of(Path(memory), digest).read_text(encoding="utf-8"))
        return {str(name): str(content) for name, content in found.items()}
    except (OSError, ValueError, AttributeError, RecursionError):
        return None


def _record_of(memory: Path, digest: str) -> Path:
    return memory.with_name(f"{memory.stem}_together") / f"{digest}.json"


def _write(file: Path, content: dict) -> None:
    try:
        write_text(file, json.dumps(content))
    except UserError:
        pass  # a folder that cannot be written costs time at the next start, or an explanation, and no more


def _with_bar(digests: Iterator[str], files: int, total_bytes: int) -> Iterable[str]:
    if total_bytes < _LARGE_BYTES:
        return digests
    try:
        from tqdm import tqdm  # an environment with Snakemake alone may lack it
    except ImportError:
        return digests
    return tqdm(digests, "Reading your files", files, unit="file")


def _read(memory: Path) -> dict[str, tuple[str, str]]:
    try:
        content = json.loads(memory.read_text(encoding="utf-8"))
        if content["format"] != _FORMAT:
            return {}
        return {str(file): (str(stamp), str(digest)) for file, (stamp, digest) in content["files"].items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return {}


def _key(file: str) -> str:
    return os.path.abspath(file)


def _stamp(file: Path) -> str:
    try:
        found = file.stat()
    except (OSError, ValueError) as error:
        raise _unreadable(str(file), error) from error
    if not stat.S_ISREG(found.st_mode):
        raise UserError(f"{file}: is no regular file; name the file itself")
    return f"{found.st_size} {found.st_mtime_ns} {found.st_ctime_ns} {found.st_ino}"


def _digest(file: str) -> str:
    try:
        with open(file, "rb") as content:
            return hashlib.file_digest(content, lambda: hashlib.blake2b(digest_size=16)).hexdigest()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: str, error: Exception) -> UserError:
    return UserError(f"{file}: cannot be read ({first_line(error)}); mend its path or permissions")
