"""What the classes of a vocoder and of its objective declare as settings, read from their source: nothing is imported.

So a misspelt key is told at the start and not by its first job, in a process that need not have PyTorch. What a source
does not tell in plain words (classes that are made by calls, annotations of types of its own) is left to that job.
"""

import ast
from collections.abc import Iterator
from dataclasses import dataclass, field, make_dataclass
from functools import cache, reduce
from operator import or_
from pathlib import Path
from typing import Any, Literal

from vocoder_pareto.study.code_version import files_of_import, module_file
from vocoder_pareto.study.source_facts import parsed
from vocoder_pareto.study.syntax_trees import name_of

LIBRARY_ROOT = Path(__file__).parents[2]
_PLAIN_TYPES = {"int": int, "float": float, "str": str, "bool": bool, "Any": Any}
_MOST_STEPS = 20  # from a class to another that it is made from
_parsed = cache(parsed)


@dataclass(frozen=True)
class DeclaredSettings:
    """The settings that a class declares.

    Attributes:
        kind: A dataclass of all of them, each with a default.
        required: The names of those that need a value.
    """

    kind: type
    required: tuple[str, ...]


def declared_settings(import_path: str, attribute: str) -> DeclaredSettings | None:
    """The settings that `attribute` of the class at `import_path` stands for; None if its source does not tell.

    Args:
        import_path: `package.module.Class` or `path/to/file.py:Class`.
        attribute: `Architecture`, `Sampling` or `Recipe`.

    Raises:
        UserError: The file is not valid Python.
    """
    place = _place_of(import_path)
    return _declared(*place, attribute) if place else None


def brings_weights(import_path: str) -> bool:
    """Whether the source of the vocoder at `import_path` says that its weights are there once it is built.

    Raises:
        UserError: The file is not valid Python.
    """
    place = _place_of(import_path)
    owner = _Class.find(*place) if place else None
    return owner is not None and owner.constant("brings_weights") is True


def _place_of(import_path: str) -> tuple[Path, str] | None:
    """The file that an import path names, and the name of the class in it; None if there is no such file."""
    try:
        file = module_file(import_path, LIBRARY_ROOT)
    except FileNotFoundError:
        return None
    return file.resolve(), import_path.rpartition(":" if ":" in import_path else ".")[2]


@cache
def _declared(file: Path, name: str, attribute: str) -> DeclaredSettings | None:
    owner = _Class.find(file, name)
    settings = owner.attribute(attribute) if owner else None
    fields = settings.fields() if settings else None
    if settings is None or fields is None:
        return None
    kind = make_dataclass(settings.node.name, [(each, kind, field(default=None)) for each, (kind, _) in fields.items()])
    return DeclaredSettings(kind, tuple(each for each, (_, is_required) in fields.items() if is_required))


@dataclass(frozen=True)
class _Class:
    """A class in a source file."""

    file: Path
    node: ast.ClassDef

    @classmethod
    def find(cls, file: Path, name: str, steps: int = 0) -> "_Class | None":
        """The class that `name` stands for in `file`, there or where it is imported from."""
        for node in _parsed(file).body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return cls(file, node)
            if isinstance(node, ast.ImportFrom) and steps < _MOST_STEPS:
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        files = files_of_import(file, node.module or "", node.level, LIBRARY_ROOT)
                        return cls.find(files[-1], alias.name, steps + 1) if files else None
        return None

    def bases(self) -> list["_Class | None"]:
        return [_Class.find(self.file, base.id) if isinstance(base, ast.Name) else None for base in self.node.bases]

    def attribute(self, name: str, steps: int = 0) -> "_Class | None":
        """The class that the attribute `name` of this one is, or of the first of its bases that has one."""
        for node in self.node.body:
            if isinstance(node, ast.ClassDef) and node.name == name:
                return _Class(self.file, node)
            if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                if name in map(name_of, targets):
                    return _Class.find(self.file, node.value.id) if isinstance(node.value, ast.Name) else None
        found = (base.attribute(name, steps + 1) for base in self.bases() if base and steps < _MOST_STEPS)
        return next((each for each in found if each), None)

    def constant(self, name: str, steps: int = 0) -> Any:
        """The constant that the attribute `name` of this class is, or of the first of its bases that has one."""
        for node in self.node.body:
            targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
            if isinstance(node, ast.Assign | ast.AnnAssign) and name in map(name_of, filter(None, targets)):
                return node.value.value if isinstance(node.value, ast.Constant) else None
        found = (base.constant(name, steps + 1) for base in self.bases() if base and steps < _MOST_STEPS)
        return next((each for each in found if each is not None), None)

    def fields(self, steps: int = 0) -> dict[str, tuple[Any, bool]] | None:
        """The fields of this dataclass: type, and whether it needs a value; None if it is none in plain words."""
        is_plain = any(name_of(each) == "dataclass" for each in self.node.decorator_list) and not any(
            isinstance(each, ast.FunctionDef) and each.name == "__init__" for each in self.node.body
        )
        found: dict[str, tuple[Any, bool]] = {}
        for base in reversed(self.bases()):
            inherited = base.fields(steps + 1) if base and steps < _MOST_STEPS else None
            if inherited is None:
                return None
            found |= inherited
        for name, annotation, value in _annotated(self.node):
            options = {each.arg: each.value for each in value.keywords} if isinstance(value, ast.Call) else {}
            if "alias" in options:
                return None
            if not (isinstance(options.get("init"), ast.Constant) and options["init"].value is False):  # type: ignore[attr-defined]
                is_field = isinstance(value, ast.Call) and name_of(value) in ("field", "Field")
                has_default = value is not None and (
                    not is_field or bool({"default", "default_factory"} & set(options))
                )
                found[name] = (_type_of(annotation), not has_default)
        return found if is_plain else None


def _annotated(node: ast.ClassDef) -> Iterator[tuple[str, ast.expr, ast.expr | None]]:
    for each in node.body:
        if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            names = {name_of(part) for part in ast.walk(each.annotation)}
            if not names & {"ClassVar", "KW_ONLY"}:
                yield each.target.id, each.annotation, each.value


def _type_of(node: ast.expr) -> Any:
    """The type that an annotation of builtin types spells; Any for others."""
    if isinstance(node, ast.Constant):
        return None if node.value is None else Any
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.BitOr):
        parts = [_type_of(node.left), _type_of(node.right)]
        return Any if Any in parts else reduce(or_, (type(None) if part is None else part for part in parts))
    if not isinstance(node, ast.Subscript):
        return _PLAIN_TYPES.get(name_of(node), Any)
    arguments = node.slice.elts if isinstance(node.slice, ast.Tuple) else [node.slice]
    if name_of(node.value) == "Literal" and all(isinstance(each, ast.Constant) for each in arguments):
        return Literal[tuple(each.value for each in arguments)]  # type: ignore[attr-defined]
    if name_of(node.value) in ("tuple", "list"):
        ends_open = isinstance(arguments[-1], ast.Constant) and arguments[-1].value is ...
        parts = [_type_of(each) for each in (arguments[:-1] if ends_open else arguments)]
        return tuple[(*parts, ...)] if ends_open or name_of(node.value) == "list" else tuple[tuple(parts)]  # type: ignore
    return Any
