"""A tiny study, run once through the real Snakefile in a copy of the project."""

import fcntl
import os
import shutil

import pytest
from project import Project, copy_of_project

STUDY = "finished_study"


def pytest_collection_modifyitems(items):
    """One test that needs the finished study comes first, the others last.

    So one worker of pytest-xdist makes it while the others have something else to do, and no worker waits for it.
    """
    needing = [item for item in items if STUDY in getattr(item, "fixturenames", ())]
    others = [item for item in items if STUDY not in getattr(item, "fixturenames", ())]
    items[:] = [*needing[:1], *others, *needing[1:]]


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory) -> Project:
    """The tiny study, run to its end in a folder whose name has a space and letters beyond ASCII. Do not change it.

    The workers of pytest-xdist share it: the first one that asks for it makes it.
    """
    shared = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    folder, finished = shared / "étude à six vocodeurs", shared / "study.finished"
    with (shared / "study.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not finished.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of a worker that could not finish it
            copy_of_project(folder).snakemake()
            finished.touch()
    return Project(folder)


@pytest.fixture
def study(finished_study, tmp_path) -> Project:
    """A copy of the finished study that a test may change."""
    folder = tmp_path / "study"
    shutil.copytree(finished_study.folder, folder, symlinks=True)
    return Project(folder)
