"""Systems of several front ends in one study: each front end is made once, and all audio is compared at one rate."""

import csv
import json

import pytest
import soundfile
from project import TINY_CONFIG, Project, copy_of_project

pytestmark = pytest.mark.workflow

TWO = """
systems: [melgan-S, melgan-M, diffwave-S]
evaluation: {seconds: 3.0}
front_ends:
  mine: {sample_rate: 24000, n_fft: 1024, hop_length: 256, power: 1, logarithm: ln, floor: 1.0e-5, normalization: none}
models:
  melgan: {front_end: mine}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    project = copy_of_project(tmp_path_factory.mktemp("front_ends") / "study")
    (project.folder / "two.yaml").write_text(TWO)
    return project


def jobs_of(project: Project, *arguments: str) -> set[tuple[str, str]]:
    return project.stale_jobs("--configfile", TINY_CONFIG, "two.yaml", *arguments)


def test_clips_and_mels_are_made_once_for_each_front_end_in_use(project):
    jobs = jobs_of(project)
    for rule in ("prepare_clips", "compute_mels", "prepare_utterances", "cut_energy_clips", "measure_front_end"):
        assert {name for each, name in jobs if each == rule} == {"paper", "mine"}, rule


def test_the_reference_systems_need_the_front_end_of_the_paper_alone(project):
    jobs = jobs_of(project, "--", "results/generated/griffin_lim/manifest.csv")
    assert {name for rule, name in jobs if rule == "prepare_utterances"} == {"paper"}
    jobs = jobs_of(project, "--", "results/generated/melgan-S/manifest.csv")
    assert {name for rule, name in jobs if rule == "prepare_utterances"} == {"mine"}


@pytest.mark.slow
def test_audio_of_all_front_ends_is_of_the_same_time_at_one_rate(project):
    project.snakemake("--configfile", TINY_CONFIG, "two.yaml", "--", "results/report/index.html")
    results = project.folder / "results"
    tables = {
        name: list(csv.DictReader((results / "dataset" / name / "clips.csv").open())) for name in ("paper", "mine")
    }
    assert tables["paper"] == tables["mine"], "the same recordings, split alike"
    seconds = {row["clip_id"]: min(3.0, float(row["duration_seconds"])) for row in tables["paper"]}
    lengths = {}
    for system in ("ground_truth", "griffin_lim", "world", "melgan-S", "melgan-M", "diffwave-S"):
        folder = results / "generated" / system
        for row in csv.DictReader((folder / "manifest.csv").open()):
            info = soundfile.info(folder / row["file"])
            lengths.setdefault(row["clip_id"], set()).add((info.samplerate, info.frames))
            original = soundfile.info(folder / row["original_file"])
            rate = 24000 if system.startswith("melgan") else 16000
            assert (original.samplerate, original.frames) == (
                rate,
                pytest.approx(seconds[row["clip_id"]] * rate, abs=1),
            )
    assert len(lengths) == 2
    for clip_id, found in lengths.items():
        assert len(found) == 1, "as long in every system"
        assert found.pop() == (16000, pytest.approx(seconds[clip_id] * 16000, abs=1))
    rows = {row["system"]: row for row in csv.DictReader((results / "systems.csv").open())}
    assert (rows["melgan-S"]["front_end"], rows["melgan-S"]["sample_rate"]) == ("mine", "24000")
    assert float(rows["melgan-S"]["front_end_energy_joules_per_audio_second"]) > 0
    assert float(rows["melgan-S"]["front_end_real_time_factor"]) > 0
    measured = json.loads((results / "measurements/energy/melgan-S.json").read_text())
    assert measured["protocol"]["audio_seconds_per_clip"] == pytest.approx(round(0.25 * 24000 / 256) * 256 / 24000)
