"""A tiny study, run once through the real Snakefile in a copy of the project."""

import shutil

import pytest
from project import Project, copy_of_project


@pytest.fixture(scope="session")
def finished_study(tmp_path_factory) -> Project:
    """The tiny study, run to its end in a folder whose name has a space and letters beyond ASCII. Do not change it."""
    project = copy_of_project(tmp_path_factory.mktemp("étude à six vocodeurs"))
    project.snakemake()
    return project


@pytest.fixture
def study(finished_study, tmp_path) -> Project:
    """A copy of the finished study that a test may change."""
    folder = tmp_path / "study"
    shutil.copytree(finished_study.folder, folder, symlinks=True)
    return Project(folder)
