"""Runs trainings in terminals of their own, which go away while they train.

    python hung_up.py CLOSED NOHUP JOB

CLOSED and NOHUP are folders of a `Workbench`, JOB the keywords of their `job` as JSON. The terminal of the first
closes. The second was started by nohup: it gets SIGHUP, takes further steps all the same, then SIGTERM.
Prints the exit statuses of both.
"""

import contextlib
import json
import os
import pty
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from workbench import Workbench

from vocoder_pareto.errors import UserError


@contextlib.contextmanager
def training_in_terminal(folder: Path, job: dict) -> Iterator[tuple[int, int]]:
    """A training that has taken steps: its process, and the file of its terminal."""
    process, terminal = pty.fork()  # no work of PyTorch was done in this process
    if process == 0:
        status = 2
        with contextlib.suppress(UserError):  # as a program ends: with status 1 and a line that nobody reads
            status = 1
            Workbench(folder).train(**job)
            status = 0
        os._exit(status)
    read_until(terminal, lambda: steps_of(folder) > 0)
    yield process, terminal
    with contextlib.suppress(OSError):  # its terminal ends with it
        read_until(terminal, lambda: False)
    print(os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]))


def read_until(terminal: int, is_over) -> None:
    """Read what the process writes, so that it never waits for a reader."""
    os.set_blocking(terminal, False)
    while not is_over():
        with contextlib.suppress(BlockingIOError):
            os.read(terminal, 10_000)
        time.sleep(0.01)


def steps_of(folder: Path) -> int:
    journals = list(folder.glob("state/*/journal.json"))
    return json.loads(journals[0].read_text())["steps"] if journals else 0


def main() -> None:
    closed, nohup, job = Path(sys.argv[1]), Path(sys.argv[2]), json.loads(sys.argv[3])
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # the tests may themselves be under nohup
    with training_in_terminal(closed, job) as (_, terminal):
        os.close(terminal)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with training_in_terminal(nohup, job) as (process, terminal):
        os.kill(process, signal.SIGHUP)
        before = steps_of(nohup)
        read_until(terminal, lambda: steps_of(nohup) > before + 2)
        os.kill(process, signal.SIGTERM)


if __name__ == "__main__":
    main()
