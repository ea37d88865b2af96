"""The recipe of the container takes the tested environment, and all files that the package is built from.

The outside is pyproject.toml, and Docker's rules of `.dockerignore`: the last line that matches decides.
"""

import re
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

PROJECT = Path(__file__).parents[2]
RECIPE = (PROJECT / "Dockerfile").read_text()
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]


def sent(name: str) -> bool:
    """Whether Docker gets a file of the top folder to build from."""
    lines = (PROJECT / ".dockerignore").read_text().splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    return [rule.startswith("!") for rule in rules if fnmatch(name, rule.removeprefix("!"))][-1]


def test_its_python_is_one_that_the_package_takes_and_the_tests_run_with():
    (python,) = re.findall(r"^ARG PYTHON=(.+)$", RECIPE, re.MULTILINE)
    assert SpecifierSet(DECLARED["requires-python"]).contains(python)
    assert f"Programming Language :: Python :: {python}" in DECLARED["classifiers"]
    assert "FROM python:${PYTHON}-slim\n" in RECIPE


def test_its_packages_are_those_of_the_requirements():
    """It names no version of its own, and installs the package without asking for others."""
    installed = re.findall(r"pip install (.+?)(?: \\)?$", RECIPE, re.MULTILINE)
    assert [words.split()[-1] for words in installed] == ["/tmp/requirements.txt", "/source"]
    assert "--no-deps --no-build-isolation" in installed[1]
    assert "COPY requirements.txt /tmp/requirements.txt\n" in RECIPE
    assert not re.search(r"==|>=|~=", RECIPE)


def test_it_is_built_from_all_files_of_the_package_and_from_no_results():
    build = (PROJECT / "hatch_build.py").read_text()
    parts = re.findall(r'"([^"]+)"', re.search(r"^PARTS = \((.*?)\)$", build, re.MULTILINE)[1])
    assert "Snakefile" in parts
    for name in (*parts, "workflow_scripts", "hatch_build.py", "pyproject.toml", "requirements.txt", "LICENSE"):
        assert sent(name), name
    assert sent(DECLARED["readme"])
    for name in (".git", ".venv", "results", "results_mine", "data", "tests", ".snakemake"):
        assert not sent(name), name


@pytest.mark.parametrize("words", ["USER 1000", "WORKDIR /study", 'ENTRYPOINT ["snakemake"]'])
def test_it_runs_snakemake_in_the_mounted_folder_and_not_as_root(words):
    """The last user, folder and entry point of a recipe are those of the container."""
    instruction = words.split()[0]
    assert re.findall(rf"^{instruction} .*$", RECIPE, re.MULTILINE)[-1] == words
