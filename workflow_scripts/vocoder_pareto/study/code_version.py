"""A hash of the code that a program runs, so that a rule reruns on a real edit and on nothing else.

The hash covers the tokens of the program and, transitively, of every library module that it imports. Comments, blank
lines and modification times do not count.
"""

import ast
import hashlib
import importlib.util
import io
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

_LAYOUT = {tokenize.COMMENT, tokenize.NL, tokenize.ENCODING, tokenize.ENDMARKER}


def code_version(files: Iterable[str | Path], root: str | Path) -> str:
    """Hash of `files` (programs or modules) and all modules below `root` that they import, as 16 hex digits.

    Raises:
        FileNotFoundError: one of `files` does not exist.
        SyntaxError: one of the files is not valid Python.
    """
    root = Path(root).resolve()
    pending = [Path(file).resolve() for file in files]
    reached: set[Path] = set()
    while pending:
        file = pending.pop()
        if file not in reached:
            reached.add(file)
            pending.extend(_imported_files(file, root))
    digest = hashlib.sha256()
    for file in sorted(reached):
        name = file.relative_to(root) if file.is_relative_to(root) else file.name
        digest.update(f"{name}:{_token_hash(file)}\n".encode())
    return digest.hexdigest()[:16]


@cache
def _token_hash(file: Path) -> str:
    digest = hashlib.sha256()
    with tokenize.open(file) as text:
        for token in tokenize.generate_tokens(io.StringIO(text.read()).readline):
            if token.type not in _LAYOUT:
                # An indent token holds its white space; its depth is told by the order of INDENT and DEDENT.
                digest.update(f"{token.type}:{'' if token.type == tokenize.INDENT else token.string}\0".encode())
    return digest.hexdigest()


@cache
def _imported_files(file: Path, root: Path) -> tuple[Path, ...]:
    found = []
    with tokenize.open(file) as text:
        tree = ast.parse(text.read(), filename=str(file))
    for name in _imported_names(tree):
        parts = name.split(".")
        for depth in range(1, len(parts) + 1):
            stem = root.joinpath(*parts[:depth])
            found += [path for path in (stem.with_suffix(".py"), stem / "__init__.py") if path.is_file()]
    return tuple(found)


def _imported_names(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def module_file(import_path: str, root: str | Path) -> Path:
    """The file that holds the class at `package.module.Class` or `path/to/file.py:Class`.

    Raises:
        FileNotFoundError: there is no such file or module.
    """
    location = import_path.rpartition(":" if ":" in import_path else ".")[0]
    if location.endswith(".py"):
        file = Path(location)
    else:
        file = Path(root).joinpath(*location.split(".")).with_suffix(".py")
        if not file.is_file():
            specification = importlib.util.find_spec(location)
            file = Path(specification.origin) if specification and specification.origin else file
    if not file.is_file():
        raise FileNotFoundError(f"{import_path}: no file {file}")
    return file
