"""What is written from the classes of settings: config.yaml, the schema for editors, the table of all keys."""

import inspect
import json
import textwrap
import typing
from collections.abc import Iterator, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any

import yaml
from pydantic import TypeAdapter

from vocoder_pareto.study.configuration import Configuration
from vocoder_pareto.study.sections.models import ModelSettings, SizeSettings
from vocoder_pareto.study.settings import plain
from vocoder_pareto.study.settings_faults import bare, is_settings, keys_of, pydantic_fields, words_of

SCHEMA_FILE = "resources/config.schema.json"
REFERENCE_FILE = "docs/configuration.md"
WIDTH = 120
_HEADER = f"""\
# yaml-language-server: $schema={SCHEMA_FILE}
# Every setting of the study, with its meaning, unit, allowed values and default. These values are the quick study:
# all 18 full-size systems on a synthetic corpus, minutes on a laptop, no GPU, no download.
# A file given with --configfile changes single keys of this one: presets/paper.yaml is the study at the paper's scale.
# Down to `models`, this file is written by `make config` from workflow_scripts/vocoder_pareto/study/sections/.
"""
_MODELS = "\nmodels:\n"


def preset_files(folder: Path) -> dict[str, list[Path]]:
    """The files of each preset in `folder` by its name: its own, after the one that it goes over, if there is one.

    `laptop_quick.yaml` goes over `laptop.yaml`, and a preset whose name begins with no other's over none.
    """
    files = {file.stem: file for file in sorted(folder.glob("*.yaml"))}
    below = {name: files.get(name.rpartition("_")[0]) for name in files}
    return {name: [*filter(None, [below[name]]), file] for name, file in files.items()}


def config_text(present: str) -> str:
    """The text of config.yaml: every key with its description and default, then the models of the `present` text."""
    models = present[present.index(_MODELS) + 1 :]
    defaults = _defaults()
    lines = [_HEADER.rstrip()]
    for name, description in _described(Configuration):
        if name != "models":
            lines += ["", *_comment(description, 0), *_entry(Configuration, name, defaults[name], 0)]
    return "\n".join([*lines, "", *_comment(dict(_described(Configuration))["models"], 0), models])


def schema_text() -> str:
    """The JSON schema of the configuration, which editors complete and check keys by."""
    schema = TypeAdapter(Configuration).json_schema()
    for part in (schema, *schema["$defs"].values()):
        part.pop("required", None)  # a file may change single keys
    return json.dumps({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}, indent=1) + "\n"


def reference_text(presets: Mapping[str, Mapping[str, Any]]) -> str:
    """The table of all keys in Markdown, with their values in config.yaml and in `presets`, by name."""
    lines = [
        "# All settings",
        "",
        "Written by `make config` from the classes in `workflow_scripts/vocoder_pareto/study/sections/`. The column",
        "*default* is config.yaml's, the quick study; the others are what the presets change.",
        "The models and their sizes are described in [config.yaml](../config.yaml) itself.",
    ]
    defaults = _defaults()
    top = [name for name in keys_of(Configuration) if name != "models"]
    kinds = {name: bare(keys_of(Configuration)[name]) for name in top}
    by_name = {name: _kind_of_named(kind) for name, kind in kinds.items()}
    scalars = [name for name in top if not (is_settings(kinds[name]) or by_name[name])]
    lines += _table(Configuration, scalars, "", defaults, presets)
    for name in top:
        if name not in scalars:
            lines += ["", f"## `{name}`", "", dict(_described(Configuration))[name]]
            kind = by_name[name] or kinds[name]
            section = f"{name}.{next(iter(defaults[name]))}" if by_name[name] else name
            lines += _table(kind, list(keys_of(kind)), section, defaults, presets)
    return "\n".join(lines) + "\n"


def _defaults() -> dict[str, Any]:
    model = ModelSettings(vocoder="a.B", objective="a.C", sizes={"S": SizeSettings()})
    return plain(Configuration(models={"any": model}))


def _described(kind: type) -> Iterator[tuple[str, str]]:
    for field in fields(kind):
        info = pydantic_fields(kind)[field.name]
        yield info.alias or field.name, inspect.cleandoc(info.description or "")


