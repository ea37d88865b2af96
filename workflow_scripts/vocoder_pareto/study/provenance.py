"""What made a set of results: versions, commit, configuration, hardware, seeds."""

import hashlib
import json
import os
import platform
import re
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import vocoder_pareto

PACKAGES = (
    "snakemake", "torch", "torchaudio", "lightning", "librosa", "soundfile", "soxr", "espeakng-loader", "pyJoules",
    "nvidia-ml-py", "thop", "numpy", "scipy", "pandas", "matplotlib", "seaborn",
)  # fmt: skip


def provenance_of(
    config: Mapping[str, Any], project: str | Path, environments: Iterable[str | Path] = ()
) -> dict[str, Any]:
    """Versions of library and packages, commit of `project`, hardware of this machine, and `config` with its digest.

    A package that is not installed here, or a commit that is not known, is null. With conda, each rule has packages of
    its own: those that the files `environments` pin.
    """
    text = json.dumps(config, sort_keys=True)
    return {
        "version": vocoder_pareto.__version__,
        "python": platform.python_version(),
        "packages": {name: installed_version(name) for name in PACKAGES},
        "environments": {Path(file).name: pinned_versions(file) for file in environments},
        "git": git_state(project),
        "platform": platform.platform(),
        "processor": processor_name(),
        "logical_cores": os.cpu_count(),
        "seed": config.get("seed"),
        "config_digest": hashlib.sha256(text.encode()).hexdigest()[:16],
        "config": config,
    }


def installed_version(package: str) -> str | None:
    """Version of an installed distribution, or None."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def pinned_versions(environment: str | Path) -> dict[str, str]:
    """The versions of the packages that an environment file of conda pins."""
    pins = re.findall(r"^\s*- ([\w.-]+)={1,2}([\w.]+)$", Path(environment).read_text(encoding="utf-8"), re.MULTILINE)
    return dict(pins)


def git_state(project: str | Path) -> dict[str, Any]:
    """The commit of the checkout at `project`, and whether tracked files differ from it; null where git cannot tell.

    An installed package may lie below a repository of its user, which does not track it and says nothing of it.
    """
    if not _git(project, "ls-files", "."):
        return {"commit": None, "modified": None}
    commit = _git(project, "rev-parse", "HEAD")
    changed = _git(project, "status", "--porcelain", "--untracked-files=no")
    return {"commit": commit, "modified": None if changed is None else bool(changed)}


def processor_name() -> str | None:
    """The CPU's model name, or None."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor() or None
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or None


def _git(project: str | Path, *arguments: str) -> str | None:
    try:
        command = ["git", "-C", str(project), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
