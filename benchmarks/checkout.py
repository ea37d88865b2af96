"""A copy of a checkout, where a benchmark may run Snakemake and change what it likes."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def copy_of_checkout(project: Path, folder: Path) -> None:
    """Copy the tracked files of `project` into `folder`, with new times of modification, as a clone has them."""
    listed = subprocess.run(["git", "-C", str(project), "ls-files", "-z"], capture_output=True, text=True, check=True)
    for name in filter(None, listed.stdout.split("\0")):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, folder / name)


def environment_of_user() -> dict[str, str]:
    """The environment of a user who has activated the virtual environment, and has set no `PYTHONPATH`."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | {"PATH": path}
