"""Nothing that is written from the classes of settings may drift from them, nor leave a key without words."""

import dataclasses
import json
from pathlib import Path

import jsonschema
import pytest
import yaml

from vocoder_pareto.study.configuration import Configuration, read_configuration
from vocoder_pareto.study.reference import (
    REFERENCE_FILE,
    SCHEMA_FILE,
    config_text,
    preset_files,
    reference_text,
    schema_text,
)
from vocoder_pareto.study.settings_faults import bare, keys_of

PROJECT = Path(__file__).resolve().parents[3]
CONFIG = PROJECT / "config.yaml"
REMEDY = "run `make config`"


def described_keys(kind, path=()):
    for name, annotation in keys_of(kind).items():
        info = next(info for key, info in kind.__pydantic_fields__.items() if name in (key, info.alias))
        yield ".".join((*path, name)), info.description
        if dataclasses.is_dataclass(bare(annotation)):
            yield from described_keys(bare(annotation), (*path, name))


def test_config_yaml_is_as_its_description_writes_it():
    text = CONFIG.read_text()
    assert config_text(text) == text, REMEDY


def test_the_schema_is_as_its_description_writes_it():
    assert (PROJECT / SCHEMA_FILE).read_text() == schema_text(), REMEDY


def test_the_reference_is_as_its_description_writes_it():
    files = preset_files(PROJECT / "presets")
    presets = {name: read_configuration([CONFIG, *those]) for name, those in files.items()}
    assert (PROJECT / REFERENCE_FILE).read_text() == reference_text(presets), REMEDY


def test_a_preset_goes_over_the_one_that_its_name_begins_with(tmp_path):
    for name in ("full_energy", "laptop", "laptop_quick", "laptopper"):
        (tmp_path / f"{name}.yaml").touch()
    names = {name: [file.stem for file in files] for name, files in preset_files(tmp_path).items()}
    assert names == {
        "full_energy": ["full_energy"], "laptop": ["laptop"], "laptop_quick": ["laptop", "laptop_quick"],
        "laptopper": ["laptopper"],
    }  # fmt: skip


@pytest.mark.parametrize(("key", "description"), list(described_keys(Configuration)))
def test_every_key_is_described(key, description):
    assert description, key
    assert len(description) > 8


@pytest.mark.parametrize("file", [CONFIG, *PROJECT.glob("presets/*.yaml"), PROJECT / "tests/workflow/tiny.yaml"])
def test_an_editor_that_knows_the_schema_finds_no_fault_in_files_that_are_right(file):
    jsonschema.validate(yaml.safe_load(file.read_text()), json.loads(schema_text()))


def test_an_editor_that_knows_the_schema_finds_a_misspelt_key():
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({"training": {"step": 3}}, json.loads(schema_text()))


# A section and its keys whose numbers are bounded by nothing that is known, with the reason.
UNBOUNDED = {"GivenNormalization": "in the unit of the spectrograms, which may be decibels, logarithms or any power"}


def numbers_in(node, path=()):
    """The places of all numbers in a JSON schema, each with its bounds."""
    if isinstance(node, dict):
        kinds = [node["type"]] if isinstance(node.get("type"), str) else node.get("type", [])
        if {"number", "integer"} & set(kinds):
            yield path, node
        node = node.items()
    elif isinstance(node, list):
        node = enumerate(node)
    else:
        return
    for key, value in node:
        yield from numbers_in(value, (*path, str(key)))


def test_every_number_of_the_configuration_has_a_lower_and_an_upper_bound():
    schema = json.loads((PROJECT / SCHEMA_FILE).read_text())
    without = {
        path: bounds
        for path, bounds in numbers_in(schema)
        if not ({"minimum", "exclusiveMinimum"} & bounds.keys() and {"maximum", "exclusiveMaximum"} & bounds.keys())
        and "const" not in bounds
        and "enum" not in bounds
    }
    assert {part for path in without for part in path if part in UNBOUNDED} == set(UNBOUNDED)
    assert [".".join(path) for path in without if not set(path) & set(UNBOUNDED)] == []
