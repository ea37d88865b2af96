"""A study of untrained systems: they are measured for what they cost, and audio of the references alone is judged."""

import csv
import json
import re

import pytest
from project import PROJECT, TINY_CONFIG, Project, copy_of_project, run_snakemake

pytestmark = pytest.mark.workflow

# The tiny configuration trains, and simulates listeners of the audio.
UNTRAINED = """
training: {steps: 0}
listening_test: {simulate: null}
"""
BRIEFLY_TRAINED = """
training: {steps: 2}
evaluation: {least_training_steps: 3}
listening_test: {simulate: null}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = copy_of_project(tmp_path_factory.mktemp("untrained") / "study")
    (project.folder / "untrained.yaml").write_text(UNTRAINED)
    (project.folder / "briefly_trained.yaml").write_text(BRIEFLY_TRAINED)
    (project.folder / "predicted.yaml").write_text("predicted_mos: {predictor: distillmos}")
    (project.folder / "one_trained.yaml").write_text("models: {melgan: {sizes: {S: {training: {steps: 2}}}}}")
    return project


def planned(project: Project, *arguments: str) -> dict[str, int]:
    """How many jobs of each rule a dry run counts."""
    result = project.snakemake("--dry-run", "--quiet", "rules", "--configfile", TINY_CONFIG, *arguments)
    return {rule: int(count) for rule, count in re.findall(r"^(\w+) +(\d+)$", result.stdout, re.MULTILINE)}


@pytest.mark.parametrize("configuration", ["untrained.yaml", "briefly_trained.yaml"])
def test_no_audio_of_systems_below_the_budget_is_planned(project, configuration):
    jobs = planned(project, configuration, "--", "all", "listening_test")
    assert "generate_audio" not in jobs
    for rule, count in (
        ("train", 4), ("measure_energy", 4), ("measure_reference", 2), ("generate_reference", 3),
        ("measure_quality", 3), ("export_listening_test", 1),
    ):  # fmt: skip
        assert jobs[rule] == count, rule


def test_of_a_study_with_both_the_trained_systems_alone_are_judged(project):
    jobs = planned(project, "untrained.yaml", "one_trained.yaml", "--", "all", "listening_test")
    for rule, count in (("train", 4), ("generate_audio", 1), ("measure_quality", 4), ("export_listening_test", 1)):
        assert jobs[rule] == count, rule


def test_the_predictor_is_tried_once_and_hears_the_references_and_what_is_judged(project):
    assert not planned(project, "untrained.yaml").keys() & {"try_predictor", "predict_mos"}
    jobs = planned(project, "untrained.yaml", "one_trained.yaml", "predicted.yaml")
    assert (jobs["try_predictor"], jobs["predict_mos"]) == (1, 4)


def test_audio_that_is_asked_for_by_its_name_is_made_whatever_the_training(project):
    jobs = planned(project, "untrained.yaml", "--", "results/generated/melgan-S/manifest.csv")
    assert (jobs["train"], jobs["generate_audio"]) == (1, 1)
    assert "measure_energy" not in jobs
    quality = "results/measurements/quality/melgan-S.csv"
    assert planned(project, "untrained.yaml", "--", quality)["measure_quality"] == 1


def test_sweeps_and_profiles_need_no_training(project):
    jobs = planned(project, "untrained.yaml", "--", "energy_sweeps", "deployment_sweeps", "layer_profiles")
    assert (jobs["train"], jobs["sweep_energy"], jobs["sweep_deployments"], jobs["profile_layers"]) == (4, 4, 4, 4)


def test_the_jobs_of_the_default_study_are_as_many_as_readme_says(tmp_path):
    """Untrained as it is, it generates the three reference systems alone."""
    words = ["--dry-run", "--quiet", "rules", "--cores", "2"]
    result = run_snakemake(words, copy_of_project(tmp_path / "study").folder)
    counts = dict(re.findall(r"^(\w+) +(\d+)$", result.stdout, re.MULTILINE))
    assert "generate_audio" not in counts
    assert f"`{counts['total']} of {counts['total']} steps (100%) done`" in (PROJECT / "README.md").read_text()


@pytest.mark.slow
def test_an_untrained_system_comes_to_the_tables_with_its_costs(project):
    """A real run to the table of systems and to a front."""
    project.snakemake(
        "--configfile", TINY_CONFIG, "untrained.yaml", "--config", "systems=[sinusoids-S]", "--",
        "results/pareto_energy.csv", "results/pareto/speed_and_distance.json",
    )  # fmt: skip
    with (project.folder / "results" / "systems.csv").open(newline="") as file:
        rows = {row["system"]: row for row in csv.DictReader(file)}
    assert list(rows) == ["ground_truth", "griffin_lim", "world", "sinusoids-S"]
    own = rows["sinusoids-S"]
    assert (own["training_steps"], own["training_seconds"], own["d_stft"]) == ("0", "", "")
    assert float(own["energy_joules_per_audio_second"]) > 0
    for reference in ("griffin_lim", "world"):
        assert float(rows[reference]["d_stft"]) > 0
        assert float(rows[reference]["energy_joules_per_audio_second"]) > 0
    front = json.loads((project.folder / "results" / "pareto" / "speed_and_distance.json").read_text())
    assert front["not_judged"] == ["sinusoids-S"]
    assert front["systems"] == 2, "what is real: Griffin-Lim and WORLD"
    record = json.loads(next((project.folder / "results/measurements/energy/records").rglob("*.json")).read_text())
    assert record["determined_by"]["untrained"] is True
