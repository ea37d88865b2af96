"""Writing files whole or not at all, and the one reader and writer of JSON."""

import errno
import json
import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.partial_files import partial_path, remove_ownerless

_CANNOT_SYNC = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP, errno.ENOTSUP)


# What a block of `written_together` has written so far, and what it is to be called.
_pending: ContextVar[dict[Path, Path] | None] = ContextVar("_pending", default=None)


@contextmanager
def written_whole(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` when the block ends well, delete it otherwise.

    The temporary name keeps the suffix of `path`, since writers of audio and figures choose their format by it. What a
    killed process left in the folder is removed. Within `written_together`, it gets its name at the end of that.

    Raises:
        UserError: the folder cannot be written, or the disk is full.
    """
    path = Path(path)
    pending = _pending.get()
    temporary = partial_path(path if pending is None else path.with_name(f"{len(pending)}-{path.name}"))
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_ownerless(path.parent.absolute())
        yield temporary
        if pending is None:
            os.replace(temporary, path)
        else:
            pending[temporary] = path
    except OSError as error:
        raise _unwritable(path, error) from error
    finally:
        if pending is None or temporary not in pending:
            _remove(temporary)


@contextmanager
def written_together() -> Iterator[None]:
    """Give all files that `written_whole` writes in this block their names at its end: all of them, or none.

    Raises:
        UserError: as `written_whole`; a folder has the name of a file.
    """
    pending: dict[Path, Path] = {}
    outside = _pending.set(pending)
    try:
        yield
        for path in pending.values():
            if path.is_dir():
                raise UserError(f"{path}: is a folder, and is to be a file; move it away, or name another folder")
        for temporary, path in pending.items():
            try:
                os.replace(temporary, path)
            except OSError as error:
                raise _unwritable(path, error) from error
    finally:
        _pending.reset(outside)
        for temporary in pending:
            _remove(temporary)


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(f"{path}: cannot be written ({error.strerror or error}); free space or mend permissions")


def _remove(temporary: Path) -> None:
    try:
        temporary.unlink(missing_ok=True)
    except OSError:
        pass  # the error that matters is already on its way


def bring_to_disk(file: int) -> None:
    """Wait until what was written to an open file, or the names in an open folder, is on the disk.

    Args:
        file: The descriptor. Where its file system cannot be asked, as many cannot for folders, nothing is waited for.

    Raises:
        OSError: The disk is full or broken.
    """
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in _CANNOT_SYNC:
            raise


def bring_names_to_disk(folder: str | Path) -> None:
    """As `bring_to_disk`, for the names in a folder, such as of files that were renamed.

    Raises:
        OSError: As there, or the folder cannot be opened.
    """
    opened = os.open(folder, os.O_RDONLY)
    try:
        bring_to_disk(opened)
    finally:
        os.close(opened)


def write_text(path: str | Path, text: str) -> None:
    """Write `text` as UTF-8, whole or not at all."""
    with written_whole(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON; a number that is not finite becomes null, since JSON has no NaN."""
    write_text(path, json.dumps(_finite(value), indent=2, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file in UTF-8, or in UTF-16 or UTF-32, as the programs of some systems save it.

    Raises:
        UserError: the file is missing or cannot be read, is not JSON, or is nested too deeply.
    """
    try:
        return json.loads(Path(path).read_bytes())
    except FileNotFoundError as error:
        raise UserError(f"{path}: no such file; run the rule that makes it") from error
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror}); mend its permissions") from error
    except (ValueError, RecursionError) as error:  # no JSON or no text; a number of thousands of digits; depth
        raise UserError(f"{path}: not valid JSON ({error}); delete it and rerun the rule that makes it") from error


def require_writable(folder: str | Path, where: str) -> None:
    """Refuse a folder that files cannot be written into, or that cannot be made.

    Raises:
        UserError: it names the folder and `where` the configuration sets it.
    """
    existing = next(each for each in (Path(folder).absolute(), *Path(folder).absolute().parents) if each.exists())
    if not (existing.is_dir() and os.access(existing, os.W_OK | os.X_OK)):
        raise UserError(
            f"config key {where}: {folder} cannot be written; mend the permissions of {existing}, mount it for "
            "writing, or set another folder"
        )


def canonical_json(value: Any) -> str:
    """JSON with sorted keys and no white space, so that reordering the keys of settings changes nothing."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value
