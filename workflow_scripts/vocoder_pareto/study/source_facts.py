"""What a source file tells of its code, remembered so that a start of Snakemake need not parse hundreds of files.

All of it follows from the bytes of the file, the version of Python and the code that reads syntax trees. It is looked
up by a digest of these three, so that no edit of any of them finds what was true before.
"""

import ast
import hashlib
import json
import sys
from dataclasses import astuple, dataclass
from functools import cache
from pathlib import Path

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.files import write_text
from vocoder_pareto.study import content, syntax_trees

MEMORY = Path(".snakemake/facts_of_code.json")  # of a working folder


@dataclass(frozen=True)
class SourceFacts:
    """What the text of a file tells."""

    hash: str
    """8 hex digits of what can change a result."""
    imports: tuple[tuple[str, int], ...]
    """The dotted names that it imports, each with the number of dots before it."""


@cache
def facts_of(file: Path) -> SourceFacts:
    """What `file` tells: one process sees one version of it.

    Raises:
        UserError: It cannot be read, or is not valid Python.
    """
    source = _source(file)
    return _remembered().get(_key(source)) or _learned(source, file)


def remember_code(root: str | Path) -> None:
    """Remember what the files below `root` tell, for later processes in this working folder."""
    known, now = _remembered(), {}
    for file in sorted(Path(root).resolve().rglob("*.py")):
        try:
            source = _source(file)
            now[_key(source)] = known.get(_key(source)) or _learned(source, file)
        except UserError:
            pass  # which is told where the file is used
    if now.keys() - known.keys():
        known.update(now)
        try:
            write_text(MEMORY, json.dumps({key: astuple(facts) for key, facts in now.items()}))
        except UserError:
            pass  # a folder that cannot be written costs time at the next start, and no more


def parsed(file: Path) -> ast.Module:
    """The syntax tree of `file`.

    Raises:
        UserError: It cannot be read, or is not valid Python.
    """
    return _tree(_source(file), file)


def _tree(source: bytes, file: Path) -> ast.Module:
    try:
        return ast.parse(source, filename=str(file))
    except (SyntaxError, ValueError, RecursionError) as error:
        raise _unreadable(file, error) from error


def _learned(source: bytes, file: Path) -> SourceFacts:
    tree = _tree(source, file)
    imports = tuple(dict.fromkeys(syntax_trees.imported_names(tree)))
    return SourceFacts(syntax_trees.hash_of(tree), imports)


def _source(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise _unreadable(file, error) from error


def _unreadable(file: Path, error: Exception) -> UserError:
    return UserError(f"{file}: cannot be read as Python ({first_line(error)}); mend the file")


@cache
def _reader() -> bytes:
    """What reads source files: this Python, and the code that hashes."""
    code = b"".join(Path(str(module.__file__)).read_bytes() for module in (content, syntax_trees))
    return repr(sys.version_info[:3]).encode() + code


def _key(source: bytes) -> str:
    return hashlib.blake2b(source, key=hashlib.sha256(_reader()).digest(), digest_size=16).hexdigest()


@cache
def _remembered() -> dict[str, SourceFacts]:
    try:
        kept = json.loads(MEMORY.read_bytes())
        return {
            str(key): SourceFacts(str(code), tuple((str(name), int(level)) for name, level in imports))
            for key, (code, imports) in kept.items()
        }
    except (OSError, ValueError, TypeError, AttributeError, RecursionError):
        return {}  # missing or damaged
