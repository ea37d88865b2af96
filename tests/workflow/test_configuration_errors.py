"""A mistake in the configuration ends at once, with one line that names the key, the value and what is allowed."""

import pytest
from project import copy_of_project

pytestmark = pytest.mark.workflow

MISTAKES = {
    "a misspelt key": (
        "melgan:\n    training:",
        "melgan:\n    trainin:",
        ["models.melgan.trainin", "did you mean 'training'"],
    ),
    "a negative budget": ("steps: 2", "steps: -2", ["training.steps", "-2", "at least 0"]),
    "a size that does not exist": ("[melgan-S,", "[melgan-XL,", ["systems", "melgan-XL", "melgan-S"]),
    "clips of 0 seconds": ("clips: 20", "clips: 20\n  clip_seconds: 0", ["dataset.clip_seconds", "0"]),
    "a word for a number": ("learning_rate: 1.0e-4}", "learning_rate: fast}", ["learning_rate", "'fast'", "number"]),
    "a fraction for a whole number": ("clips: 20", "clips: 20.0", ["dataset.clips", "20.0", "integer", "write 20"]),
    "a budget that never ends": ("steps: 2", "steps: null\n  hours: .nan", ["training.hours", "nan", "finite number"]),
    "a section twice in one file": (
        "pareto:",
        "training: {steps: 1}\npareto:",
        ["tiny.yaml", "the key training stands twice", "join the two"],
    ),
    "a name that YAML reads as a number": (
        "      S: {architecture: {sinusoids",
        "      64: {architecture: {sinusoids",
        [
            "models.sinusoids.sizes",
            "64",
            "quotes",
        ],
    ),
    "a seed that no generator takes": (
        "pareto:",
        "seed: 1000000000000000000000000000000\npareto:",
        ["seed", "at most"],
    ),
    "no budget at all": ("steps: 2", "steps: null", ["training", "steps, hours, energy_kwh"]),
    "a vocoder's file that is not there": (
        "vocoder: tests/workflow/sinusoid_vocoder.py:",
        "vocoder: tests/workflow/sinusoid.py:",
        [
            "models.sinusoids.vocoder",
            "tests/workflow/sinusoid.py:SinusoidVocoder: no such file",
            "path/to/file.py:Class",
        ],
    ),
    "a hop length that a model cannot make": (
        "training:\n  steps: 2",
        "front_ends: {paper: {hop_length: 512}}\ntraining:\n  steps: 2",
        ["models.melgan.architecture.upsampling", "[8, 8, 2, 2]", "256", "front_ends.paper.hop_length (512)"],
    ),
    "a metric that does not exist": (
        "metrics: [estoi]",
        "metrics: [estio]",
        ["quality.metrics", "'estio' is unknown (did you mean 'estoi'?)", "pesq_wb", "path/to/file.py:function"],
    ),
    "an unknown source of clips": ("source: synthetic", "source: web", ["dataset.source", "web", "synthetic"]),
}


@pytest.fixture(scope="module")
def clean_copy(tmp_path_factory):
    return copy_of_project(tmp_path_factory.mktemp("mistakes"))


# One of each place that finds mistakes: types, files, names, classes. The others go the same ways.
OFTEN = ("a misspelt key", "a section twice in one file", "a size that does not exist", "a metric that does not exist",
         "a hop length that a model cannot make", "a vocoder's file that is not there")  # fmt: skip


@pytest.mark.parametrize(
    "mistake", [pytest.param(each, marks=[] if each in OFTEN else [pytest.mark.slow]) for each in MISTAKES]
)
def test_a_mistake_is_named_with_its_key_value_and_mend(clean_copy, mistake):
    old, new, words = MISTAKES[mistake]
    config = clean_copy.folder / "tests/workflow/tiny.yaml"
    original = config.read_text()
    clean_copy.edit("tests/workflow/tiny.yaml", old, new)
    try:
        result = clean_copy.snakemake("--dry-run", check=False)
    finally:
        config.write_text(original)
    message = result.stdout + result.stderr
    assert result.returncode == 1
    assert "Traceback" not in message
    assert "InputFunctionException" not in message
    for word in words:
        assert word in message
    assert not (clean_copy.folder / "results" / "dataset").exists()


def test_a_target_in_another_folder_of_results_names_the_right_one(clean_copy):
    asked = ("--config", "results_dir=elsewhere", "--", "results/systems.csv")
    result = clean_copy.snakemake("--dry-run", *asked, check=False)
    assert result.returncode == 1
    assert (
        "results/systems.csv: results go to elsewhere (config key results_dir), so ask for elsewhere/systems.csv"
        in (result.stdout + result.stderr)
    )
    assert "MissingRuleException" not in result.stdout + result.stderr


def test_a_section_given_on_the_command_line_is_read_as_in_a_file(clean_copy):
    asked = "training={steps: 7, hours: null, tf32: true, gradient_clip: 1e-3}"
    result = clean_copy.snakemake(
        "--dry-run", "--printshellcmds", "--config", asked, "--", "results/checkpoints/melgan-S.ckpt"
    )
    command = next(line for line in result.stdout.splitlines() if "workflow_scripts/train.py" in line)
    for setting in ('"steps":7', '"hours":null', '"tf32":true', '"gradient_clip":0.001'):
        assert setting in command
