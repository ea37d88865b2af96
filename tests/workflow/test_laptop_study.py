"""The laptop's preset from the corpus to the report, with seconds of training in place of hours."""

import csv
import json
import shutil

import pytest
from project import copy_of_project, run_snakemake

pytestmark = [pytest.mark.workflow, pytest.mark.slow]

SECONDS = """
systems: [hifigan-XXS, hifigan-XXS_seed1, waveflow-XXS, wavegrad-XXS]
dataset: {clips: 20, clip_seconds: 1.024}
evaluation: {seconds: 1.024, least_training_hours: 0.0}
training: {hours: 0.0005, validation_shares: [0.2, 1.0], validation_clips: 2, bands: null}
models: {wavegrad: {sampling: {steps: 4}}}
generation: {clips: 3}
energy: {clips: 1, clip_seconds: 0.25, max_warmup_seconds: 0.0, idle_seconds: 0.0, windows: 2, min_window_seconds: 0.0}
predicted_mos: {predictor: null}
pareto: {draws: 200}
"""


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    project = copy_of_project(tmp_path_factory.mktemp("laptop") / "study")
    (project.folder / "seconds.yaml").write_text(SECONDS)
    (project.folder / "warned.yaml").write_text("training: {bands: bands.csv}")
    return project


def run(project, *arguments):
    presets = ["presets/laptop.yaml", "presets/laptop_quick.yaml", "seconds.yaml", *arguments]
    done = run_snakemake(["--cores", "2", "--configfile", *presets], project.folder)
    assert done.returncode == 0, f"{done.stdout[-2000:]}\n{done.stderr[-6000:]}"
    return project.folder / "results_laptop_quick"


def rows_of(file):
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_a_study_of_seconds_has_curves_fronts_spreads_and_warnings(project):
    results = run(project)
    curves = rows_of(results / "training_curves.csv")
    assert {row["system"] for row in curves} == {"hifigan-XXS", "hifigan-XXS_seed1", "waveflow-XXS", "wavegrad-XXS"}
    for row in curves:
        assert 0.2 <= float(row["budget_share"]) <= 1
        assert float(row["joules"]) > 0
        assert float(row["d_stft"]) > 0
    assert {row["replicates_of"] for row in curves if row["model"] == "hifigan"} == {"hifigan-XXS"}
    assert any(row["on_front_d_stft"] == "true" for row in curves)
    seeds = {row["system"]: row["replicate_of"] for row in rows_of(results / "systems.csv") if row["replicate_of"]}
    assert seeds == {"hifigan-XXS_seed1": "hifigan-XXS"}
    summary = json.loads((results / "training" / "wavegrad-XXS" / "summary.json").read_text())
    assert summary["settings"]["system"]["sampling"]["steps"] == 4, "as its validations were, and all its audio is"
    assert (results / "training_curves.pdf").is_file()
    assert (results / "report" / "downloads" / "training_curves.svg").is_file()
    assert rows_of(results / "pareto" / "training_energy_and_distance.csv")
    flags = json.loads((results / "systems_flags.json").read_text())
    assert flags["training_spread"]["d_stft"]["degrees_of_freedom"] == 1
    bands = (results / "training_bands.csv").read_text()
    assert bands.count("\n") > 8

    swapped = bands.replace(",d_stft,", ",swapped,").replace(",estoi,", ",d_stft,").replace(",swapped,", ",estoi,")
    (project.folder / "bands.csv").write_text(swapped)
    for folder in results.glob("training/waveflow-XXS/*/"):
        shutil.rmtree(folder)
    run(project, "warned.yaml", "--forcerun", "train", "--", "results_laptop_quick/checkpoints/waveflow-XXS.ckpt")
    log = (results / "logs" / "train" / "waveflow-XXS.log").read_text()
    assert "WARNING" in log
    assert "the band of a run of waveflow-XXS that went well" in log
