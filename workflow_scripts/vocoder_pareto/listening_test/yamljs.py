"""YAML for webMUSHRA, whose reader (yaml.js 0.3) knows a part of YAML only.

It takes `- - a` for a text, breaks at U+2028, and turns escapes such as `\\u00e9` into two wrong characters. So every
list and mapping is in block style, every text is in double quotes on one line, with quotes and backslashes as its only
escapes, and all other characters stand for themselves.
"""

import re
from collections.abc import Iterator
from typing import Any

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ufeff]+")  # line breaks among them


def yaml_of(content: dict[str, Any]) -> str:
    """Nested dicts with plain keys, lists of dicts, texts, numbers, flags and None as YAML.

    Control characters and line breaks in texts become a blank each, as they are shown in HTML.
    """
    return "\n".join(_lines(content)) + "\n"


def _lines(value: dict[str, Any] | list[dict[str, Any]]) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            first, *others = _lines(item)
            yield f"- {first}"
            yield from (f"  {line}" for line in others)
        return
    for key, each in value.items():
        if isinstance(each, dict | list):
            yield f"{key}:"
            yield from (f"  {line}" for line in _lines(each))
        else:
            yield f"{key}: {_scalar(each)}"


def _scalar(value: str | float | bool | None) -> str:
    match value:
        case str():
            return '"' + _CONTROL.sub(" ", value).replace("\\", "\\\\").replace('"', '\\"') + '"'
        case None | True | False:
            return {None: "null", True: "true", False: "false"}[value]
        case _:
            return str(value)
