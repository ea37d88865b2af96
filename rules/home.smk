# Where this workflow lies. A module of another workflow is not where the outer Snakefile is, and may be on no disk yet.
import io
import os
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from snakemake.sourcecache import HostingProviderFile, LocalSourceFile


def folder_of_workflow(rules_folder):
    """The folder of this workflow, from that of its rules: a relative path.

    Snakemake records it with the results, and a clone in another folder must not look stale. A module that is named by
    its repository, as snakedeploy does, is unpacked below .snakemake from the bare clone that Snakemake keeps.
    """
    if isinstance(rules_folder, LocalSourceFile):
        return Path(os.path.relpath(f"{rules_folder}/.."))
    if not isinstance(rules_folder, HostingProviderFile):
        raise WorkflowError(f"{rules_folder}: name this module by a path on this machine, github(…) or gitlab(…)")
    git = ["git", "-C", str(rules_folder.hosted_repo.repo_clone)]
    reference = f"{rules_folder.ref}^{{commit}}"
    commit = subprocess.run([*git, "rev-parse", reference], capture_output=True, text=True, check=True).stdout.strip()
    folder = Path(".snakemake") / "vocoder_pareto" / commit
    if not folder.is_dir():
        archive = subprocess.run([*git, "archive", commit], capture_output=True, check=True).stdout
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent) as whole, tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            tar.extractall(f"{whole}/{commit}", filter="data")
            os.replace(f"{whole}/{commit}", folder)
    return folder


HOME = folder_of_workflow(workflow.current_basedir)
PROGRAMS = str(HOME / "workflow_scripts")
RESOURCES = str(HOME / "resources")
IS_MODULE = not workflow.modifier.is_main_snakefile()

sys.path.insert(0, os.path.abspath(PROGRAMS))  # the library is used from its folder, not installed


def as_it_is(paths):
    """Input files that a module's `prefix` does not concern: those of this workflow, and a user's own."""
    return local(paths) if IS_MODULE else paths
