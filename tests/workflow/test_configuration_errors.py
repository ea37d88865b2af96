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
    "a negative budget": ("steps: 2", "steps: -2", ["training.steps", "-2", "at least 1"]),
    "a size that does not exist": ("[melgan-S,", "[melgan-XL,", ["systems", "melgan-XL", "melgan-S"]),
    "a sample rate of 0": ("clips: 20", "clips: 20\n  sample_rate: 0", ["dataset.sample_rate", "0"]),
    "a number that YAML reads as text": (
        "learning_rate: 1.0e-4}",
        "learning_rate: 1e-4}",
        ["learning_rate", "'1e-4'", "1.0e-4"],
    ),
    "no budget at all": ("steps: 2", "steps: null", ["training", "steps, hours, energy_kwh"]),
    "an unknown source of clips": ("source: synthetic", "source: web", ["dataset.source", "web", "synthetic"]),
}


@pytest.fixture(scope="module")
def clean_copy(tmp_path_factory):
    return copy_of_project(tmp_path_factory.mktemp("mistakes"))


@pytest.mark.parametrize("mistake", MISTAKES)
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
    for word in words:
        assert word in message
    assert not (clean_copy.folder / "results" / "dataset").exists()
