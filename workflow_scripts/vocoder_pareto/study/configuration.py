"""The configuration: checked against its schema, and cut into the slices that rules hand to programs.

Imports nothing heavy, since the Snakefile reads it at every start.
"""

import dataclasses
import difflib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def read_configuration(files: Iterable[str | Path]) -> dict[str, Any]:
    """The configuration of YAML `files`: keys of later ones replace those of earlier ones, as `--configfile` does.

    Raises:
        UserError: a file is missing or is not YAML.
    """
    merged: dict[str, Any] = {}
    for file in files:
        try:
            _update(merged, yaml.safe_load(Path(file).read_text(encoding="utf-8")) or {})
        except FileNotFoundError as error:
            raise UserError(f"{file}: no such file") from error
        except yaml.YAMLError as error:
            raise UserError(f"{file}: not valid YAML ({error})") from error
    return merged


def check_configuration(config: Mapping[str, Any], schema_file: str | Path) -> None:
    """Check `config` against the JSON schema in `schema_file`, then what a schema cannot say.

    Raises:
        UserError: one line per fault, each with its key, its value, what is allowed and the nearest known key.
    """
    schema = yaml.safe_load(Path(schema_file).read_text(encoding="utf-8"))
    validator = jsonschema.Draft202012Validator(schema)
    faults = [_described(error) for error in sorted(validator.iter_errors(config), key=lambda error: error.json_path)]
    if not faults:
        faults = _inconsistencies(config)
    if faults:
        raise UserError("\n".join(dict.fromkeys(faults)))


def configured_systems(config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The systems to study, in the configuration's order: `{"melgan-S": ("melgan", "S"), …}`."""
    known = _known_systems(config)
    return known if config["systems"] == "all" else {name: known[name] for name in config["systems"]}


def system_settings(config: Mapping[str, Any], model: str, size: str) -> dict[str, Any]:
    """All that the configuration says of one system, with the settings of its size over those of its model.

    The keys are those of `systems.SystemSettings`, and `run` (how to train, see `training`), `published_convention`
    (what the paper's FLOPs counted) and `suggested_by_authors`.
    """
    family = config["models"][model]
    own = family["sizes"][size]
    training = {**family.get("training", {}), **own.get("training", {})}
    run_keys = config["training"].keys()
    return {
        "model": model,
        "size": size,
        "vocoder": family["vocoder"],
        "objective": family["objective"],
        "architecture": {**family.get("architecture", {}), **own.get("architecture", {})},
        "sampling": {**family.get("sampling", {}), **own.get("sampling", {})},
        "training": {key: value for key, value in training.items() if key not in run_keys},
        "run": {**config["training"], **{key: value for key, value in training.items() if key in run_keys}},
        "published_convention": {**family.get("published_convention", {}), **own.get("published_convention", {})},
        "suggested_by_authors": own.get("suggested_by_authors", False),
        "n_mels": config["mel"]["n_mels"],
        "hop_length": config["mel"]["hop_length"],
        "sample_rate": config["dataset"]["sample_rate"],
    }


def systems_of(config: Mapping[str, Any]) -> list[SystemSettings]:
    """The systems that `config`, a checked configuration, studies, in its order."""
    names = {field.name for field in dataclasses.fields(SystemSettings)}
    found = [system_settings(config, *pair) for pair in configured_systems(config).values()]
    return [
        settings_from(SystemSettings, {key: value for key, value in each.items() if key in names}, "models")
        for each in found
    ]


def _update(config: dict[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            _update(config[key], value)
        else:
            config[key] = value


def _known_systems(config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {f"{model}-{size}": (model, size) for model, family in config["models"].items() for size in family["sizes"]}


def _inconsistencies(config: Mapping[str, Any]) -> list[str]:
    faults = []
    known = _known_systems(config)
    for name in config["systems"] if config["systems"] != "all" else ():
        if name not in known:
            faults.append(
                f"config key systems: {name!r} is not a system{_nearest(name, known)}; allowed: {', '.join(known)}"
            )
    if config["dataset"]["clip_samples"] % config["mel"]["hop_length"]:
        faults.append(
            f"config key dataset.clip_samples: {config['dataset']['clip_samples']} is not a multiple of "
            f"mel.hop_length ({config['mel']['hop_length']})"
        )
    if config["mel"]["hop_length"] > config["mel"]["n_fft"]:
        faults.append(
            f"config key mel.hop_length: {config['mel']['hop_length']} is not allowed; must be at most mel.n_fft "
            f"({config['mel']['n_fft']})"
        )
    if all(config["training"].get(key) is None for key in ("steps", "hours", "energy_kwh")):
        faults.append("config key training: no budget; set at least one of steps, hours, energy_kwh")
    return faults


def _described(error: jsonschema.ValidationError) -> str:
    where = ".".join(str(part) for part in error.absolute_path) or "(top level)"
    match error.validator:
        case "additionalProperties":
            known = list(error.schema.get("properties", {}))
            unknown = [key for key in error.instance if key not in known and not _matches_pattern(key, error.schema)]
            key = unknown[0] if unknown else "?"
            path = key if where == "(top level)" else f"{where}.{key}"
            return f"config key {path}: unknown{_nearest(key, known)}; allowed here: {', '.join(known)}"
        case "required":
            missing = next(key for key in error.validator_value if key not in error.instance)
            return f"config key {where}.{missing}: missing; add it (config.yaml describes every key)"
        case "type":
            allowed = error.validator_value
            allowed = allowed if isinstance(allowed, str) else " or ".join(allowed)
            hint = "; write a decimal point, as in 1.0e-4" if _looks_like_number(error.instance) else ""
            return f"config key {where}: {error.instance!r} is not allowed; expected {allowed}{hint}"
        case "enum":
            return f"config key {where}: {error.instance!r} is not allowed; allowed: {_listed(error.validator_value)}"
        case "minimum" | "exclusiveMinimum" | "maximum" | "exclusiveMaximum":
            bound = {"minimum": "at least", "exclusiveMinimum": "greater than", "maximum": "at most"}
            words = bound.get(error.validator, "less than")
            return f"config key {where}: {error.instance!r} is not allowed; must be {words} {error.validator_value}"
        case "anyOf" | "oneOf":
            deepest = jsonschema.exceptions.best_match(error.context)
            if deepest is not None and len(deepest.absolute_path) > len(error.absolute_path):
                return _described(deepest)
            choices = " or ".join(_choice(choice) for choice in error.validator_value)
            return f"config key {where}: {error.instance!r} is not allowed; expected {choices}"
        case _:
            return f"config key {where}: {error.message}"


def _matches_pattern(key: str, schema: Mapping[str, Any]) -> bool:
    return any(re.search(pattern, key) for pattern in schema.get("patternProperties", {}))


def _choice(schema: Mapping[str, Any]) -> str:
    if "const" in schema:
        return repr(schema["const"])
    if "enum" in schema:
        return _listed(schema["enum"])
    return str(schema.get("description") or schema.get("type") or schema)


def _listed(values: list[Any]) -> str:
    return " | ".join(str(value) for value in values)


def _looks_like_number(value: Any) -> bool:
    try:
        return isinstance(value, str) and bool(float(value) or True)
    except ValueError:
        return False


def _nearest(word: str, known) -> str:
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""
