"""Snakemake's command line in forks of a process that has imported it, so that tests need not import it each time.

A fork is what `python -m snakemake` is after its imports: a process of its own, with its arguments, folder, standard
output and error, which ends through the interpreter's own end. Tests that set variables or kill start the command.
"""

import json
import os
import select
import signal
import subprocess
import sys
import tempfile
from pathlib import Path


class WarmSnakemake:
    """A process that waits with Snakemake imported.

    Args:
        environment: Its variables, and those of all its forks.
    """

    def __init__(self, environment: dict[str, str]):
        self._folder = tempfile.TemporaryDirectory(prefix="warm-snakemake-")
        self._server = subprocess.Popen(
            [sys.executable, __file__, self._folder.name],
            env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def run(self, arguments: list[str], folder: Path, timeout: float) -> subprocess.CompletedProcess:
        """Run `snakemake` with `arguments` in `folder`."""
        print(json.dumps([str(folder), arguments]), file=self._server.stdin, flush=True)
        if not select.select([self._server.stdout], [], [], timeout)[0]:
            os.killpg(self._server.pid, signal.SIGKILL)
            raise subprocess.TimeoutExpired(arguments, timeout)
        status = int(self._server.stdout.readline())
        stdout, stderr = (Path(self._folder.name, name).read_text() for name in ("stdout", "stderr"))
        return subprocess.CompletedProcess(["snakemake", *arguments], status, stdout, stderr)


def serve(output: str) -> None:
    """Run a command per line of standard input in a fork, and print its exit status."""
    import snakemake.cli

    for line in sys.stdin:
        folder, arguments = json.loads(line)
        child = os.fork()
        if not child:
            os.chdir(folder)
            for number, name in enumerate((os.devnull, f"{output}/stdout", f"{output}/stderr")):
                os.dup2(os.open(name, os.O_RDWR | os.O_CREAT | os.O_TRUNC), number)
            sys.argv = ["snakemake", *arguments]
            sys.path[0] = folder
            snakemake.cli.main()
            return
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)


if __name__ == "__main__":
    serve(*sys.argv[1:])
