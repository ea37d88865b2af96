"""Settings: frozen dataclasses whose fields say type, bounds and meaning, and the one gate that values pass into them.

A class of settings is a dataclass, of pydantic (`@dataclass(frozen=True, config=STRICT)`, for sections of the
configuration) or of the standard library (for what a vocoder's own file declares). `settings_from` is strict: a whole
number is no text, 200.0 is no whole number, NaN is no number. Only text that spells what the field wants is read as
it, since YAML takes `1e-4` for text, and Snakemake every value inside of a nested `--config`.
"""

import json
import math
import re
import types
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache, wraps
from typing import Any, TypeVar

import pydantic
from pydantic import ConfigDict, TypeAdapter
from pydantic_core import ErrorDetails

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.settings_faults import YAML_WORDS, Path, dotted, faults_of, keys_of, path_in, unknown_key

STRICT = ConfigDict(
    extra="forbid", strict=True, allow_inf_nan=False, use_attribute_docstrings=True, populate_by_name=True
)

# The largest seed that Python, NumPy and PyTorch all take.
LARGEST_SEED = 2**63 - 1

Settings = TypeVar("Settings")

_adapter: Callable[[type], TypeAdapter[Any]] = cache(TypeAdapter)

_WORDS = {"true": True, "false": False, "null": None, "~": None}
_WHOLE = re.compile(r"[-+]?\d{1,20}")
_FRACTION = re.compile(r"[-+]?(\d+\.\d*|\.\d+)")
_EXPONENT = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)[eE][-+]?\d+")


def settings_from(kind: type[Settings], values: Mapping[str, Any], where: str, prefix: str = "config key ") -> Settings:
    """Build the settings `kind` from plain `values`; `where` is the configuration key that messages begin with.

    Lists become tuples, and whole numbers floats, where the field says so. Text becomes the number, the truth value or
    the null that it spells where the field takes no text.

    Raises:
        UserError: One line per fault: an unknown or missing key, a value of the wrong type or out of its bounds, each
            with key, value and what is allowed.
    """
    faults = list(_unreadable(values))
    if not faults and is_dataclass(kind):  # of the standard library: pydantic would let unknown keys pass
        known = keys_of(kind)
        faults = [((key,), unknown_key(key, known)) for key in values if key not in known]
    if not faults:
        try:
            return _validated(kind, values)
        except pydantic.ValidationError as error:
            faults = faults_of(kind, values, error)
    raise UserError("\n".join(f"{prefix}{dotted(where, path)}: {words}" for path, words in faults))


def refusing_in_words(kind: type[Settings]) -> type[Settings]:
    """Decorate a class of settings that people construct themselves: what it refuses is told as `settings_from` does.

    Its constructor raises `UserError`, one line, in place of pydantic's own error.
    """
    construct = kind.__init__

    def in_words(self: Any, *arguments: Any, **values: Any) -> None:
        names = [field.name for field in fields(kind) if field.init]  # type: ignore[arg-type]
        given = dict(zip(names, arguments, strict=False)) | values
        try:
            construct(self, *arguments[len(names) :], **given)
        except pydantic.ValidationError as error:
            faults = [f"{'.'.join(map(str, path))}: {words}" for path, words in faults_of(kind, given, error)]
            raise UserError(f"{kind.__name__}: {'; '.join(faults)}") from error

    kind.__init__ = wraps(construct)(in_words)  # type: ignore[method-assign]
    return kind


def settings_given(kind: type[Settings], given: Any, name: str) -> Settings:
    """The settings that an argument called `name` holds: those of `kind`, or a mapping of their keys to values.

    Raises:
        UserError: It holds something else, or one of the values is refused.
    """
    if isinstance(given, kind):
        return given
    if isinstance(given, Mapping):
        try:
            return settings_from(kind, given, name, "")
        except UserError as error:
            raise UserError(str(error).replace("\n", "; ")) from error
    raise UserError(f"{name}: {given!r} is not allowed; give {kind.__name__}(…), or a dict of its keys")


def plain(settings: Any) -> dict[str, Any]:
    """The values of `settings` as a configuration file holds them: dicts, lists, numbers and text, with all keys."""
    return _adapter(type(settings)).dump_python(settings, by_alias=True, mode="json")


def with_numbers_read(values: Any) -> Any:
    """`values` with each text such as `1e-4` replaced by its number, which YAML 1.1 takes for text.

    It serves settings whose types are known only where they are used, such as those of an architecture.
    """
    if isinstance(values, Mapping):
        return {key: with_numbers_read(value) for key, value in values.items()}
    if isinstance(values, list | tuple):
        return [with_numbers_read(value) for value in values]
    if isinstance(values, str) and _EXPONENT.fullmatch(values) and math.isfinite(float(values)):
        return float(values)
    return values


def _validated(kind: type[Settings], values: Any) -> Settings:
    # As JSON, since strict pydantic takes a list for a tuple there, and a whole number for a float.
    try:
        return _adapter(kind).validate_json(json.dumps(values), strict=True)
    except pydantic.ValidationError as error:
        read = _with_texts_read(values, error.errors())
        if read == values:
            raise
    return _adapter(kind).validate_json(json.dumps(read), strict=True)


def _with_texts_read(values: Any, errors: Sequence[ErrorDetails]) -> Any:
    """`values` with each text that an error names replaced by the number, truth value or null that it spells."""
    values = json.loads(json.dumps(values))
    for error in errors:
        *parents, last = path_in(values, error["loc"]) or [None]
        part = values
        for key in parents:
            part = part[key]
        if last is not None and isinstance(part[last], str):
            part[last] = _spelt(part[last])
    return values


def _spelt(text: str) -> Any:
    if _WHOLE.fullmatch(text):
        return int(text)
    if (_FRACTION.fullmatch(text) or _EXPONENT.fullmatch(text)) and math.isfinite(float(text)):
        return float(text)
    return _WORDS.get(text.lower(), text)


def _is_writable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return "\0" not in text


def _unreadable(values: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """What no JSON can hold, with its place: names that are no text, numbers without end, dates."""
    if isinstance(values, Mapping):
        for key, value in values.items():
            if isinstance(key, str):
                yield from _unreadable(value, (*path, key))
            else:
                mend = f"since {YAML_WORDS}" if isinstance(key, bool) else f'"{key}"'
                yield path, f"the name {key} is not text; write it in quotes, {mend}"
    elif isinstance(values, list | tuple):
        for index, value in enumerate(values):
            yield from _unreadable(value, (*path, index))
    elif isinstance(values, str) and not _is_writable(values):
        yield path, f"{values!r} is not allowed: it holds what no file can; write it anew"
    elif isinstance(values, float) and not math.isfinite(values):
        yield path, f"{values} is not allowed; must be a finite number"
    elif not isinstance(values, str | int | float | types.NoneType):
        yield path, f"{values} is not allowed: it is a {type(values).__name__}; write it in quotes if it is text"
