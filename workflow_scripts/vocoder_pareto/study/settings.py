"""Settings as frozen dataclasses, built strictly from the plain mappings of the configuration."""

import dataclasses
import types
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from vocoder_pareto.errors import UserError

Settings = TypeVar("Settings")


def settings_from(kind: type[Settings], values: Mapping[str, Any], where: str) -> Settings:
    """Build the dataclass `kind` from `values`; `where` is the configuration key that errors name.

    Lists become tuples and whole numbers become floats where the field says so; nothing else is converted.

    Raises:
        UserError: an unknown or missing key, a value of the wrong type, or one that `__post_init__` refuses.
    """
    fields = {field.name: field for field in dataclasses.fields(kind)}
    unknown = sorted(set(values) - set(fields))
    if unknown:
        raise UserError(f"config key {where}.{unknown[0]}: unknown; allowed: {', '.join(fields) or 'none'}")
    hints = typing.get_type_hints(kind)
    converted = {name: _converted(value, hints[name], f"{where}.{name}") for name, value in values.items()}
    for name, field in fields.items():
        required = field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
        if required and name not in converted:
            raise UserError(f"config key {where}.{name}: missing; give it a value of type {_name(hints[name])}")
    try:
        return kind(**converted)
    except ValueError as error:
        raise UserError(f"config key {where}: {error}") from error


def _converted(value: Any, hint: Any, where: str) -> Any:
    origin = typing.get_origin(hint)
    if origin in (typing.Union, types.UnionType):
        return _first_that_fits(value, typing.get_args(hint), hint, where)
    if origin is typing.Literal:
        if value in typing.get_args(hint):
            return value
    elif origin is tuple and isinstance(value, list | tuple):
        item_hint, *rest = typing.get_args(hint)
        hints = [item_hint] * len(value) if rest == [Ellipsis] else [item_hint, *rest]
        if len(hints) == len(value):
            return tuple(_converted(item, item_hint, where) for item, item_hint in zip(value, hints, strict=True))
    elif hint is float and isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    elif hint is Any or _is_instance(value, hint if isinstance(hint, type) and not origin else origin):
        return value
    raise UserError(f"config key {where}: {value!r} is not allowed; expected {_name(hint)}")


def _is_instance(value: Any, kind: Any) -> bool:
    # A bool is an int to Python, but not to a reader of a configuration.
    return isinstance(kind, type) and isinstance(value, kind) and (kind is bool or not isinstance(value, bool))


def _first_that_fits(value: Any, hints: tuple, union: Any, where: str) -> Any:
    for hint in hints:
        try:
            return _converted(value, hint, where)
        except UserError:
            continue
    raise UserError(f"config key {where}: {value!r} is not allowed; expected {_name(union)}")


def _name(hint: Any) -> str:
    if typing.get_origin(hint) is typing.Literal:
        return " | ".join(repr(choice) for choice in typing.get_args(hint))
    return hint.__name__ if isinstance(hint, type) and not typing.get_args(hint) else str(hint)
