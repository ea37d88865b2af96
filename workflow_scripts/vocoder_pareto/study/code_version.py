"""A hash of the code that can change what a program writes, so that a rule reruns on a real edit and on nothing else.

The hash covers the syntax trees of a program and, transitively, of the modules that it imports: those of the library,
and those beside a user's own file. What cannot change the content of a result does not count: comments, layout,
docstrings, annotations, messages of errors and of logs, help, and the modules that only do bookkeeping.
"""

import ast
import hashlib
import importlib.util
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.study.content import changes_content

LIBRARY = "vocoder_pareto"
_INSTALLED = ("site-packages", "dist-packages")  # of what lies there, a package's own modules are followed alone
_PLAIN_DECORATORS = (
    "abstractmethod", "cache", "cached_property", "classmethod", "contextmanager", "no_grad", "inference_mode",
    "override", "property", "staticmethod",
)  # fmt: skip


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
            found.setdefault(name, []).append(_tree_hash(file))
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
    for name, level in imported_names(_parsed(file)):
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
    names = dict.fromkeys(name.partition(".")[0] for name, level in imported_names(_parsed(file)) if level == 0)
    found = [(name, place) for name in names for place in _files_of_module(file.parent, [name])]
    return [(name, place) for name, place in found if place != file]


def imported_names(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """The dotted names that `tree` imports, each with the number of dots before it: 0 for an absolute import.

    `import_module` and `__import__` count where they are called with the name itself, and not with a variable.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, 0) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                yield ".".join(filter(None, [node.module, alias.name])), node.level
        elif isinstance(node, ast.Call) and _name_of(node) in ("import_module", "__import__") and node.args:
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            if isinstance(name, str):
                yield name.lstrip("."), len(name) - len(name.lstrip("."))


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


def _parsed(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes(), filename=str(file))
    except (OSError, SyntaxError, ValueError, RecursionError) as error:
        raise UserError(f"{file}: cannot be read as Python ({first_line(error)}); mend the file") from error


def _files_of_module(place: Path, parts: list[str]) -> Iterator[Path]:
    if not parts:
        yield from (each for each in [place / "__init__.py"] if each.is_file())
    for depth in range(1, len(parts) + 1):
        if parts[depth - 1] == "*":  # all that the package names in __all__
            for name in _names_for_star(place.joinpath(*parts[: depth - 1], "__init__.py")):
                yield from _files_of_module(place, [*parts[: depth - 1], name])
            return
        stem = place.joinpath(*parts[:depth])
        yield from (each for each in (stem.with_suffix(".py"), stem / "__init__.py") if each.is_file())


def _names_for_star(package: Path) -> list[str]:
    """The names that a package lists in `__all__`, so far as they are written out."""
    if not package.is_file():
        return []
    lists = [
        node.value
        for node in ast.walk(_parsed(package))
        if isinstance(node, ast.Assign | ast.AugAssign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if _name_of(target) == "__all__" and isinstance(node.value, ast.List | ast.Tuple)
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


@cache
def _tree_hash(file: Path) -> str:
    tree = _parsed(file)
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    tree.body = [node for node in tree.body if node not in imports]
    stripped = _WithoutWords().visit(tree)
    used = {node.id for node in ast.walk(stripped) if isinstance(node, ast.Name)}
    # Imports at the top count in any order, since a formatter sorts them.
    return hashlib.sha256(f"{sorted(_imports(imports, used))}{_text_of(stripped)}".encode()).hexdigest()[:8]


def _imports(nodes: Iterable[ast.Import | ast.ImportFrom], used: set[str]) -> set[tuple[str, str, int]]:
    """What `nodes` import as which name, but for what serves annotations, logs or bookkeeping alone."""
    found = set()
    for node in nodes:
        module, level = ("", 0) if isinstance(node, ast.Import) else (node.module or "", node.level)
        for alias in node.names:
            name, bound = ".".join(filter(None, [module, alias.name])), alias.asname or alias.name.partition(".")[0]
            if not _is_for_people(name, bound in used):
                found.add((name, bound, level))
    return found


def _text_of(node: Any) -> str:
    """A syntax tree as text that is the same in every version of Python: `ast.dump` is not, it tells empty fields."""
    if isinstance(node, ast.AST):
        parts = [f"{name}={_text_of(value)}" for name, value in ast.iter_fields(node) if value not in (None, [])]
        return f"{type(node).__name__}({','.join(parts)})"
    return f"[{','.join(map(_text_of, node))}]" if isinstance(node, list) else repr(node)


def _is_for_people(name: str, is_used: bool) -> bool:
    top, _, rest = name.partition(".")
    if top == LIBRARY:
        return not (changes_content(rest) and changes_content(rest.rpartition(".")[0] or rest))
    if top in ("__future__", "logging"):
        return True
    return not is_used and (top == "typing" or name.startswith("collections.abc"))


class _WithoutWords(ast.NodeTransformer):
    """Takes out of a syntax tree what only people and type checkers read."""

    def __init__(self):
        self._in_class = False

    def visit_If(self, node: ast.If) -> ast.AST | None:
        """What only a type checker imports."""
        is_for_checkers = isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        return None if is_for_checkers else self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        """Docstrings, of attributes too, and calls of loggers."""
        is_text = isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)
        return None if is_text or _is_logging(node.value) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        """What an error says, if it is text; its class stays, since a handler may choose by it."""
        error = node.exc
        if isinstance(error, ast.Call) and not error.keywords and all(map(_is_text, error.args)):
            return ast.Raise(exc=error.func, cause=None)
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        """The help of an option."""
        if _name_of(node.func) == "add_argument":
            node.keywords = [keyword for keyword in node.keywords if keyword.arg != "help"]
        return self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST | None:
        """The annotation of a variable; in a class it makes a field of a dataclass, so there that it has one stays."""
        if self._in_class:
            if not _acts(node.annotation):
                node.annotation = ast.Constant(value=None)
            return self.generic_visit(node)
        return None if node.value is None else self.generic_visit(ast.Assign(targets=[node.target], value=node.value))

    def visit_ClassDef(self, node: ast.ClassDef) -> ast.AST:
        """Below a class, annotated names are fields."""
        return self._visited(node, in_class=True)

    def visit_FunctionDef(self, node: ast.FunctionDef | ast.AsyncFunctionDef) -> ast.AST:
        """Annotations of arguments and of the result, unless a decorator may act by them."""
        if all(_name_of(decorator) in _PLAIN_DECORATORS for decorator in node.decorator_list):
            node.returns = None
            for argument in ast.walk(node.args):
                if isinstance(argument, ast.arg):
                    argument.annotation = None
        return self._visited(node, in_class=False)

    visit_AsyncFunctionDef = visit_FunctionDef

    def _visited(self, node: ast.AST, in_class: bool) -> ast.AST:
        around, self._in_class = self._in_class, in_class
        node = self.generic_visit(node)
        self._in_class = around
        return node


def _is_logging(node: ast.expr) -> bool:
    """Whether `node` tells a logger something, and computes nothing by the way."""
    function = node.func if isinstance(node, ast.Call) else None
    return (
        isinstance(node, ast.Call)
        and isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Name)
        and function.value.id in ("log", "logger", "logging")
        and function.attr in ("debug", "info", "warning", "error", "exception", "critical")
        and not any(isinstance(each, ast.Call) for argument in node.args for each in ast.walk(argument))
    )


def _is_text(node: ast.expr) -> bool:
    """Whether `node` is a text, formatted or put together from texts."""
    if isinstance(node, ast.BinOp):
        return _is_text(node.left) and _is_text(node.right)
    return isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))


def _acts(annotation: ast.expr) -> bool:
    """Whether an annotation of a field does more than tell a type: metadata with bounds, ClassVar, InitVar."""
    return any(
        isinstance(each, ast.Call) or _name_of(each) in ("ClassVar", "InitVar", "KW_ONLY")
        for each in ast.walk(annotation)
    )


def _name_of(node: ast.AST) -> str:
    """The last part of a dotted name, `abstractmethod` of `abc.abstractmethod`; of a call, that of what is called."""
    if isinstance(node, ast.Call):
        return _name_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
