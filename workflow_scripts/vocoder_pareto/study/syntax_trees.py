"""What the syntax tree of a source file tells: what it imports, and a hash of what can change a result.

What cannot does not count: comments, layout, docstrings, annotations, messages of errors and of logs, help.
"""

import ast
import hashlib
from collections.abc import Iterable, Iterator
from typing import Any

from vocoder_pareto.study.content import changes_content

LIBRARY = "vocoder_pareto"
_PLAIN_DECORATORS = (
    "abstractmethod", "cache", "cached_property", "classmethod", "contextmanager", "no_grad", "inference_mode",
    "override", "property", "staticmethod",
)  # fmt: skip


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
        elif isinstance(node, ast.Call) and name_of(node) in ("import_module", "__import__") and node.args:
            name = node.args[0].value if isinstance(node.args[0], ast.Constant) else None
            if isinstance(name, str):
                yield name.lstrip("."), len(name) - len(name.lstrip("."))


def hash_of(tree: ast.Module) -> str:
    """8 hex digits of what can change a result; `tree` is changed by the way."""
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
        if name_of(node.func) == "add_argument":
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
        if all(name_of(decorator) in _PLAIN_DECORATORS for decorator in node.decorator_list):
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
        isinstance(each, ast.Call) or name_of(each) in ("ClassVar", "InitVar", "KW_ONLY")
        for each in ast.walk(annotation)
    )


def name_of(node: ast.AST) -> str:
    """The last part of a dotted name, `abstractmethod` of `abc.abstractmethod`; of a call, that of what is called."""
    if isinstance(node, ast.Call):
        return name_of(node.func)
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")
