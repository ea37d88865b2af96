"""A lock that one process holds at a time, also on file systems that have none (Lustre, NFS, FUSE, as mounted).

There, a file that only one process can make stands in for it. It goes when its holder lets go. What a kill leaves is
stale and taken over: at once if its holder's machine, boot and process say so (see `owners`); if it was left by another
machine, once nobody has touched it for `PATIENCE_SECONDS`, while a live holder touches it every `BEAT_SECONDS`. What
this cannot do: keep two processes apart of which one finds a lock and the other does not, or tell a process that was
halted for so long from a dead one.
"""

import errno
import fcntl
import hashlib
import logging
import os
import secrets
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from vocoder_pareto import owners

log = logging.getLogger(__name__)

BEAT_SECONDS = 10.0
PATIENCE_SECONDS = 90.0  # NFS may show for a minute what was
_NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOTSUP, errno.EINVAL)
_HELD = (errno.EAGAIN, errno.EACCES)


class Held(Exception):
    """Another process holds the lock; the message says which, or is empty."""


@contextmanager
def locked(path: str | Path) -> Iterator[None]:
    """Hold the lock `path`, a file that is made if missing; it ends with this process, however that ends.

    Raises:
        Held: Another process holds it.
        OSError: The file cannot be written.
    """
    path = Path(path)
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno in _HELD:
                file.seek(0)
                raise Held(file.read().strip()) from error
            if error.errno not in _NO_LOCKS:
                raise
            stand_in = path.with_name(f"{path.name}.held")
            log.warning("%s: its file system has no locks (%s); %s takes their place", path, error.strerror, stand_in)
            with _made_exclusively(stand_in):
                yield
            return
        _sign(file)
        yield


@contextmanager
def _made_exclusively(path: Path) -> Iterator[None]:
    mine = f"{owners.this_process()}\n{_name()}\n{secrets.token_hex(8)}\n"  # no two locks are alike
    while not _made(path, mine):
        _remove_stale(path)
    ended = threading.Event()
    beat = threading.Thread(target=_beat, args=(path, ended), daemon=True)
    beat.start()
    try:
        yield
    finally:
        ended.set()
        beat.join()
        if _content(path) == mine:
            path.unlink(missing_ok=True)


def _made(path: Path, content: str) -> bool:
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(content)
    except FileExistsError:
        return False
    return True


def _remove_stale(path: Path) -> None:
    """Remove a lock whose holder is dead.

    Raises:
        Held: The holder lives.
    """
    found = _content(path)
    if found is None:
        return
    owner, name, *_ = [*found.split("\n"), ""]
    lives = owners.lives(owner)
    if lives or (lives is None and _beats(path, name)):
        raise Held(f"{name or 'unknown'}; if it is no more, delete {path}")
    # Only who makes the claim removes this very lock, so that nobody removes that of the one who was faster.
    claim = path.with_name(f"{path.name}.{hashlib.sha256(found.encode()).hexdigest()[:16]}")
    if not _made(claim, _name()):
        raise Held(f"a process that takes over from {name or 'a dead one'}; if there is none, delete {claim}")
    try:
        if _content(path) == found:
            path.unlink()
            log.warning("%s: left by %s, which is no more; taken over", path, name or "a process")
    finally:
        claim.unlink(missing_ok=True)


def _beats(path: Path, name: str) -> bool:
    """Whether somebody touches a lock that another machine made."""
    log.warning("%s: made by %s; waiting up to %.0f s for a sign of life", path, name or "a process", PATIENCE_SECONDS)
    first, begin = _touched(path), time.monotonic()
    while time.monotonic() - begin < PATIENCE_SECONDS:
        time.sleep(BEAT_SECONDS / 2)
        now = _touched(path)
        if now != first:
            return now is not None
    return False


def _beat(path: Path, ended: threading.Event) -> None:
    while not ended.wait(BEAT_SECONDS):
        try:
            os.utime(path)
        except OSError:
            continue  # as when a server is away for a while


def _touched(path: Path) -> int | None:
    """When a file was last changed; None if it is no more. To open it makes NFS ask its server."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()).st_mtime_ns
    except FileNotFoundError:
        return None


def _content(path: Path) -> str | None:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _sign(file) -> None:
    try:
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), f"{_name()}\n".encode())
    except OSError:
        pass  # a full disk: the lock holds without a name


def _name() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"
