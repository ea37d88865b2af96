"""Names of files that are being written, which tell whose they are, and the removal of those that a kill left behind.

A name holds its owner: the machine (its host name and namespace of processes, since containers number theirs apart),
its boot, and the process. Of the processes of this boot, the system knows which live; of an earlier boot, none does.
What another machine still writes to a shared folder cannot be told: it is left alone for a day after its last change.
"""

import hashlib
import os
import re
import socket
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

_PATTERN = re.compile(r"\..*\.((?P<machine>[0-9a-f]{8})-(?P<boot>[0-9a-f]{8})-)?(?P<process>\d+)\.partial(\.[^.]*)?")
_FOREIGN_SECONDS = 86_400.0
_STEM_CHARACTERS = 40  # in UTF-8 at most 160 bytes of the 255 that a name can have


def partial_path(path: str | Path) -> Path:
    """Where this process writes what will be `path`: a hidden file beside it with the same suffix."""
    path = Path(path)
    machine, boot = _here()
    return path.with_name(f".{path.stem[:_STEM_CHARACTERS]}.{machine}-{boot}-{os.getpid()}.partial{path.suffix}")


@cache
def remove_ownerless(folder: Path) -> None:
    """Remove partial files in `folder` that no live process owns; done once per folder and process.

    What cannot be removed stays: it is in nobody's way.
    """
    for file in list(_partial_files(folder)):
        try:
            if not _is_owned(file):
                file.unlink()
        except OSError:
            continue


def _partial_files(folder: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as entries:
            yield from (Path(entry.path) for entry in entries if ".partial" in entry.name)
    except OSError:
        return


def _is_owned(file: Path) -> bool:
    """Whether a live process may be writing `file`; any other file counts as owned."""
    found = _PATTERN.fullmatch(file.name)
    if not found:
        return True
    machine, boot = _here()
    if found["machine"] != machine:  # or none, in names of earlier versions
        return time.time() - file.stat().st_mtime < _FOREIGN_SECONDS
    return found["boot"] == boot and _lives(int(found["process"]))


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:  # somebody else's
        return True
    return True


@cache
def _here() -> tuple[str, str]:
    """This machine and its boot, 8 hex digits each."""
    try:
        processes = os.readlink("/proc/self/ns/pid")
    except OSError:  # no Linux
        processes = ""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")
    except OSError:
        boot = ""
    machine, boot = (
        hashlib.blake2b(text.encode(), digest_size=4).hexdigest() for text in (socket.gethostname() + processes, boot)
    )
    return machine, boot
