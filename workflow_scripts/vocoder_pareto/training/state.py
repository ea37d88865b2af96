"""The resumable state of a training: written whole, kept twice if there is room, locked against a second process."""

import errno
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import bring_names_to_disk
from vocoder_pareto.locks import Held, locked
from vocoder_pareto.models.checkpoint import UNREADABLE, write_archive

log = logging.getLogger(__name__)


class StateFolder:
    """A folder with the state of one training; the newest two states are kept.

    Saving takes room for a third. Where there is room for two alone, the older one goes first.

    Args:
        folder: The folder, which is created if missing. Its name should hold a digest of all that determines the
            training except its budget.

    Raises:
        UserError: The folder cannot be created.
    """

    def __init__(self, folder: str | Path):
        self.folder = Path(folder)
        self.newest, self.previous = self.folder / "state.pt", self.folder / "previous.pt"
        self._partial = self.folder / "state.partial"
        self.damaged = self.folder / "damaged.pt"
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise UserError(
                f"{self.folder}: cannot be created ({error.strerror}); free space or mend permissions"
            ) from error

    @property
    def last_good(self) -> str:
        """The file of the newest state, or `none yet`, as messages name it."""
        return str(self.newest) if self.newest.exists() else "none yet"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the folder against other processes; the lock ends with this process, however it ends.

        Raises:
            UserError: Another process trains here, or the folder cannot be written.
        """
        path = self.folder / "lock"
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(path))
            except Held as error:
                raise UserError(
                    f"{self.folder}: another process is training here ({str(error) or 'unknown'}); "
                    "wait for it, or end it and run again"
                ) from error
            except OSError as error:
                raise UserError(f"{path}: cannot be written ({error.strerror}); mend permissions") from error
            self._partial.unlink(missing_ok=True)  # of a process that was killed: who writes it holds the lock
            yield

    def save(self, state: Mapping[str, Any]) -> None:
        """Write `state` so that at every moment a whole one is on disk, if `load` was called before.

        Raises:
            UserError: The disk is full or not writable; the previous state stays usable.
        """
        temporary = self._partial
        try:
            self._write(temporary, dict(state))
            if self.newest.exists():
                os.replace(self.newest, self.previous)
            os.replace(temporary, self.newest)
            bring_names_to_disk(self.folder)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise UserError(
                f"{self.folder}: the training state cannot be written ({error.strerror or error}); the one before is "
                "still there. Free space or mend permissions, then run again to resume"
            ) from error

    def load(self) -> dict[str, Any] | None:
        """Return the newest state that can be read, or None if there is none. A damaged one is renamed to damaged.pt.

        Raises:
            UserError: There are states, and none can be read.
        """
        damaged = []
        for file in (self.newest, self.previous):
            try:
                state = torch.load(file, map_location="cpu", weights_only=True)
            except FileNotFoundError:
                continue
            except UNREADABLE as error:
                log.warning("%s: damaged (%s); trying the state before it", file, first_line(error))
                damaged.append(file)
                continue
            if damaged:  # else the next save would put the damaged state in the place of this one
                os.replace(self.newest, self.damaged)
            return state
        if damaged:
            names = " and ".join(file.name for file in damaged)
            raise UserError(f"{self.folder}: cannot resume, since {names} cannot be read; delete them to start afresh")
        return None

    def _write(self, temporary: Path, state: dict[str, Any]) -> None:
        try:
            write_archive(temporary, state)
        except OSError as error:
            spare = [self.damaged, *([self.previous] if self.newest.exists() else [])]
            spare = [file for file in spare if file.exists()]
            if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not spare:
                raise
            for file in (temporary, *spare):
                file.unlink(missing_ok=True)
            log.warning("%s: little room: %s deleted", self.folder, " and ".join(file.name for file in spare))
            write_archive(temporary, state)


def digest_of(*parts: str) -> str:
    """Return 16 hex digits for all `parts` together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(f"{len(part)}:{part}".encode())
    return digest.hexdigest()[:16]


def digest_of_files(*paths: str | Path) -> str:
    """Return 16 hex digits for the contents of files.

    Raises:
        UserError: A file cannot be read.
    """
    digests = []
    for path in paths:
        try:
            with open(path, "rb") as file:
                digests.append(hashlib.file_digest(file, "sha256").hexdigest())
        except OSError as error:
            raise UserError(f"{path}: cannot be read ({error.strerror}); run the rule that makes it") from error
    return digest_of(*digests)
