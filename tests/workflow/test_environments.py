"""Every rule names an environment that holds all that its program imports, in the versions of requirements.txt."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from importlib import metadata
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.version import Version
from project import PROJECT, TINY_CONFIG, copy_of_project, with_stand_in_conda

from vocoder_pareto.study.code_version import imported_files, module_file
from vocoder_pareto.study.source_facts import facts_of

PROGRAMS = PROJECT / "workflow_scripts"
OPTIONAL = {"onnxruntime", "pesq", "zeus"}  # used where a user has installed them; their absence is handled
RULE = re.compile(r"^rule (\w+):\n(.*?)(?=^\S|\Z)", re.MULTILINE | re.DOTALL)


def normalised(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def environment_of_rules() -> dict[str, tuple[str, str]]:
    found = {}
    for file in sorted((PROJECT / "rules").glob("*.smk")):
        for name, body in RULE.findall(file.read_text()):
            program = re.search(r'program=program\("(\w+)"\)', body)
            conda = re.search(r'"\.\./envs/(\w+\.yaml)"', body)
            if program:
                assert conda, f"rule {name} names no environment"
                found[name] = (f"{program.group(1)}.py", conda.group(1))
    return found


def packages_of(file: str) -> dict[str, str]:
    dependencies = yaml.safe_load((PROJECT / "envs" / file).read_text())["dependencies"]
    pinned = next(entry["pip"] for entry in dependencies if isinstance(entry, dict))
    return dict((normalised(entry.split("==")[0]), entry.split("==")[1]) for entry in pinned)


def imported_distributions(program: str) -> set[str]:
    """Distributions that a program imports, itself or through the library, at any level of nesting."""
    pending, reached, names = [PROGRAMS / program], set(), set()
    while pending:
        file = pending.pop()
        if file in reached:
            continue
        reached.add(file)
        pending += files_imported_by(file)
        names |= {name.partition(".")[0] for name, _ in facts_of(file).imports}
    names -= set(sys.stdlib_module_names) | {"vocoder_pareto"} | OPTIONAL
    owners = owners_of_packages()
    return {normalised(owners.get(name, [name])[0]) for name in names}


@cache
def files_imported_by(file: Path) -> list[Path]:
    return list(imported_files(file, PROGRAMS))


@cache
def owners_of_packages() -> Mapping[str, list[str]]:
    """The distributions of each installed package: hundreds of folders are read for it."""
    return metadata.packages_distributions()


def requirements() -> dict[str, str]:
    lines = (PROJECT / "requirements.txt").read_text().splitlines()
    pinned = [line.split("==") for line in lines if line and not line.startswith("#")]
    return {normalised(name): version for name, version in pinned}


RULES = environment_of_rules()


def test_the_rules_are_found():
    assert len(RULES) > 15


@pytest.mark.parametrize("rule", RULES)
def test_an_environment_provides_every_import_of_a_rule(rule):
    program, file = RULES[rule]
    assert imported_distributions(program) - packages_of(file).keys() == set()


@pytest.mark.parametrize("file", sorted(path.name for path in (PROJECT / "envs").glob("*.yaml")))
def test_versions_of_an_environment_are_those_of_the_requirements(file):
    pinned = requirements()
    for name, version in packages_of(file).items():
        assert pinned.get(name) == version, name


def test_the_classes_that_the_configuration_names_are_provided_too():
    config = yaml.safe_load((PROJECT / "config.yaml").read_text())
    provided = packages_of("torch.yaml").keys()
    for model in config["models"].values():
        for key in ("vocoder", "objective"):
            file = module_file(model[key], PROGRAMS).relative_to(PROGRAMS)
            assert imported_distributions(str(file)) - provided == set(), file


def test_the_requirements_are_installed_in_their_versions():
    for name, version in requirements().items():
        assert Version(metadata.version(name)) == Version(version), name


def required_by(distribution: str) -> set[str]:
    """A distribution and all that it requires, directly or not."""
    pending, found = [distribution], set()
    while pending:
        name = normalised(pending.pop())
        if name not in found:
            found.add(name)
            wanted = map(Requirement, metadata.requires(name) or [])
            pending += [each.name for each in wanted if not each.marker or each.marker.evaluate({"extra": ""})]
    return found


def test_an_environment_with_snakemake_alone_reads_the_rules():
    rules = "\n".join(file.read_text() for file in (PROJECT / "rules").glob("*.smk"))
    imports = re.findall(r"^from vocoder_pareto.*$", rules, re.MULTILINE)
    program = "\n".join(["import sys", "before = set(sys.modules)", *imports, "print(*set(sys.modules) - before)"])
    command = [sys.executable, "-c", program]
    loaded = subprocess.run(command, cwd=PROGRAMS, capture_output=True, text=True, check=True).stdout.split()
    owners = owners_of_packages()
    distributions = {normalised(owner) for name in loaded for owner in owners.get(name.partition(".")[0], [])}
    assert "pyyaml" in distributions
    assert distributions - required_by("snakemake") == set()


@pytest.mark.workflow
@pytest.mark.skipif("VOCODER_PARETO_CONDA_TEST" not in os.environ, reason="builds three environments: make test-conda")
def test_a_study_of_two_systems_runs_with_use_conda_and_does_not_invalidate_one_without(tmp_path):
    project = copy_of_project(tmp_path / "study")
    project.edit(TINY_CONFIG, "[melgan-S, melgan-M, diffwave-S, sinusoids-S]", "[melgan-S, sinusoids-S]")
    output = project.snakemake("--use-conda", variables=with_stand_in_conda()).stderr
    assert "Activating conda environment" in output
    assert (project.folder / "results" / "report" / "index.html").is_file()
    assert "Nothing to be done" in project.snakemake("--dry-run").stdout
