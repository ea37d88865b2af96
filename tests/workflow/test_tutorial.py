"""The tutorial of docs/adding_a_model.md, word for word: each case in a clone, from the files and commands it prints.

The vocoders are first checked, and the new one trained for a step, in seconds; `make test-slow` runs whole studies.
"""

import csv
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from project import PROJECT, Project, copy_of_project, environment

pytestmark = pytest.mark.workflow

PAGE = (PROJECT / "docs" / "adding_a_model.md").read_text()
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
NAME = re.compile(r"# (\S+\.(?:py|yaml))\n")


@dataclass(frozen=True)
class Case:
    """A section of the tutorial: its files by name, and its commands in their order."""

    files: dict[str, str]
    commands: list[str]

    @classmethod
    def under(cls, heading: str) -> "Case":
        (text,) = re.findall(rf"^##+ {re.escape(heading)}.*?\n(.*?)(?=^##+ |\Z)", PAGE, re.MULTILINE | re.DOTALL)
        blocks = FENCE.findall(text)
        files = {name[1]: block for _, block in blocks if (name := NAME.match(block))}
        return cls(files, [line for language, block in blocks if language == "bash" for line in block.splitlines()])

    def written(self, folder: Path) -> Project:
        project = copy_of_project(folder)
        for name, block in self.files.items():
            (folder / name).write_text(block)
        return project


def run(project: Project, command: str, **variables: str) -> str:
    """What a command prints; the test fails with it where it does not end well."""
    done = subprocess.run(
        ["bash", "-c", command],
        cwd=project.folder, env={**environment(), **variables}, capture_output=True, text=True, timeout=1800,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout[-5000:]}\n{done.stderr[-5000:]}"
    return done.stdout + done.stderr


def rows(file: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(file.open()))


def checks_and_study(case: Case) -> tuple[str, str]:
    """The command that checks, and the one that runs the study."""
    check, study = case.commands
    assert "check_vocoder.py" in check
    assert study.startswith("snakemake --configfile ")
    return check, study


PUBLISHED = Case.under("1. Published weights")
VOCOS = Case.under("2. A network of another project")
CODEC = Case.under("A codec")
NEW = Case.under("3. A new network")


def test_the_cases_are_found():
    for case, files in (
        (PUBLISHED, {"pretrained_hifigan.yaml"}),
        (VOCOS, {"vocos_adapter.py", "vocos.yaml"}),
        (CODEC, {"mu_law.py", "codec.yaml"}),
        (NEW, {"my_vocoder.py", "my_study.yaml"}),
    ):
        assert set(case.files) == files
        assert case.commands
    assert len(VOCOS.files["vocos_adapter.py"].strip().splitlines()) <= 30


@pytest.mark.parametrize("case", [pytest.param(CODEC, marks=pytest.mark.slow), NEW], ids=["codec", "new network"])
def test_a_vocoder_of_the_tutorial_passes_the_checks(case, tmp_path):
    """The new one with a step of its training; the codec has no weights to train."""
    told = run(case.written(tmp_path / "clone"), checks_and_study(case)[0])
    assert "does what the study asks of a vocoder" in told
    if case is NEW:
        assert re.search(r"^ok +training +one step of generator$", told, re.MULTILINE)


@pytest.mark.slow
def test_a_new_network_is_trained_measured_and_judged(tmp_path):
    project = NEW.written(tmp_path / "clone")
    run(project, checks_and_study(NEW)[1])
    results = project.folder / "results_mine"
    systems = {row["system"]: row for row in rows(results / "systems.csv")}
    for name in ("filtered_noise-S", "filtered_noise-M"):
        curve = [float(row["spectral_loss"]) for row in rows(results / "training" / name / "metrics.csv")]
        assert curve[-1] < curve[0]
        assert float(systems[name]["energy_joules_per_audio_second"]) > 0
        assert float(systems[name]["d_stft"]) > 0
    assert float(systems["filtered_noise-M"]["parameters"]) > float(systems["filtered_noise-S"]["parameters"])
    assert (results / "report" / "index.html").exists()


@pytest.mark.slow
def test_a_codec_goes_through_the_whole_study(tmp_path):
    """Its audio is the recording in 256 levels: nearer to it than 8 bits of a linear scale leave it."""
    project = CODEC.written(tmp_path / "clone")
    run(project, checks_and_study(CODEC)[1])
    results = project.folder / "results_codec"
    folder = results / "generated" / "mu_law-8bit"
    for row in rows(folder / "manifest.csv"):
        original, rate = soundfile.read(folder / row["original_file"])
        compared, _ = soundfile.read(folder / row["file"])
        natural, _ = soundfile.read(results / "generated" / "ground_truth" / row["file"])
        assert rate == 24000
        assert abs(len(original) / 24000 - len(compared) / 16000) < 1e-3
        error = np.sqrt(np.mean((compared - natural) ** 2) / np.mean(natural**2))
        assert 0.001 < error < 0.05
    (system,) = [row for row in rows(results / "systems.csv") if row["system"] == "mu_law-8bit"]
    assert system["front_end"] == "waveform_24k"
    assert system["gflops_per_audio_second"] == ""
    assert float(system["energy_joules_per_audio_second"]) > 0
    assert 0 < float(system["d_stft"]) < 0.5
    summary = json.loads((results / "training" / "mu_law-8bit" / "summary.json").read_text())
    assert (summary["stopped_by"], summary["steps"]) == ("weights_of_its_class", None)


@pytest.mark.pretrained
def test_published_weights_are_fetched_and_heard(tmp_path):
    project = PUBLISHED.written(tmp_path / "clone")
    (command,) = PUBLISHED.commands
    run(project, command)
    folder = project.folder / "results_pretrained_hifigan" / "generated" / "hifigan-L"
    for row in rows(folder / "manifest.csv"):
        samples, rate = soundfile.read(folder / row["original_file"])
        assert rate == 22050
        assert 0.01 < samples.std() < 0.5


# What vocos imports and PyTorch's environment may lack; its other dependencies are heavy, and there already.
NEEDS_OF_VOCOS = ["vocos", "encodec", "einops", "huggingface_hub"]


@pytest.mark.pretrained
def test_vocos_is_checked_and_measured_with_random_weights(tmp_path):
    project = VOCOS.written(tmp_path / "clone")
    install, check, study = VOCOS.commands
    assert install == "pip install vocos"
    target = tmp_path / "packages"
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), *NEEDS_OF_VOCOS]
    done = subprocess.run(pip, capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"pip does not reach vocos: {done.stderr[-300:]}")
    told = run(project, check, PYTHONPATH=str(target))
    assert "does what the study asks of a vocoder" in told
    assert "Random weights: vocos-base" in run(project, study, PYTHONPATH=str(target))
    (system,) = [row for row in rows(project.folder / "results_vocos" / "systems.csv") if row["system"] == "vocos-base"]
    assert float(system["energy_joules_per_audio_second"]) > 0
    assert system["d_stft"] == ""
    assert 13e6 < float(system["parameters"]) < 14e6  # 13.5 million, Siuzdak 2023, table 3
