"""A hash of the code that can change what a program writes, so that a rule reruns on a real edit and on nothing else.

The hash covers the syntax trees of a program and, transitively, of the modules that it imports: those of the library,
and those beside a user's own file. What cannot change the content of a result does not count: comments, layout,
docstrings, annotations, messages of errors and of logs, help, and the modules that only do bookkeeping.
"""

import ast
import hashlib
import importlib.util
import os
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

from vocoder_pareto.errors import first_line
from vocoder_pareto.study.content import changes_content
from vocoder_pareto.study.source_facts import facts_of, parsed
from vocoder_pareto.study.syntax_trees import LIBRARY, name_of

_INSTALLED = ("site-packages", "dist-packages")  # of what lies there, a package's own modules are followed alone


def code_version(files: Iterable[str | Path], root: str | Path, program: str | None = None) -> dict[str, str]:
    """Hashes of `files` (programs or modules) and of the modules that they import, by name, 8 hex digits a file.

    Args:
        files: The files that it begins with. A file outside of `root` is a user's own: its imports are followed to
            the modules beside it, in the folder that holds its package, and in the current folder.
        root: The folder that holds the library.
        program: The name of the program that runs them, if some modules do not count for it, see `study/content.py`.

    Raises:
        UserError: One of the files cannot be read, or is not valid Python.
    """
    root = Path(root).resolve()
    pending = [Path(file).resolve() for file in files]
    reached: dict[Path, str] = {}
    while pending:
        file = pending.pop()
        if file not in reached:
            reached[file] = _module_name(file, root)
            pending.extend(imported_files(file, root))
    found: dict[str, list[str]] = {}
    for file, name in reached.items():
        if not _is_library(name) or changes_content(name.partition(".")[2], program):
            found.setdefault(name, []).append(facts_of(file).hash)
    return {name: "+".join(sorted(hashes)) for name, hashes in sorted(found.items())}


def digest_of_code(versions: dict[str, str]) -> str:
    """One hash, 16 hex digits, of what `code_version` found."""
    text = "".join(f"{name}:{version}\n" for name, version in sorted(versions.items()))
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def changed_modules(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The modules whose hashes differ, or that only one has, by their names below the library, sorted."""
    names = sorted(name for name in before.keys() | now.keys() if before.get(name) != now.get(name))
    return [name.removeprefix(f"{LIBRARY}.") for name in names]


def module_file(import_path: str, root: str | Path) -> Path:
    """The file that holds the class at `package.module.Class` or `path/to/file.py:Class`.

    Raises:
        FileNotFoundError: There is no such file or module.
    """
    location = import_path.rpartition(":" if ":" in import_path else ".")[0]
    if location.endswith(".py"):
        file = Path(location)
    else:
        file = Path(root).joinpath(*location.split(".")).with_suffix(".py")
        if not file.is_file():
            try:
                specification = importlib.util.find_spec(location)
            except (ImportError, ValueError) as error:
                raise FileNotFoundError(f"{import_path}: {first_line(error)}") from error
            file = Path(specification.origin) if specification and specification.origin else file
    if not file.is_file():
        raise FileNotFoundError(f"{import_path}: no file {file}")
    return file


@cache
def imported_files(file: Path, root: Path) -> tuple[Path, ...]:
    """The files below `root`, and beside a user's own `file`, that hold the modules which `file` imports."""
    is_own = not file.is_relative_to(root)
    places = [root, *_places_of_own_modules(file)] if is_own else [root]
    found = [folder / "__init__.py" for folder in packages_of(file)] if is_own else []  # Python runs them first
    for name, level in facts_of(file).imports:
        parts = name.split(".") if name else []
        for place in file.parents[level - 1 : level] if level else places:
            if not (place.name in _INSTALLED and parts[:1] != _own_package(file)):
                found += _files_of_module(place, parts)
    return tuple(dict.fromkeys(each for each in found if each != file))


def files_of_import(file: Path, module: str, level: int, root: Path) -> list[Path]:
    """The files that `from module import …` in `file` runs, the last of which is that of `module` itself.

    Args:
        file: The file that holds the statement.
        module: The dotted name after `from`, without dots before it.
        level: The number of dots before it.
        root: The folder that holds the library.
    """
    parts = module.split(".") if module else []
    for place in file.parents[level - 1 : level] if level else [root, *_places_of_own_modules(file)]:
        found = list(_files_of_module(place, parts))
        if found:
            return found
    return []


def imported_neighbours(file: Path) -> list[tuple[str, Path]]:
    """The modules beside a user's own `file` that it imports by their names alone, each with its file."""
    names = dict.fromkeys(name.partition(".")[0] for name, level in facts_of(file).imports if level == 0)
    found = [(name, place) for name in names for place in _files_of_module(file.parent, [name])]
    return [(name, place) for name, place in found if place != file]


def _places_of_own_modules(file: Path) -> list[Path]:
    """Where Python looks for the modules beside a user's own file: its folder, that of its package, the current one."""
    return list(dict.fromkeys([file.parent, _top_of(file), Path.cwd()]))


def packages_of(file: Path) -> list[Path]:
    """The folders of the packages that a user's own file lies in, from the inner one to the outer."""
    folders = [file.parent]
    while (folders[-1] / "__init__.py").is_file():
        folders.append(folders[-1].parent)
    return folders[:-1]


def _own_package(file: Path) -> list[str]:
    """The outermost package of an installed file; or the file itself, where it is in none."""
    return [file.relative_to(_top_of(file)).with_suffix("").parts[0]]


def _top_of(file: Path) -> Path:
    """The folder that holds the outermost package of a user's own file."""
    return [file.parent, *(package.parent for package in packages_of(file))][-1]


def _files_of_module(place: Path, parts: list[str]) -> Iterator[Path]:
    if not parts:
        yield from (each for each in [place / "__init__.py"] if each.is_file())
    for depth in range(1, len(parts) + 1):
        if parts[depth - 1] == "*":  # all that the package names in __all__
            for name in _names_for_star(place.joinpath(*parts[: depth - 1], "__init__.py")):
                yield from _files_of_module(place, [*parts[: depth - 1], name])
            return
        stem = os.path.join(place, *parts[:depth])
        is_package = os.path.isdir(stem)
        candidates = (f"{stem}.py", f"{stem}/__init__.py") if is_package else (f"{stem}.py",)
        yield from (Path(each) for each in candidates if os.path.isfile(each))
        if not is_package:
            return


def _names_for_star(package: Path) -> list[str]:
    """The names that a package lists in `__all__`, so far as they are written out."""
    if not package.is_file():
        return []
    lists = [
        node.value
        for node in ast.walk(parsed(package))
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if name_of(target) == "__all__" and isinstance(node.value, ast.List | ast.Tuple)
    ]
    names = [each.value for each in ast.walk(ast.Module(lists, [])) if isinstance(each, ast.Constant)]  # type: ignore[arg-type]
    return [name for name in names if isinstance(name, str)]


def _module_name(file: Path, root: Path) -> str:
    if not file.is_relative_to(root):
        here = Path.cwd()
        return file.relative_to(here if file.is_relative_to(here) else _top_of(file)).as_posix()
    parts = file.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _is_library(name: str) -> bool:
    return name.partition(".")[0] == LIBRARY
