"""Hundreds of systems: every job is planned once, and a long configuration is recorded."""

import json
import re

import pytest
import yaml
from project import TINY_CONFIG, copy_of_project

pytestmark = pytest.mark.workflow

ARGUMENT_LIMIT = 128 * 1024  # bytes that Linux takes for one argument


def write_zoo(project, sizes: int, **settings) -> None:
    """A second configuration file, `zoo.yaml`: one more family, with many sizes."""
    config = yaml.safe_load((project.folder / TINY_CONFIG).read_text())
    sinusoids = config["models"]["sinusoids"]
    zoo = {f"N{number}": {"architecture": {"sinusoids": number}, "training": {}} for number in range(1, sizes + 1)}
    models = {"zoo": {**sinusoids, "label": "Zoo", "sizes": zoo}}
    (project.folder / "zoo.yaml").write_text(yaml.safe_dump({"models": models, **settings}))


@pytest.mark.parametrize("systems", [100, pytest.param(500, marks=pytest.mark.slow)])
def test_every_job_of_hundreds_of_systems_is_planned_once(systems, tmp_path):
    project = copy_of_project(tmp_path / "study")
    of_papers = 19  # 18, and the one of the tiny configuration
    write_zoo(project, systems - of_papers, systems="all")
    output = project.snakemake("--dry-run", "--quiet", "rules", "--configfile", TINY_CONFIG, "zoo.yaml")
    counts = dict(re.findall(r"^(\w+) +(\d+)$", output.stdout + output.stderr, re.MULTILINE))
    for rule in ("train", "generate_audio", "measure_energy", "measure_complexity"):
        assert counts[rule] == str(systems), rule
    assert counts["measure_quality"] == str(systems + 3), "the reference systems too"
    for rule in (
        "prepare_clips",
        "compute_mels",
        "prepare_utterances",
        "cut_energy_clips",
        "tabulate_systems",
        "build_report",
    ):
        assert counts[rule] == "1", rule


@pytest.mark.slow
def test_a_configuration_that_is_longer_than_an_argument_can_be_is_recorded(study):
    write_zoo(study, 4000)  # of which the study measures none
    study.snakemake("--configfile", TINY_CONFIG, "zoo.yaml", "--", "results/provenance.json")
    record = json.loads((study.folder / "results/provenance.json").read_text())
    assert len(record["config"]["models"]["zoo"]["sizes"]) == 4000
    assert len(json.dumps(record["config"])) > ARGUMENT_LIMIT
    assert record["packages"]["snakemake"]
    assert record["measured_on"]
    assert record["environments"]["torch.yaml"]["torch"] == record["packages"]["torch"]
