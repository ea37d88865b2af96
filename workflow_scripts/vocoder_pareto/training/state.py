"""The resumable state of a training: written whole, with older ones as far as there is room, and locked."""

import errno
import hashlib
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
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
    """A folder with the state of one training: the newest two, and some older ones at growing distances in steps.

    Saving takes room for a further one. Where there is none, the oldest goes first; the newest stays.

    Args:
        folder: The folder, which is created if missing. Its name should hold a digest of all that determines the
            training except its budget.
        older_states: The number of states that are kept beside the newest two.

    Raises:
        UserError: The folder cannot be created.
    """

    def __init__(self, folder: str | Path, older_states: int = 0):
        self.folder, self.older_states = Path(folder), older_states
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

    @property
    def steps(self) -> list[int]:
        """The steps of all states that can be read, the newest one first."""
        known = (_steps_in(file) for file in self._files())
        return [steps for steps in known if steps is not None]

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
                self._keep_previous()
                os.replace(self.newest, self.previous)
            os.replace(temporary, self.newest)
            bring_names_to_disk(self.folder)
        except OSError as error:
            temporary.unlink(missing_ok=True)
            raise UserError(
                f"{self.folder}: the training state cannot be written ({error.strerror or error}); the one before is "
                "still there. Free space or mend permissions, then run again to resume"
            ) from error

    def load(self, most_steps: int | None = None) -> dict[str, Any] | None:
        """Return the newest state that can be read, or None if there is none. A damaged one is renamed to damaged.pt.

        Args:
            most_steps: The steps that it may have at most; None for any number.

        Raises:
            UserError: There are states, and none can be read.
        """
        damaged = []
        for file in self._files():
            try:
                state = torch.load(file, map_location="cpu", weights_only=True)
            except FileNotFoundError:
                continue
            except UNREADABLE as error:
                log.warning("%s: damaged (%s); trying the state before it", file, first_line(error))
                damaged.append(file)
                continue
            if most_steps is not None and state["record"]["steps"] > most_steps:
                continue
            if self.newest in damaged:  # else the next save would put the damaged state in the place of this one
                os.replace(self.newest, self.damaged)
            return state
        if damaged:
            names = " and ".join(file.name for file in damaged)
            raise UserError(f"{self.folder}: cannot resume, since {names} cannot be read; delete them to start afresh")
        return None

    def _files(self) -> list[Path]:
        """Where states lie, the newest one first."""
        return [self.newest, self.previous, *self._older()]

    def _older(self) -> list[Path]:
        return sorted(self.folder.glob("older_*.pt"), reverse=True)

    def _keep_previous(self) -> None:
        """Put the state before the newest among the older ones, and let one of these go if they are too many."""
        previous, newest = _steps_in(self.previous), _steps_in(self.newest)
        if previous is None or newest is None:
            return
        if self.older_states:
            os.replace(self.previous, self.folder / f"older_{previous:012d}.pt")
        older = {int(file.stem.removeprefix("older_")): file for file in self._older()}
        while len(older) > self.older_states:
            older.pop(_least_needed([*older, 0], newest)).unlink()

    def _write(self, temporary: Path, state: dict[str, Any]) -> None:
        """Write `state` to `temporary`; where there is no room, delete what is needed least until there is."""
        spare = [self.damaged, *reversed(self._older()), *([self.previous] if self.newest.exists() else [])]
        spare = [file for file in spare if file.exists()]
        while True:
            try:
                write_archive(temporary, state)
                return
            except OSError as error:
                if error.errno not in (errno.ENOSPC, errno.EDQUOT) or not spare:
                    raise
                log.warning("%s: little room: %s deleted", self.folder, spare[0].name)
            for file in (temporary, spare.pop(0)):
                file.unlink(missing_ok=True)


def _steps_in(file: Path) -> int | None:
    """The steps of the state in `file`, whose tensors are not read; None where there is none that can be read."""
    try:
        return int(torch.load(file, map_location="cpu", weights_only=True, mmap=True)["record"]["steps"])
    except (*UNREADABLE, TypeError, ValueError):
        return None


def _least_needed(steps: Sequence[int], newest: int) -> int:
    """Which of the older states to let go, by its steps: the one between the most similar ages.

    So ages grow by about equal factors, however long the training is: seen from the next state, which is taken to come
    as soon as the newest did. First goes what is ahead of the newest, which somebody put back.

    Args:
        steps: The steps of the older states in descending order, and of the beginning, 0.
        newest: The steps of the newest state.
    """
    if steps[0] >= newest:
        return steps[0]
    now = 2 * newest - steps[0]
    ages = [now - newest, *(now - each for each in steps)]
    return steps[min(range(len(steps) - 1), key=lambda index: ages[index + 2] / ages[index])]


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
