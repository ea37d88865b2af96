"""Names of files that are being written, which tell whose they are, and the removal of those that a kill left behind.

A name holds its owner, see `owners`. What another machine still writes to a shared folder cannot be told: it is left
alone for a day after its last change.
"""

import os
import re
import time
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from vocoder_pareto import owners

# Names of earlier versions hold the number of the process alone.
_PATTERN = re.compile(rf"\..*\.(?P<owner>{owners.PATTERN}|\d+)\.partial(\.[^.]*)?")
_FOREIGN_SECONDS = 86_400.0
_STEM_CHARACTERS = 40  # in UTF-8 at most 160 bytes of the 255 that a name can have


def partial_path(path: str | Path) -> Path:
    """Where this process writes what will be `path`: a hidden file beside it with the same suffix."""
    path = Path(path)
    return path.with_name(f".{path.stem[:_STEM_CHARACTERS]}.{owners.this_process()}.partial{path.suffix}")


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
    lives = owners.lives(found["owner"])
    return time.time() - file.stat().st_mtime < _FOREIGN_SECONDS if lives is None else lives
