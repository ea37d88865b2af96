"""Python programs in forks of a process that has imported what they import, so that tests need not wait for it.

A fork is what `python program.py …` is after its imports: a process of its own, with its words, folder, standard output
and error, which ends through the interpreter's own end. Tests of variables, of imports or of kills start the program.
"""

import gc
import importlib
import json
import os
import runpy
import select
import signal
import subprocess
import sys
import tempfile
from functools import cache
from pathlib import Path


class WarmPython:
    """A process that waits with modules imported. It ends when its maker does.

    Args:
        modules: What it has imported.
        environment: Its variables, and those of all its forks.
    """

    def __init__(self, modules: list[str], environment: dict[str, str]):
        self._folder = tempfile.TemporaryDirectory(prefix="warm-python-")
        self._server = subprocess.Popen(
            [sys.executable, __file__, self._folder.name, *modules],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, words: list[str], folder: str | Path = ".", timeout: float = 1800) -> subprocess.CompletedProcess:
        """What `python` does with `words` in `folder`: those of a program, or `-m` and those of a module."""
        print(json.dumps([os.path.abspath(folder), words]), file=self._server.stdin, flush=True)
        if not select.select([self._server.stdout], [], [], timeout)[0]:
            os.killpg(self._server.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(words, timeout)
        status = int(self._server.stdout.readline())
        stdout, stderr = (Path(self._folder.name, name).read_text() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(words, status, stdout, stderr)


@cache
def warm_torch() -> WarmPython:
    """The one of this process of tests that has imported PyTorch and what figures need, and that finds the library."""
    library = str(Path(__file__).parents[1] / "workflow_scripts")
    modules = ["torch", "seaborn", "soundfile"]
    return WarmPython(modules, {**os.environ, "PYTHONPATH": library, "OMP_NUM_THREADS": "1"})


def serve(output: str, *modules: str) -> None:
    """Run a program per line of standard input in a fork, and print its exit status."""
    for module in modules:
        importlib.import_module(module)
    gc.freeze()
    for line in sys.stdin:
        folder, words = json.loads(line)
        child = os.fork()
        if not child:
            os.chdir(folder)
            for number, name in enumerate((os.devnull, f"{output}/stdout", f"{output}/stderr")):
                os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
            return run(words)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


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
