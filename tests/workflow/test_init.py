"""A folder of `vocoder-pareto init` is a study that Snakemake runs, with the workflow as the package has it."""

import os
import re
from pathlib import Path

import pytest
from project import PROJECT, run_snakemake

from vocoder_pareto.commands.init import make_study
from vocoder_pareto.workflow_files import UNPACKED

pytestmark = pytest.mark.workflow

INSTALLED = {"PYTHONPATH": str(PROJECT / "workflow_scripts")}  # in the place of an installed package


@pytest.fixture
def study(tmp_path) -> Path:
    folder = tmp_path / "my_study"
    make_study(folder)
    return folder


def snakemake(study: Path, *words: str) -> str:
    done = run_snakemake(list(words), study, INSTALLED)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    return done.stdout + done.stderr


def test_snakemake_takes_the_settings_of_the_folder_over_those_of_the_package(study):
    config = study / "config.yaml"
    config.write_text(config.read_text().replace("\nsystems: all\n", "\nsystems: [melgan-S]\n"))
    said = snakemake(study, "--dry-run", "--quiet", "rules")
    assert re.search(r"^measure_energy +1$", said, re.MULTILINE)
    assert {path.name for path in study.iterdir()} == {
        ".snakemake", "README.md", "Snakefile", "config.yaml", "presets", "profiles", "resources",
    }  # fmt: skip


@pytest.mark.slow
def test_an_upgrade_that_changes_nothing_of_a_result_leaves_it(study):
    """The workflow is written anew, as by another version; what it made stays, by content. Presets find their sets."""
    targets = ["published", "results/dataset/paper/mels.npy"]
    snakemake(study, "--cores", "2", *targets)
    for file in (study / UNPACKED).rglob("*.py"):
        os.utime(file)
    (study / UNPACKED / "rules/report.smk").unlink()
    assert "Nothing to be done" in snakemake(study, "--dry-run", *targets)
    assert (study / UNPACKED / "rules/report.smk").is_file()
    said = snakemake(study, "--configfile", "presets/h100.yaml", "--dry-run", "--quiet", "rules")
    assert re.search(r"^adopt_measurement +18$", said, re.MULTILINE)
