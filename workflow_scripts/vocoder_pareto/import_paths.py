"""From an import path of the configuration to the class or function that it names, in a package or a user's file."""

import importlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from vocoder_pareto.errors import UserError


def is_import_path(text: str) -> bool:
    """Whether `text` is `package.module.name` or `path/to/file.py:name`, and not a plain name."""
    return "." in text or ":" in text


def load_class(import_path: str, where: str) -> type:
    """The class at `package.module.Class` or `path/to/file.py:Class`.

    Raises:
        UserError: the module, file or class does not exist; `where` is the configuration key that the message names.
    """
    return _loaded(import_path, where, "class", "Class")


def load_function(import_path: str, where: str) -> Callable[..., Any]:
    """The function at `package.module.function` or `path/to/file.py:function`.

    Raises:
        UserError: the module, file or function does not exist; `where` is the configuration key that the message names.
    """
    found = _loaded(import_path, where, "function", "function")
    if not callable(found):
        raise UserError(f"config key {where}: {import_path!r} is no function but {found!r}")
    return found


def _loaded(import_path: str, where: str, kind: str, example: str) -> Any:
    location, _, name = import_path.rpartition(":" if ":" in import_path else ".")
    try:
        module = _module_of_file(Path(location)) if location.endswith(".py") else importlib.import_module(location)
        return getattr(module, name)
    except (ImportError, FileNotFoundError, ValueError) as error:
        raise UserError(
            f"config key {where}: cannot import {import_path!r} ({error}); "
            f"write package.module.{example}, or path/to/file.py:{example} relative to the working folder"
        ) from error
    except AttributeError as error:
        raise UserError(f"config key {where}: {location} has no {kind} {name!r}") from error


def _module_of_file(path: Path) -> ModuleType:
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    specification = importlib.util.spec_from_file_location(path.stem, path)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
