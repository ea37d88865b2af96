"""config.yaml, its schema, its presets and the dataclasses of settings: none may drift from the others."""

import copy
import dataclasses
from pathlib import Path

import pytest
import yaml

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json
from vocoder_pareto.study.configuration import (
    check_configuration,
    configured_systems,
    read_configuration,
    system_settings,
)

PROJECT = Path(__file__).resolve().parents[3]
SCHEMA = PROJECT / "resources" / "config.schema.yaml"
CONFIG = yaml.safe_load((PROJECT / "config.yaml").read_text())
PRESETS = sorted((PROJECT / "presets").glob("*.yaml"))


def keys_of_schema(schema):
    return {name: keys_of_schema(part) for name, part in schema.get("properties", {}).items()}


def keys_of_config(config):
    return {name: keys_of_config(part) if isinstance(part, dict) else {} for name, part in config.items()}


def test_the_schema_knows_just_the_keys_of_the_configuration():
    schema = yaml.safe_load(SCHEMA.read_text())
    described = keys_of_schema(schema)
    given = keys_of_config(CONFIG)
    del described["models"], given["models"]  # names of models are free
    assert described == given


def test_every_key_has_a_comment():
    lines = (PROJECT / "config.yaml").read_text().splitlines()
    settings = lines[: lines.index("models:")]
    for number, line in enumerate(settings):
        key = line.strip().partition(":")[0]
        is_setting = line.strip() and not line.strip().startswith(("#", "-"))
        if is_setting and not settings[number - 1].strip().startswith("#") and line.partition(":")[2].strip():
            # A key may share the comment of the one before it, such as the parts of a budget.
            assert key in {
                "hours", "energy_kwh", "intensity_source", "intensity_year", "columns",
            }, f"line {number + 1}: {key} has no comment"  # fmt: skip


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.name)
def test_a_preset_is_valid_and_has_results_of_its_own(preset):
    merged = read_configuration([PROJECT / "config.yaml", preset])
    check_configuration(merged, SCHEMA)
    assert merged["results_dir"] != CONFIG["results_dir"]


def test_the_default_study_has_the_18_systems_of_the_paper():
    systems = configured_systems(CONFIG)
    models = ["melgan", "hifigan", "wavegrad", "diffwave", "waveflow", "waveglow"]
    assert list(systems) == [f"{model}-{size}" for model in models for size in "SML"]


def test_a_size_goes_over_its_model_and_run_settings_over_the_common_ones():
    large, small = system_settings(CONFIG, "melgan", "L"), system_settings(CONFIG, "melgan", "S")
    assert large["architecture"] == {"upsampling": [8, 8, 2, 2], "channels": 64, "residual_layers": 4}
    assert large["training"]["discriminator_channels"] == 32
    assert small["training"]["discriminator_channels"] == 16
    waveflow = system_settings(CONFIG, "waveflow", "S")
    assert waveflow["run"]["gradient_clip"] == 5.0
    assert "gradient_clip" not in waveflow["training"]
    assert small["run"]["gradient_clip"] is None


@pytest.mark.parametrize("name", configured_systems(CONFIG))
def test_the_settings_of_a_system_are_those_that_its_classes_know(name):
    from vocoder_pareto.models.registry import load_class
    from vocoder_pareto.study.settings import settings_from

    settings = system_settings(CONFIG, *configured_systems(CONFIG)[name])
    vocoder = load_class(settings["vocoder"], "vocoder")
    objective = load_class(settings["objective"], "objective")
    settings_from(vocoder.Architecture, settings["architecture"], "architecture")
    settings_from(vocoder.Sampling, settings["sampling"], "sampling")
    settings_from(objective.Recipe, settings["training"], "training")


def test_the_settings_of_a_run_are_those_that_training_knows():
    from vocoder_pareto.training.run_settings import RunSettings

    assert {field.name for field in dataclasses.fields(RunSettings)} == set(CONFIG["training"])


def changed(path, value):
    config = copy.deepcopy(CONFIG)
    *parents, last = path.split(".")
    part = config
    for key in parents:
        part = part[key]
    part[last] = value
    return config


@pytest.mark.parametrize(
    ("path", "value", "words"),
    [
        ("dataset.clip", 40, "config key dataset.clip: unknown (did you mean 'clips'?)"),
        ("trainin", {}, "config key trainin: unknown (did you mean 'training'?)"),
        ("training.steps", -1, "config key training.steps: -1 is not allowed; must be at least 1"),
        ("training.steps", 1.5, "config key training.steps: 1.5 is not allowed; expected integer or null"),
        ("training.batch_size", "all", "config key training.batch_size: 'all' is not allowed; expected"),
        ("models.melgan.training.learning_rate", "1e-4", "'1e-4' is not allowed; expected number; write a decimal"),
        ("dataset.source", "web", "'web' is not allowed; allowed: synthetic | ljspeech | folder"),
        ("dataset.sample_rate", 0, "config key dataset.sample_rate: 0 is not allowed; must be at least 1"),
        ("systems", ["melgan-XL"], "'melgan-XL' is not a system (did you mean 'melgan-L'?)"),
        ("systems", [], "config key systems"),
        ("device", "gpu", "config key device"),
        ("dataset.clip_samples", 16000, "16000 is not a multiple of mel.hop_length (256)"),
        ("mel.n_fft", 128, "config key mel.hop_length: 256 is not allowed; must be at most mel.n_fft (128)"),
        ("models.melgan.sizes.S.architectur", {}, "models.melgan.sizes.S.architectur: unknown (did you mean"),
    ],
)
def test_a_mistake_is_named_with_key_value_and_what_is_allowed(path, value, words):
    with pytest.raises(UserError) as error:
        check_configuration(changed(path, value), SCHEMA)
    assert words in str(error.value)


def test_no_budget_at_all_is_refused():
    with pytest.raises(UserError, match="training: no budget; set at least one of steps, hours, energy_kwh"):
        check_configuration(changed("training.steps", None), SCHEMA)


def test_canonical_json_does_not_depend_on_the_order_of_keys():
    assert canonical_json({"b": 1, "a": {"d": 2, "c": 3}}) == canonical_json({"a": {"c": 3, "d": 2}, "b": 1})
