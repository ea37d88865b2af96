"""What the workers of pytest-xdist share in a run: what one of them has made, the others find; see conftest.py."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

FOLDER, PROCESS = "VOCODER_PARETO_TESTS_FOLDER", "VOCODER_PARETO_TESTS_PROCESS"


@contextmanager
def made_once(name: str) -> Iterator[tuple[Path, bool]]:
    """A folder that all workers know by `name`, and whether it is still to be filled, by this one alone."""
    folder = Path(os.environ[FOLDER], name)
    folder.mkdir(exist_ok=True)
    made = folder.with_name(f"{name}.made")
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield folder, not made.exists()
        made.touch()


def process_of_the_run() -> int:
    """The number of the process that began the run, and ends last."""
    return int(os.environ[PROCESS])


def begin_run() -> bool:
    """Make what is shared, unless this process was started by one that has; whether it did."""
    if FOLDER in os.environ:
        return False
    os.environ[FOLDER] = tempfile.mkdtemp(prefix="tests-")  # short: sockets lie below it
    os.environ[PROCESS] = str(os.getpid())
    return True


def end_run() -> None:
    """Remove what was shared."""
    shutil.rmtree(os.environ.pop(FOLDER), ignore_errors=True)
    del os.environ[PROCESS]