def _entry(kind: type, name: str, value: Any, depth: int) -> list[str]:
    """The lines of a key: its value, or below it the keys of a section with their comments."""
    section = bare(keys_of(kind)[name])
    indent = "  " * depth
    if named := _kind_of_named(section):
        return [f"{indent}{name}:", *_named_entries(named, value, depth + 1)]
    if not is_settings(section):
        return [f"{indent}{line}" for line in _yaml_of(name, value)]
    lines = [f"{indent}{name}:"]
    for key, description in _described(section):
        lines += [*_comment(description, depth + 1), *_entry(section, key, value[key], depth + 1)]
    return lines


def _named_entries(kind: type, values: Mapping[str, Any], depth: int) -> Iterator[str]:
    """The lines of settings by name: all keys of the first, with their comments, and of the others what differs."""
    indent, defaults = "  " * depth, plain(kind())
    for number, (name, value) in enumerate(values.items()):
        if number == 0:
            yield f"{indent}{name}:"
            for key, description in _described(kind):
                yield from (*_comment(description, depth + 1), *_entry(kind, key, value[key], depth + 1))
        else:
            differing = {key: each for key, each in value.items() if each != defaults[key]}
            text = f"{indent}{name}: {_inline(differing)}".replace(": ", ":\0")  # no line ends between key and value
            lines = textwrap.wrap(text, WIDTH, subsequent_indent=f"{indent}  ", break_on_hyphens=False)
            yield from (line.replace("\0", " ") for line in lines)


def _kind_of_named(annotation: Any) -> Any:
    """The class of the settings that `annotation` holds by name; None if it holds something else."""
    arguments = typing.get_args(annotation)
    is_mapping = isinstance(typing.get_origin(annotation), type) and issubclass(typing.get_origin(annotation), Mapping)
    return bare(arguments[1]) if is_mapping and is_settings(bare(arguments[1])) else None


def _yaml_of(name: str, value: Any) -> list[str]:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return [f"{name}:", *(f"  - {_inline(each)}" for each in value)]
    return [f"{name}: {_inline(value)}"]


def _inline(value: Any) -> str:
    if isinstance(value, str) and yaml.safe_dump(value).startswith("'"):
        return json.dumps(value, ensure_ascii=False)
    text = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=10**6)
    return text.removesuffix("\n").removesuffix("\n...")


def _comment(description: str, depth: int) -> list[str]:
    indent = "  " * depth + "# "
    return [indent + line for line in _wrapped(description, WIDTH - len(indent))]


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Lines of at most `width`; those that are indented stay as they are."""
    paragraph: list[str] = []
    for line in [*text.splitlines(), "  "]:
        if line.startswith("  "):
            yield from textwrap.wrap(" ".join(paragraph), width, break_long_words=False, break_on_hyphens=False)
            paragraph = []
            if line.strip():
                yield line
        else:
            paragraph.append(line)


def _table(
    kind: type, names: list[str], section: str, defaults: Mapping[str, Any], presets: Mapping[str, Mapping[str, Any]]
) -> list[str]:
    descriptions = dict(_described(kind))
    lines = ["", f"| key | takes | default | {' | '.join(presets)} | meaning |", "|---" * (4 + len(presets)) + "|"]
    for name in names:
        annotation, path = keys_of(kind)[name], [*filter(None, section.split(".")), name]
        if is_settings(bare(annotation)):
            inner = bare(annotation)
            nested = _table(inner, list(keys_of(inner)), ".".join(path), defaults, presets)
            lines += nested[3:]
            continue
        default = _at(defaults, path)
        changed = ["" if _at(preset, path) == default else _shown(_at(preset, path)) for preset in presets.values()]
        takes = words_of(annotation).replace("|", "\\|") + _bounds(kind, name)
        meaning = " ".join(descriptions[name].split()).replace("|", "\\|")
        key = ".".join(path[1:]) if section else name
        lines.append(f"| `{key}` | {takes} | {_shown(default)} | {' | '.join(changed)} | {meaning} |")
    return lines


def _bounds(kind: type, name: str) -> str:
    node = TypeAdapter(kind).json_schema()["properties"][name]
    parts = (node, *node.get("anyOf", []), node.get("items", {}))
    found = {key: value for part in parts for key, value in part.items()}
    words = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {found[key]:g}" for key, sign in words.items() if key in found]
    return f", {', '.join(bounds)}" if bounds else ""


def _at(config: Mapping[str, Any], path: list[str]) -> Any:
    value: Any = config
    for key in path:
        value = value[key]
    return value


def _shown(value: Any) -> str:
    return "`" + _inline(value).replace("|", "\\|") + "`"
