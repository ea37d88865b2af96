"""Reading YAML: by libyaml where it is there, and nothing that means two things, or another than it looks like."""

import copy
import re
from collections.abc import Iterable, Mapping, MutableMapping
from pathlib import Path
from typing import Any

import yaml

from vocoder_pareto.errors import UserError, first_line

MOST_LEVELS = 100
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # eight times as fast, and equal
# What YAML 1.1 takes for numbers of base 8 and 60.
_OCTAL = re.compile(r"[-+]?0[0-7_]+")
_SEXAGESIMAL = re.compile(r"[-+]?[0-9][0-9_]*(:[0-5]?[0-9])+(\.[0-9_]*)?")


def read_yaml(file: str | Path) -> dict[str, Any]:
    """The sections of a YAML file; none of an empty one.

    Raises:
        UserError: The file is missing, is not YAML, has a key twice in one section, an alias inside of what it names,
            or a number in the notations of base 8 and 60.
    """
    try:
        text = Path(file).read_text(encoding="utf-8-sig")
        _require_plain(text, file)
        content = _content(text, file)
    except FileNotFoundError as error:
        raise UserError(f"{file}: no such file") from error
    except OSError as error:
        raise UserError(f"{file}: cannot be read ({first_line(error)}); name a YAML file") from error
    except (yaml.YAMLError, ValueError, TypeError, RecursionError) as error:
        raise UserError(f"{file}: not valid YAML ({error})") from error
    if not isinstance(content, dict | None):
        raise UserError(f"{file}: holds no sections; write keys and values, as config.yaml has them")
    return content or {}


def merged(files: Iterable[str | Path]) -> dict[str, Any]:
    """What YAML `files` say together: keys of later ones replace those of earlier ones, as `--configfile` does.

    Raises:
        UserError: A file is missing, is not YAML, or has a key twice.
    """
    config: dict[str, Any] = {}
    for file in files:
        lay_over(config, read_yaml(file))
    return config


def over_defaults(config: Mapping[str, Any], defaults: str | Path) -> dict[str, Any]:
    """`config` over the YAML file of `defaults`, key by key as `--configfile` does; `config` itself stays as it is.

    Raises:
        UserError: The file is missing, is not YAML, or has a key twice.
    """
    result = merged([defaults])
    lay_over(result, config)
    return result


def require_unique_keys(files: Iterable[str | Path]) -> None:
    """Refuse YAML `files` in which a key stands twice in one section: YAML itself would drop the first in silence.

    Raises:
        UserError: it names the file, the key and both lines.
    """
    for file in files:
        read_yaml(file)


def lay_over(config: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    """Put `changes` over `config`, in place and key by key: what is a section on both sides is gone into."""
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            lay_over(config[key], value)
        else:
            config[key] = copy.deepcopy(value)


class _UniqueKeys(_Loader):
    """Reads YAML, but refuses a key that stands twice in one section."""

    file: str | Path = ""

    def construct_mapping(self, node, deep=False):
        lines: dict[Any, int] = {}
        for key_node, _ in node.value:
            if key_node.tag == "tag:yaml.org,2002:merge":
                continue
            key, line = self.construct_object(key_node, deep=True), key_node.start_mark.line + 1
            if key in lines:
                raise UserError(
                    f"{self.file}: the key {key} stands twice in one section, in lines {lines[key]} and {line}; "
                    "join the two"
                )
            lines[key] = line
        return super().construct_mapping(node, deep)


def _content(text: str, file: str | Path) -> Any:
    loader = _UniqueKeys(text)
    loader.file = file
    try:
        return loader.get_single_data()
    finally:
        loader.dispose()


def _require_plain(text: str, file: str | Path) -> None:
    """Refuse what would be read as another thing than it looks like, or never end."""
    anchors: list[str | None] = []  # of the collections around
    for event in yaml.parse(text, Loader=_Loader):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.CollectionStartEvent):
            anchors.append(event.anchor)
            if len(anchors) > MOST_LEVELS:
                raise UserError(f"{file}: not valid YAML here (more than {MOST_LEVELS} levels in line {line})")
        elif isinstance(event, yaml.CollectionEndEvent):
            anchors.pop()
        elif isinstance(event, yaml.AliasEvent) and event.anchor in anchors:
            raise UserError(
                f"{file}: the alias *{event.anchor} in line {line} stands inside of what it names; write the value out"
            )
        elif isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            _require_decimal(event.value, f"{file}, line {line}")


def _require_decimal(text: str, where: str) -> None:
    base = 8 if _OCTAL.fullmatch(text) else 60 if _SEXAGESIMAL.fullmatch(text) else 10
    if base == 10 or set(text) <= set("+-_0"):
        return
    read = yaml.safe_load(text)
    raise UserError(
        f"{where}: YAML reads {text} as {read}, in base {base}; write {read} if that is meant, "
        f'or "{text}" in quotes if it is text'
    )
