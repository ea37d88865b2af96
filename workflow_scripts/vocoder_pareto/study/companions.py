"""Companions of an output: files that a program writes beside it, such as the wavs of a manifest.

A workflow knows its declared outputs only. So the program keeps the sizes of the others in a hidden JSON file beside
the declared output, and whoever relies on that output can ask whether they are still there. Outputs without such a
record, of earlier versions, are taken as they are.
"""

import json
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text

_SHOWN = 3


def forget_companions(output: str | Path) -> None:
    """Remove what is recorded of an output that is about to be made again, and what was set aside of it.

    Raises:
        OSError: It cannot be removed.
    """
    for file in (_record(Path(output)), _aside(Path(output))):
        file.unlink(missing_ok=True)


def record_companions(output: str | Path, files: Iterable[str | Path]) -> None:
    """Record the sizes of `files`, which lie below the folder of `output`; to be called before `output` is written.

    Raises:
        UserError: The folder cannot be written.
        OSError: A file is missing.
    """
    output = Path(output)
    forget_companions(output)
    sizes = {Path(file).relative_to(output.parent).as_posix(): os.stat(file).st_size for file in files}
    write_text(_record(output), json.dumps({"bytes": sizes}, separators=(",", ":"), ensure_ascii=False))


def damaged_companions(output: str | Path) -> list[tuple[str, str]]:
    """The companions of `output` that are not as its program left them, as (path, what is wrong); [] if none is known.

    Each file costs one look at its folder's entry, none is opened.

    Raises:
        UserError: A folder cannot be listed.
    """
    output = Path(output)
    try:
        recorded = dict(json.loads(_record(output).read_text(encoding="utf-8"))["bytes"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    folders = {folder: _sizes(output.parent / folder) for folder in {os.path.dirname(file) for file in recorded}}
    damaged = []
    for file, size in recorded.items():
        folder, name = os.path.split(file)
        found = folders[folder].get(name)
        if found != size:
            wrong = "is missing" if found is None else f"has {found} bytes instead of {size}"
            damaged.append((str(output.parent / file), wrong))
    return damaged


def set_aside_if_damaged(output: str | Path) -> str | None:
    """Rename `output` if a companion is damaged, so that it counts as missing; say so in a line, None if all is well.

    An output that was set aside comes back once its companions are there again. An output that is made again meanwhile
    is not touched.

    Raises:
        UserError: A folder cannot be listed or written.
    """
    output = Path(output)
    aside = _aside(output)
    try:
        if not output.exists():
            return _kept_aside(output, aside)
        before = output.stat()
        damaged = damaged_companions(output)
        now = output.stat()
        if not damaged or (before.st_ino, before.st_mtime_ns) != (now.st_ino, now.st_mtime_ns):
            return None
        output.rename(aside)
    except FileNotFoundError:  # a job has begun to make it again
        return None
    except OSError as error:
        raise UserError(f"{output}: cannot be set aside ({error.strerror}); mend the permissions") from error
    return _told(output, damaged)


def _kept_aside(output: Path, aside: Path) -> str | None:
    """What is still wrong with an output that was set aside; None if it was brought back, or never set aside."""
    if not (aside.exists() and _record(output).exists()):
        return None
    if damaged := damaged_companions(output):
        return _told(output, damaged)
    aside.rename(output)
    return None


def _told(output: Path, damaged: Sequence[tuple[str, str]]) -> str:
    told = [f"{file} {wrong}" for file, wrong in damaged[:_SHOWN]]
    if len(damaged) > _SHOWN:
        told.append(f"and {len(damaged) - _SHOWN} more")
    return f"{output} counts as missing until these files come back or it is made again: {', '.join(told)}"


def _record(output: Path) -> Path:
    return output.with_name(f".{output.name}.companions.json")


def _aside(output: Path) -> Path:
    return output.with_name(f"{output.stem}.damaged{output.suffix}")


def _sizes(folder: Path) -> dict[str, int]:
    """The sizes of all files of a folder by their names; nothing for a folder that is missing."""
    sizes = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    sizes[entry.name] = entry.stat().st_size
                except FileNotFoundError:  # a link to nowhere
                    continue
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError as error:
        raise UserError(f"{folder}: cannot be listed ({error.strerror}); mend its permissions") from error
    return sizes
