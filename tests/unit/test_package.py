"""The package: one version, the public names, and what each extra installs.

The outside is pip's own reader of requirements, the pins that the tests run with, and the files that name a version.
"""

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

import vocoder_pareto

PROJECT = Path(__file__).parents[2]
LIBRARY = PROJECT / "workflow_scripts" / "vocoder_pareto"
DECLARED = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
EXTRAS = {name: [Requirement(each) for each in listed] for name, listed in DECLARED["optional-dependencies"].items()}
CORE = [Requirement(each) for each in DECLARED["dependencies"]]
# Nobody maintains these any more: the modules that may import each, which stand behind one interface.
UNMAINTAINED = {
    "auraloss": {"quality/reconstruction.py"},
    "espeakng_loader": {"audio/espeak.py"},
    "mel_cepstral_distance": {"quality/speech.py"},
    "pyJoules": {"measurement/nvml.py", "measurement/powercap.py"},
    "thop": {"measurement/flops.py"},
}
NOT_PINNED = {"zeus", "furo", "myst-nb", "myst-parser", "sphinx"}  # which no test runs with
PINNED_BESIDE = {"pydantic-core"}  # what another package pins exactly, for conda


def pins() -> dict[str, Version]:
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {canonicalize_name(name): Version(version) for name, version in pinned}


def asked_for(*extras: str) -> dict[str, Requirement]:
    """What pip installs for the core and `extras`, with the extras that these name."""
    found = list(CORE)
    for extra in extras:
        for each in EXTRAS[extra]:
            found += asked_for(*each.extras).values() if each.name == "vocoder-pareto" else [each]
    return {canonicalize_name(each.name): each for each in found}


def test_the_version_is_semantic_and_stands_in_one_place():
    assert re.fullmatch(r"\d+\.\d+\.\d+", vocoder_pareto.__version__)
    assert DECLARED["dynamic"] == ["version"]
    assert yaml.safe_load((PROJECT / "CITATION.cff").read_text())["version"] == vocoder_pareto.__version__
    first = re.search(r"^## (\S+)", (PROJECT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert first[1] == vocoder_pareto.__version__


def test_public_names_are_there_typed_and_documented():
    stub = ast.parse((LIBRARY / "__init__.pyi").read_text())
    typed = {alias.asname for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    assert typed | {"__version__"} == set(vocoder_pareto.__all__)
    assert (LIBRARY / "py.typed").is_file()
    documented = (PROJECT / "docs" / "api.md").read_text()
    for node in stub.body:
        for alias in node.names if isinstance(node, ast.ImportFrom) else ():
            assert vocoder_pareto._MODULES[alias.name] == node.module
            assert f"`{alias.name}" in documented, alias.name
    with pytest.raises(AttributeError, match="no public 'measured'"):
        _ = vocoder_pareto.measured


def test_each_public_name_is_what_its_module_has():
    for name in vocoder_pareto.__all__:
        assert getattr(vocoder_pareto, name) is not None
        assert name in dir(vocoder_pareto)


def test_fronts_and_the_command_import_no_pytorch():
    code = (
        "import sys, vocoder_pareto\n"
        "from vocoder_pareto.commands.main import parser\n"
        "parser(), vocoder_pareto.front_of_frame, vocoder_pareto.write_front, vocoder_pareto.UserError\n"
        "print(sorted({'torch', 'librosa', 'snakemake', 'psutil', 'jinja2', 'soundfile'} & set(sys.modules)))"
    )
    said = subprocess.run(
        [sys.executable, "-c", code],
        env={"PYTHONPATH": str(LIBRARY.parent)}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert said.stdout.strip() == "[]"


@pytest.mark.parametrize("extra", EXTRAS)
def test_an_extra_admits_what_the_tests_run_with(extra):
    for name, requirement in asked_for(extra).items():
        assert (name in pins()) != (name in NOT_PINNED), name
        assert name in NOT_PINNED or requirement.specifier.contains(pins()[name]), requirement


def test_the_extras_bring_all_that_is_pinned_and_the_core_no_pytorch():
    assert pins().keys() == (asked_for("test").keys() - NOT_PINNED) | PINNED_BESIDE
    assert not {"torch", "snakemake", "librosa", "soundfile"} & asked_for().keys()
    assert "snakemake" not in asked_for("measure")


@pytest.mark.parametrize("name", UNMAINTAINED)
def test_an_unmaintained_package_is_pinned_stands_behind_one_interface_and_could_be_replaced(name):
    imports = re.compile(rf"^\s*(import|from) {name}\b", re.MULTILINE)
    importing = {
        file.relative_to(LIBRARY).as_posix() for file in LIBRARY.rglob("*.py") if imports.search(file.read_text())
    }
    assert importing == UNMAINTAINED[name]
    (pinned,) = asked_for("workflow")[canonicalize_name(name)].specifier
    assert pinned.operator == "=="
    rows = (PROJECT / "docs/dependencies.md").read_text().splitlines()
    row = next(line for line in rows if line.startswith(f"| `{name}`"))
    for module in UNMAINTAINED[name]:
        assert module in row
    tests = re.findall(r"`(tests/\S+?\.py)`", row)
    assert tests
    for test in tests:
        assert (PROJECT / test).is_file(), test


def test_hooks_of_pre_commit_are_tools_of_the_requirements():
    """Which have the versions of `make test`, and come from nowhere else."""
    (listed,) = yaml.safe_load((PROJECT / ".pre-commit-config.yaml").read_text())["repos"]
    assert listed["repo"] == "local"
    programs = [hook["entry"].split()[0] for hook in listed["hooks"]]
    assert {hook["language"] for hook in listed["hooks"]} == {"system"}
    assert set(programs) == {".venv/bin/ruff", ".venv/bin/snakefmt", ".venv/bin/python"}
    assert {"ruff", "snakefmt", "pytest"} <= pins().keys()


def test_workflows_of_github_test_every_python_that_the_package_takes():
    tests = yaml.safe_load((PROJECT / ".github/workflows/tests.yml").read_text())
    tested = tests["jobs"]["tests"]["strategy"]["matrix"]["python"]
    named = [name.rpartition(" ")[2] for name in DECLARED["classifiers"] if re.search(r":: 3\.\d+$", name)]
    assert tested == named
    assert all(Requirement(f"python{DECLARED['requires-python']}").specifier.contains(each) for each in tested)


@pytest.mark.parametrize("file", sorted((PROJECT / ".github/workflows").glob("*.yml")), ids=lambda file: file.stem)
def test_targets_of_make_that_workflows_of_github_call_are_there(file):
    targets = re.search(r"^\.PHONY: (.*)$", (PROJECT / "Makefile").read_text(), re.MULTILINE)[1].split()
    for job in yaml.safe_load(file.read_text())["jobs"].values():
        for step in job["steps"]:
            for target in re.findall(r"^make ([a-z-]+)", step.get("run", ""), re.MULTILINE):
                assert target in targets


def test_make_help_lists_every_target():
    text = (PROJECT / "Makefile").read_text()
    targets = re.search(r"^\.PHONY: (.*)$", text, re.MULTILINE)[1].split()
    outside = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}  # of `make test`
    said = subprocess.run(["make", "help"], cwd=PROJECT, env=outside, capture_output=True, text=True, check=True).stdout
    assert [line.split()[0] for line in said.splitlines()] == [
        name for name in re.findall(r"^([a-z-]+):.*# ", text, re.MULTILINE)
    ]
    assert {line.split()[0] for line in said.splitlines()} == set(targets)
