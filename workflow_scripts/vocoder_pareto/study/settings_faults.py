"""What is wrong with settings, in words: the key, its value, what is allowed, and the nearest name."""

import difflib
import re
import types
import typing
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from functools import cache
from typing import Annotated, Any, Literal

import pydantic
from pydantic.fields import FieldInfo
from pydantic_core import ErrorDetails

Path = tuple[str | int, ...]

YAML_WORDS = "YAML reads yes, no, on and off as true and false"

# What pydantic calls a broken bound → how it is told, and where its number is.
_BOUNDS = {
    "greater_than_equal": ("at least", "ge"),
    "greater_than": ("greater than", "gt"),
    "less_than_equal": ("at most", "le"),
    "less_than": ("less than", "lt"),
}
_WORDS = {int: "integer", float: "number", str: "text", bool: "true or false", types.NoneType: "null"}


def faults_of(kind: type, values: Any, error: pydantic.ValidationError) -> list[tuple[Path, str]]:
    """Each key of `values` that `kind` refuses, as path and words. What the branches of a union say is one fault."""
    by_path: dict[Path, list[ErrorDetails]] = {}
    for each in error.errors(include_url=False):
        path = path_in(values, each["loc"])
        if each["type"] == "missing":
            path = (*path, each["loc"][-1])
        by_path.setdefault(path, []).append(each)
    # Of a union, the branch that takes a section tells its keys, and the others no more than that it is one.
    inner = [path for path in by_path if not any(other != path == other[: len(path)] for other in by_path)]
    return [(path, _fault(kind, path, by_path[path], _value_at(values, path))) for path in inner]


def path_in(values: Any, location: Sequence[str | int]) -> Path:
    """The parts of pydantic's `location` that are keys and places of `values`, without the branches of unions."""
    path: list[str | int] = []
    for part in location:
        if part == "[key]":  # the name before it is at fault
            break
        is_key = isinstance(values, Mapping) and part in values
        is_place = isinstance(values, list | tuple) and isinstance(part, int) and part < len(values)
        if is_key or is_place:
            path.append(part)
            values = values[part]
    return tuple(path)


def dotted(where: str, path: Iterable[str | int] = ()) -> str:
    """The configuration key at `path` below `where`: `models.melgan.sizes`."""
    return ".".join(str(part) for part in (*filter(None, [where]), *path)) or "(top level)"


def unknown_key(key: str, known: Iterable[str]) -> str:
    """That `key` is none of the `known` ones, which are listed, and which one is nearest."""
    known = list(known)
    return f"unknown{nearest(key, known)}; allowed here: {', '.join(known) or 'none'}"


def nearest(word: str, known: Iterable[str]) -> str:
    """A hint at the nearest of the `known` words, ` (did you mean 'training'?)`, or nothing."""
    near = difflib.get_close_matches(str(word), list(known), n=1)
    return f" (did you mean {near[0]!r}?)" if near else ""


@cache
def keys_of(kind: Any) -> dict[str, Any]:
    """The keys of a class of settings as a configuration spells them, with the annotation of each."""
    hints = typing.get_type_hints(kind, include_extras=True)
    aliases = {name: field.alias for name, field in pydantic_fields(kind).items() if field.alias}
    return {aliases.get(field.name, field.name): hints[field.name] for field in fields(kind)}


def pydantic_fields(kind: Any) -> Mapping[str, FieldInfo]:
    """What pydantic knows of each field of a class of settings; nothing of a dataclass of the standard library."""
    return getattr(kind, "__pydantic_fields__", {})


def is_settings(kind: Any) -> bool:
    """Whether the annotation `kind` is a class of settings."""
    return is_dataclass(kind)


def annotation_at(kind: Any, path: Path) -> Any:
    """The annotation of the value at `path` below the annotation `kind`; Any where values are free."""
    for part in path:
        kind = _section_in(bare(kind))
        arguments = typing.get_args(kind)
        if is_settings(kind):
            kind = keys_of(kind).get(str(part), Any)
        elif _is_mapping(kind):
            kind = arguments[1] if arguments else Any
        elif typing.get_origin(kind) is tuple:
            kind = arguments[0] if arguments[-1] is Ellipsis else arguments[min(int(part), len(arguments) - 1)]
        else:
            return Any
    return kind


def bare(kind: Any) -> Any:
    """The annotation `kind` without its metadata, and without null if it takes one other thing beside null."""
    if typing.get_origin(kind) is Annotated:
        return bare(typing.get_args(kind)[0])
    others = [each for each in typing.get_args(kind) if each is not types.NoneType] if _is_union(kind) else []
    return bare(others[0]) if len(others) == 1 else kind


