"""A copy of the project, and what tests ask of its Snakefile."""

import compileall
import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest
from shared_by_workers import made_once
from warm_python import WarmPython

PROJECT = Path(__file__).resolve().parents[2]
TINY_CONFIG = "tests/workflow/tiny.yaml"
STAND_IN_CONDA = PROJECT / "tests" / "workflow" / "stand_in_conda" / "bin"
IMPORTED_BY_SNAKEMAKE = [
    "started_snakemake", "snakemake.report", "snakemake.storage", "requests", "smart_open", "pydantic.dataclasses",
]  # fmt: skip
IMPORTED_BY_PROGRAMS = [
    "torch", "torch.utils.flop_counter", "torch._dynamo", "torchaudio", "thop", "lightning.pytorch.loggers",
    "lightning.pytorch.trainer", "torch.utils.tensorboard", "scipy.stats", "scipy.optimize", "librosa.core.audio",
    "pandas", "seaborn", "matplotlib.backends.backend_pdf", "matplotlib.backends.backend_svg",
    "matplotlib.backends.backend_agg", "statsmodels.api", "soundfile", "soxr", "pyloudnorm", "pyworld", "pydantic",
    "psutil", "tqdm",
]  # fmt: skip
NOT_COPIED = "tests/unit/"  # hundreds of files that no copy needs
LOG = re.compile(r"&>>? (?:'[^']*/logs/|\S*?logs/)(\w+)(?:/([\w.-]+))?\.log")


@dataclass(frozen=True)
class Project:
    """A copy of the project in a folder of its own."""

    folder: Path

    def snakemake(
        self, *arguments: str, check: bool = True, cores: int = 2, variables: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess:
        """Run `snakemake` on the tiny configuration; with `check`, fail the test with its output.

        `variables` are set in its environment.
        """
        words = ["--cores", str(cores), "--configfile", TINY_CONFIG, *arguments]
        result = run_snakemake(words, self.folder, variables)
        if check and result.returncode:
            pytest.fail(f"snakemake {' '.join(words)}\n{result.stdout}\n{result.stderr}\n{self.logs()}")
        return result

    def stale_jobs(self, *arguments: str) -> set[tuple[str, str]]:
        """The jobs that a dry run would run, told by their logs: (rule, system or other wildcard, or "")."""
        result = self.snakemake("--dry-run", "--printshellcmds", *arguments)
        return set(LOG.findall(result.stdout + result.stderr))

    def stale_rules(self, *arguments: str) -> set[str]:
        """The rules of `stale_jobs`."""
        return {rule for rule, _ in self.stale_jobs(*arguments)}

    def edit(self, file: str, old: str, new: str) -> None:
        """Replace the one place of `old` in a file of the copy."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert text.count(old) == 1, f"{old!r} occurs {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new), encoding="utf-8")

    def logs(self) -> str:
        """The ends of all non-empty logs of jobs."""
        logs = sorted((self.folder / "results" / "logs").rglob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text(errors='replace')[-1500:]}" for log in logs)


def run_snakemake(
    arguments: list[str], folder: Path, variables: dict[str, str] | None = None, timeout: float = 1800
) -> subprocess.CompletedProcess:
    """`snakemake` as a user of the virtual environment runs it in `folder`.

    Its jobs find PyTorch and the like imported, as it does itself what it imports. With `variables` that may matter
    before that, nothing is.
    """
    if all(name == "PATH" or name.startswith("PIP_") for name in variables or {}):
        return warm_snakemake().run(["-m", "snakemake", *arguments], folder, timeout, variables)
    return subprocess.run(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder, env={**environment(), **variables}, capture_output=True, text=True, timeout=timeout,
    )  # fmt: skip


@cache
def warm_snakemake() -> WarmPython:
    """The one of this process of tests, in whose shells `python` is warm, too."""
    return WarmPython(IMPORTED_BY_SNAKEMAKE, {**environment(), "PATH": path_with_warm_programs()})


def path_with_warm_programs() -> str:
    """Where a shell finds a `python` that is warm, and all else as in `environment`."""
    return f"{warm_programs().python.parent}{os.pathsep}{environment()['PATH']}"


@cache
def warm_programs() -> WarmPython:
    """The one that has imported what takes the programs of the study longest."""
    return WarmPython(IMPORTED_BY_PROGRAMS, environment())


def environment() -> dict[str, str]:
    """The environment of a user who has activated the virtual environment."""
    folder = str(Path(sys.executable).parent)
    return {**os.environ, "PATH": folder + os.pathsep + os.environ["PATH"], "OMP_NUM_THREADS": "1"}


def with_stand_in_conda() -> dict[str, str]:
    """The variables of a user who has conda, which `--use-conda` asks for."""
    return {"PATH": str(STAND_IN_CONDA) + os.pathsep + environment()["PATH"]}


def copy_of_project(folder: Path, with_results_of: Path | None = None) -> Project:
    """A copy of a fresh clone, with results and Snakemake's memory of them if asked."""
    shutil.copytree(fresh_clone(), folder, dirs_exist_ok=True)
    if with_results_of:
        for name in ("results", ".snakemake"):
            shutil.copytree(with_results_of / name, folder / name, dirs_exist_ok=True)
    return Project(folder)


@cache
def fresh_clone() -> Path:
    """The tracked files (and those not ignored), with what a first start would compile and learn of the code.

    Each copy would take seconds for that, else. It has the time stamps of a clone that was made now.
    """
    with made_once("clone") as (folder, must_be_made):
        if must_be_made:
            for name in filter(None, listed_files()):
                if (PROJECT / name).is_file() and not name.startswith(NOT_COPIED):
                    target = folder / name
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copy(PROJECT / name, target)
            compileall.compile_dir(folder / "workflow_scripts", quiet=1)
            learn = (
                "import sys; from vocoder_pareto.study.source_facts import remember_code; remember_code(sys.path[1])"
            )
            path = {"PYTHONPATH": str(folder / "workflow_scripts")}
            subprocess.run([sys.executable, "-c", learn], cwd=folder, env={**environment(), **path}, check=True)
        return folder


def listed_files() -> list[str]:
    """The names of what Git would put into a clone, and of new files that it does not ignore."""
    return subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=PROJECT, capture_output=True, text=True, check=True,
    ).stdout.split("\0")  # fmt: skip
