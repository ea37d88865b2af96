"""Python programs in forks of a process that has imported what they import, so that tests need not wait for it.

A fork is what `python program.py …` is after its imports: a process of its own, with its words, folder, variables and
streams, which ends through the interpreter's own end, and is killed if the one that waits for it is. What variables do
before the first import (those of OpenMP, say) they have done already: tests of that, of imports or of signals start the
program.

    python warm_python.py SOCKET PROCESS MODULE…    imports the modules and serves the socket until PROCESS ends
"""

import gc
import importlib
import json
import multiprocessing.process
import os
import runpy
import select
import signal
import socket
import subprocess
import sys
import threading
import zlib
from contextlib import suppress
from functools import cache
from pathlib import Path

import psutil
from shared_by_workers import made_once, process_of_the_run

CLIENT = Path(__file__).with_name("warm_client.py")
LENGTH_BYTES = 8
SECONDS_BETWEEN_LOOKS = 1.0


class WarmPython:
    """A process that waits with modules imported, one for all workers of pytest-xdist. It ends when their run does.

    Args:
        modules: What it has imported.
        environment: The variables of all its forks by `run`.
    """

    def __init__(self, modules: list[str], environment: dict[str, str]):
        self._environment = environment
        with made_once(f"warm-{zlib.crc32(' '.join(modules).encode()):08x}") as (folder, must_be_made):
            self.python = folder / "bin" / "python"
            """A program that does what `python` does, for a shell that finds it first."""
            if must_be_made:
                self._make(modules, folder)

    def _make(self, modules: list[str], folder: Path) -> None:
        address = str(folder / "socket")
        server = subprocess.Popen(
            [sys.executable, __file__, address, str(process_of_the_run()), *modules],
            env=self._environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip
        assert server.stdout is not None
        server.stdout.readline()  # it is ready
        self.python.parent.mkdir()
        self.python.write_text(f'#!/bin/sh\nexec "{sys.executable}" -IS "{CLIENT}" "{address}" "$@"\n')
        self.python.chmod(0o755)

    def run(
        self, words: list[str], folder: str | Path = ".", timeout: float = 1800, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        """What `python` does with `words` in `folder`: those of a program, or `-m` and those of a module.

        `variables` are set beside those of its environment.
        """
        return subprocess.run(
            [self.python, *words], cwd=folder, env={**self._environment, **(variables or {})},
            stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=timeout,
        )  # fmt: skip


@cache
def warm_torch() -> WarmPython:
    """The one of this process of tests that has imported PyTorch and what figures need, and that finds the library."""
    library = str(Path(__file__).parents[1] / "workflow_scripts")
    return WarmPython(["torch", "seaborn", "soundfile"], {**os.environ, "PYTHONPATH": library, "OMP_NUM_THREADS": "1"})


def serve(address: str, owner: str, *modules: str) -> None:
    """Fork for each program that comes through the socket, until it is removed or the process `owner` has ended."""
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody waits for those that answer
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(address)
        door.listen()
        print("ready", flush=True)
        while psutil.pid_exists(int(owner)) and Path(address).exists():
            ready, _, _ = select.select([door], [], [], SECONDS_BETWEEN_LOOKS)
            if not ready:
                continue
            connection, _ = door.accept()
            if not os.fork():
                door.close()
                return answer(connection)
            connection.close()


def answer(connection: socket.socket) -> None:
    """Run the program that the connection tells in a fork, and tell its exit status."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    length, streams, _, _ = socket.recv_fds(connection, LENGTH_BYTES, 3)
    with connection.makefile("rb") as request:
        folder, words, variables = json.loads(request.read(int.from_bytes(length)))
    child = os.fork()
    if not child:
        connection.close()
        for number, stream in enumerate(streams):
            os.dup2(stream, number)
            os.close(stream)
        os.chdir(folder)
        multiprocessing.process.ORIGINAL_DIR = os.getcwd()  # from where its own processes look for the program
        os.environ.clear()
        os.environ.update(variables)
        return run(words)
    for stream in streams:
        os.close(stream)
    threading.Thread(target=end_with, args=(connection, child), daemon=True).start()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    with suppress(BrokenPipeError):
        connection.sendall(status.to_bytes(LENGTH_BYTES, signed=True))
    os._exit(0)


def end_with(connection: socket.socket, child: int) -> None:
    """Kill the child once nobody waits for it any more."""
    connection.recv(1)
    with suppress(ProcessLookupError):  # it ended by itself
        os.kill(child, signal.SIGKILL)


def run(words: list[str]) -> None:
    """Be `python` with these words."""
    if words[0] == "-m":
        sys.path[0], sys.argv = os.getcwd(), words[1:]
        runpy.run_module(words[1], run_name="__main__", alter_sys=True)
    else:
        sys.path[0], sys.argv = os.path.dirname(os.path.abspath(words[0])), words
        runpy.run_path(words[0], run_name="__main__")


if __name__ == "__main__":
    serve(*sys.argv[1:])
