"""The resumable state of a training run: written whole, kept twice, locked against a second process."""

import errno
import fcntl
import hashlib
import logging
import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.models.checkpoint import UNREADABLE

log = logging.getLogger(__name__)


class StateFolder:
    """A folder with the state of one run; the newest two states are kept.

    Args:
        folder: created if missing. Its name should hold a digest of all that determines the run except its budget.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.newest, self.previous = self.folder / "state.pt", self.folder / "previous.pt"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other processes.

        Raises:
            UserError: another process trains here.
        """
        with (self.folder / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                if error.errno not in (errno.EAGAIN, errno.EACCES):
                    raise
                file.seek(0)
                raise UserError(
                    f"{self.folder}: another process is training here ({file.read().strip() or 'unknown'}); "
                    "wait for it, or end it and run again"
                ) from error
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}\n")
            file.flush()
            yield

    def save(self, state: Mapping[str, Any]) -> None:
        """Write `state` so that at every moment a whole one is on disk.

        Raises:
            UserError: the disk is full or not writable; the previous state stays usable.
        """
        temporary = self.folder / "state.partial"
        try:
            with temporary.open("wb") as file:
                torch.save(dict(state), file)
                file.flush()
                os.fsync(file.fileno())
            if self.newest.exists():
                os.replace(self.newest, self.previous)
            os.replace(temporary, self.newest)
        except (OSError, RuntimeError) as error:  # torch raises RuntimeError where its archive cannot be written
            temporary.unlink(missing_ok=True)
            raise UserError(
                f"{self.folder}: the training state cannot be written ({error}); the last one is still there. "
                "Free space or mend permissions, then run again to resume"
            ) from error

    def load(self) -> dict[str, Any] | None:
        """The newest state that can be read, or None if there is none.

        Raises:
            UserError: there are states, and none can be read.
        """
        faults = []
        for file in (self.newest, self.previous):
            try:
                return torch.load(file, map_location="cpu", weights_only=True)
            except FileNotFoundError:
                continue
            except UNREADABLE as error:
                reason = (str(error).splitlines() or [type(error).__name__])[0]
                log.warning("%s: damaged (%s); trying the one before", file, reason)
                faults.append(file.name)
        if faults:
            raise UserError(f"{self.folder}: {' and '.join(faults)} are damaged; delete them to train from the start")
        return None


def digest_of(*parts: str) -> str:
    """16 hex digits for all `parts` together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:16]


def digest_of_files(*paths: str | Path) -> str:
    """16 hex digits for the contents of files."""
    digests = []
    for path in paths:
        with open(path, "rb") as file:
            digests.append(hashlib.file_digest(file, "sha256").hexdigest())
    return digest_of(*digests)
