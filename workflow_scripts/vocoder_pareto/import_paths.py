"""From an import path of the configuration to the class or function that it names, in a package or a user's file.

A user's file imports its neighbours as it would if Python ran it: the modules beside it by their names, those of its
package with dots before them. What is installed comes first, so that a file `vocos.py` can import the package `vocos`.
"""

import hashlib
import importlib
import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.code_version import imported_neighbours, packages_of


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
        module = _module_of_file(Path(location)) if location.endswith(".py") else _module_of_package(location)
    except (ImportError, FileNotFoundError, ValueError) as error:
        raise UserError(
            f"config key {where}: cannot import {import_path!r} ({error}); "
            f"write package.module.{example}, or path/to/file.py:{example} relative to the working folder"
        ) from error
    try:
        return getattr(module, name)
    except AttributeError as error:
        raise UserError(f"config key {where}: {location} has no {kind} {name!r}") from error


def _module_of_package(name: str) -> ModuleType:
    _let_find(Path.cwd())
    return importlib.import_module(name)


def _module_of_file(path: Path) -> ModuleType:
    """The module that the file `path` holds, run once as long as it stays the same."""
    if not path.is_file():
        raise FileNotFoundError(f"no file {path}")
    file = path.resolve()
    package = _package_of(file)
    name = f"{package}.{file.stem.replace('.', '_')}" if package else _name_of_its_own(file)
    if name in sys.modules:
        return sys.modules[name]
    for folder in (file.parent, Path.cwd()):
        _let_find(folder)
    _require_neighbours_found(file)
    specification = importlib.util.spec_from_file_location(name, file)
    if specification is None or specification.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(specification)
    sys.modules[name] = module  # dataclasses look there for what annotations name
    try:
        specification.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _package_of(file: Path) -> str:
    """The dotted name of the package that `file` lies in, which is imported; empty where it lies in none."""
    folders = packages_of(file)
    if not folders:
        return ""
    _let_find(folders[-1].parent)
    name = ".".join(folder.name for folder in reversed(folders))
    package = importlib.import_module(name)
    if str(folders[0]) not in map(str, package.__path__):
        raise ImportError(f"another package {name} comes first, {package.__file__}; rename one of them")
    return name


def _name_of_its_own(file: Path) -> str:
    """A name that no other file has, nor this one in another state."""
    state = file.stat()
    return f"own_{hashlib.sha256(f'{file} {state.st_mtime_ns} {state.st_size}'.encode()).hexdigest()[:16]}"


def _let_find(folder: Path) -> None:
    """Let Python look for modules in `folder`, after all other places."""
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _require_neighbours_found(file: Path) -> None:
    """Refuse a neighbour of `file` in whose place Python would import another module of the same name."""
    for name, neighbour in imported_neighbours(file):
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None or Path(found.origin).resolve() != neighbour:
            raise ImportError(
                f"it imports {name}, and Python finds another one before {neighbour}: "
                f"{found.origin if found else 'none'}; give the file another name"
            )