def words_of(kind: Any) -> str:
    """What a reader of a configuration calls the annotation `kind`: `integer or null`, `a list of text`."""
    if typing.get_origin(kind) is Annotated:
        return words_of(typing.get_args(kind)[0])
    arguments = typing.get_args(kind)
    if _is_union(kind):
        return " or ".join(words_of(each) for each in arguments)
    if typing.get_origin(kind) is Literal:
        return " | ".join(str(each) for each in arguments)
    if typing.get_origin(kind) is tuple:
        return "a list of " + " and ".join(dict.fromkeys(words_of(each) for each in arguments if each is not Ellipsis))
    if is_settings(kind) or _is_mapping(kind):
        return "a section of keys"
    return "any value" if kind is Any else _WORDS.get(kind, getattr(kind, "__name__", str(kind)))


def _fault(kind: type, path: Path, errors: Sequence[ErrorDetails], value: Any) -> str:
    error = next((each for each in errors if each["type"] in (*_BOUNDS, "value_error")), errors[0])
    context = error.get("ctx", {})
    match error["type"]:
        case "missing":
            return f"missing; give it a value: {words_of(annotation_at(kind, path))}"
        case "unexpected_keyword_argument":
            return unknown_key(str(path[-1]), keys_of(_section_in(bare(annotation_at(kind, path[:-1])))))
        case "value_error":
            return str(context["error"])
        case "string_pattern_mismatch" if error["loc"][-1] == "[key]":
            mended = re.sub("[^A-Za-z0-9]+", "_", str(path[-1])).strip("_")
            return (
                f"the name {path[-1]!r} is not allowed; a name holds letters, digits and _ (A to Z, a to z, 0 to 9)"
                f"{f', such as {mended}' if mended else ''}"
            )
        case "string_pattern_mismatch":
            return f"{value!r} is not allowed; {_examples(kind, path) or 'it must match ' + context['pattern']}"
        case "string_too_short":
            return f"{value!r} is not allowed; must not be empty"
        case "finite_number":
            return f"{value!r} is not allowed; must be a finite number"
        case "too_short" | "too_long":
            bound = f"least {context['min_length']}" if "min_length" in context else f"most {context['max_length']}"
            return f"{value!r} is not allowed; must have at {bound}"
        case bound if bound in _BOUNDS:
            words, name = _BOUNDS[bound]
            number = context[name] if isinstance(context[name], int) else f"{context[name]:g}"
            return f"{value!r} is not allowed; must be {words} {number}"
        case _:
            expectation = _expectation(annotation_at(kind, path))
            return f"{value!r} is not allowed; {expectation}{_hint(value, errors, expectation)}"


def _value_at(values: Any, path: Path) -> Any:
    """What was written there, since pydantic may have been shown the number that a text spells; None for nothing."""
    for key in path:
        if path_in(values, [key]) != (key,):
            return None
        values = values[key]
    return values


def _expectation(kind: Any) -> str:
    plain = bare(kind)
    choices = typing.get_args(plain) if typing.get_origin(plain) is Literal else ()
    return f"allowed: {' | '.join(map(str, choices))}" if choices else f"expected {words_of(kind)}"


def _examples(kind: Any, path: Path) -> str:
    parent = bare(annotation_at(kind, path[:-1]))
    known = {field.alias or name: field for name, field in getattr(parent, "__pydantic_fields__", {}).items()}
    examples = getattr(known.get(str(path[-1])), "examples", None) if path else None
    return f"allowed: {' | '.join(map(str, examples))}" if examples else ""


def _hint(value: Any, errors: Sequence[ErrorDetails], expectation: str) -> str:
    if isinstance(value, bool) and ("text" in expectation or "allowed: " in expectation):
        return f"; {YAML_WORDS}, so write it in quotes"
    is_whole = isinstance(value, float) and value.is_integer()
    return f"; write {int(value)}" if is_whole and any(each["type"] == "int_type" for each in errors) else ""


def _section_in(kind: Any) -> Any:
    """The class of settings among what a union takes; any other annotation as it is."""
    sections = [each for each in typing.get_args(kind) if is_settings(each)] if _is_union(kind) else []
    return sections[0] if len(sections) == 1 else kind


def _is_union(kind: Any) -> bool:
    return typing.get_origin(kind) in (typing.Union, types.UnionType)


def _is_mapping(kind: Any) -> bool:
    origin = typing.get_origin(kind) or kind
    return isinstance(origin, type) and issubclass(origin, Mapping)
