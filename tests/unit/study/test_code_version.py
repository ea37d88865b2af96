"""What an edit of code makes stale: what can change a result, and nothing that only people read."""

import os
import shutil
from pathlib import Path

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.study import code_version as module
from vocoder_pareto.study.code_version import code_version, module_file
from vocoder_pareto.study.content import BOOKKEEPING, CONTENT, changes_content
from vocoder_pareto.study.source_facts import facts_of

PROGRAMS = Path(__file__).resolve().parents[3] / "workflow_scripts"
MODEL = '''"""A vocoder."""
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from vocoder_pareto.errors import UserError

from parts.layers import Layer
from .sizes import SIZE

log = logging.getLogger(__name__)


@dataclass
class Vocoder:
    """Reads top-down."""

    channels: int = 3
    """How many."""

    def generate(self, mel: Sequence[float], gain: float = 1.0) -> list[float]:
        """Make audio."""
        size: int = SIZE
        if size < 1:
            raise UserError(f"size is {size}; must be at least 1")
        log.info("generating %d samples", size)
        return [gain * Layer(size).run(each) for each in mel]
'''


@pytest.fixture
def root(tmp_path):
    package = tmp_path / "vocoder_pareto"
    (package / "models").mkdir(parents=True)
    for folder in (package, package / "models"):
        (folder / "__init__.py").write_text("")
    (package / "errors.py").write_text("class UserError(Exception):\n    pass\n")
    (package / "models" / "deep.py").write_text("value = 1\n")
    (package / "models" / "used.py").write_text("from vocoder_pareto.models.deep import value\n")
    (package / "models" / "unused.py").write_text("value = 2\n")
    (tmp_path / "program.py").write_text(
        "from vocoder_pareto.models import used\nfrom vocoder_pareto.errors import UserError\n\n\n"
        "def main():\n    add_argument('--x', help='of it')\n    return used\n"
    )
    return tmp_path


@pytest.fixture
def own(tmp_path, root):
    """A user's vocoder outside of the library, with a neighbour, and a package beside its own."""
    for folder in ("mine/parts", "mine/model"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "__init__.py").write_text("")
    (tmp_path / "mine/model/net.py").write_text(MODEL)
    (tmp_path / "mine/model/sizes.py").write_text("SIZE = 3\n")
    (tmp_path / "mine/parts/layers.py").write_text("from parts.deeper import Layer\n")
    (tmp_path / "mine/parts/deeper.py").write_text("class Layer:\n    pass\n")
    library = tmp_path / "library"
    library.mkdir()
    shutil.move(root / "vocoder_pareto", library / "vocoder_pareto")
    return tmp_path / "mine/model/net.py", library


def version(*files, root):
    facts_of.cache_clear()
    module.imported_files.cache_clear()
    return code_version(files, root)


def test_comments_blank_lines_and_times_do_not_count(root):
    program = root / "program.py"
    before = version(program, root=root)
    program.write_text("# a remark\n\n" + program.read_text().replace("return used", "return used  # why"))
    os.utime(program, (0, 0))
    assert version(program, root=root) == before


def test_an_edit_of_a_module_that_an_import_reaches_counts(root):
    before = version(root / "program.py", root=root)
    (root / "vocoder_pareto" / "models" / "deep.py").write_text("value = 2\n")
    after = version(root / "program.py", root=root)
    assert [name for name in after if after[name] != before[name]] == ["vocoder_pareto.models.deep"]


@pytest.mark.parametrize("name", ["models/unused.py", "errors.py", "models/__init__.py"])
def test_an_edit_of_an_unrelated_module_and_of_bookkeeping_does_not_count(root, name):
    before = version(root / "program.py", root=root)
    (root / "vocoder_pareto" / name).write_text("value = 3\n")
    assert version(root / "program.py", root=root) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"""A vocoder."""', '"""A better vocoder, described in words."""'),
        ('"""A vocoder."""\n', ""),
        ('        """Make audio."""\n', ""),
        ('    """How many."""\n', ""),
        ("channels: int = 3", "channels: float = 3"),
        ("mel: Sequence[float]", "mel"),
        (" -> list[float]", ""),
        ("size: int = SIZE", "size = SIZE"),
        ("must be at least 1", "must be at least 1, as in the paper"),
        ("generating %d samples", "making %d samples"),
        ('        log.info("generating %d samples", size)\n', ""),
        ("import logging\nfrom collections.abc import Sequence\n", "from collections.abc import Set\nimport logging\n"),
        ("from parts.layers", "from .sizes import SIZE\nfrom parts.layers"),
        ("Layer(size).run(each)", "Layer(\n            size\n        ).run(each)"),
    ],
)  # fmt: skip
def test_what_only_people_read_does_not_count(own, old, new):
    file, library = own
    before = version(file, root=library)
    text = file.read_text()
    assert old in text
    file.write_text(text.replace(old, new))
    assert version(file, root=library) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("channels: int = 3", "channels: int = 4"),
        ("gain: float = 1.0", "gain: float = 2.0"),
        ("size < 1", "size < 2"),
        ("raise UserError(f", "raise ValueError(f"),
        ("gain * Layer", "Layer"),
        ("from .sizes import SIZE", "SIZE = 4"),
        ("channels: int = 3", "channels = 3"),
    ],
)
def test_what_a_machine_reads_counts(own, old, new):
    file, library = own
    before = version(file, root=library)
    file.write_text(file.read_text().replace(old, new))
    assert version(file, root=library) != before


@pytest.mark.parametrize("neighbour", ["model/sizes.py", "parts/layers.py", "parts/deeper.py"])
def test_an_edit_of_a_module_beside_a_users_own_file_counts(own, neighbour):
    file, library = own
    before = version(file, root=library)
    with (file.parents[1] / neighbour).open("a") as text:
        text.write("VALUE = 5\n")
    assert version(file, root=library) != before


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("import warnings\nwarnings.filterwarnings('error')\n", "import warnings\nwarnings.filterwarnings('ignore')\n"),
        ("log = []\nlog.append(1)\n", "log = []\nlog.append(2)\n"),
        ("log.info(x.step())\n", "log.info(x)\n"),
        ("from m import a as x, b as y\n", "from m import b as x, a as y\n"),
        ("if C:\n    from m import f\nelse:\n    f = 1\n", "if C:\n    f = 1\nelse:\n    from m import f\n"),
        ("from collections.abc import Sized as I\nis_a(x, I)\n", "from collections.abc import Set as I\nis_a(x, I)\n"),
        ("@f.register\ndef _(x: int): ...\n", "@f.register\ndef _(x: str): ...\n"),
        ("class A:\n    x: ClassVar[int] = 3\n", "class A:\n    x: int = 3\n"),
        ("class A:\n    x: Annotated[int, Field(ge=0)]\n", "class A:\n    x: Annotated[int, Field(ge=5)]\n"),
        ("def f():\n    raise Retry(batch=1)\n", "def f():\n    raise Retry(batch=2)\n"),
        ("f(help=1)\n", "f(help=2)\n"),
    ],
)  # fmt: skip
def test_what_looks_like_words_and_acts_counts(tmp_path, before, after):
    file = tmp_path / "own.py"
    file.write_text(before)
    first = version(file, root=tmp_path / "library")
    file.write_text(after)
    assert version(file, root=tmp_path / "library") != first


def test_the_package_of_a_users_own_file_counts(own):
    file, library = own
    before = version(file, root=library)
    (file.parent / "__init__.py").write_text("import torch\ntorch.set_default_dtype(torch.float64)\n")
    assert version(file, root=library) != before


@pytest.mark.parametrize(
    ("statement", "counts"),
    [
        ("from parts import *", True),
        ("import importlib\nimportlib.import_module('parts.more')", True),
        ("__import__('parts.more')", True),
        ("import importlib\nname = 'parts.more'\nimportlib.import_module(name)", False),  # no source tells it
        ("import parts", False),
    ],
)
def test_star_imports_and_imports_by_a_written_name_are_followed(own, statement, counts):
    """By the `__all__` of a package, of which `more` is imported by nothing else."""
    file, library = own
    parts = file.parents[1] / "parts"
    (parts / "__init__.py").write_text("__all__ = ['layers']\n__all__ += ['more']\n")
    file.write_text(statement + "\n")
    versions = []
    for value in (1, 2):
        (parts / "more.py").write_text(f"value = {value}\n")
        facts_of.cache_clear()
        module.imported_files.cache_clear()
        versions.append(code_version([file], library))
    assert (versions[0] != versions[1]) is counts


def test_files_of_one_name_in_two_folders_that_change_places_count(own):
    file, library = own
    file.write_text("import parts.sizes\nfrom . import sizes\n")
    (file.parents[1] / "parts" / "sizes.py").write_text("SIZE = 4\n")
    before = version(file, root=library)
    (file.parents[1] / "parts" / "sizes.py").write_text("SIZE = 3\n")
    (file.parents[1] / "model" / "sizes.py").write_text("SIZE = 4\n")
    assert version(file, root=library) != before


@pytest.mark.parametrize("text", [b"x = (", b'x = "\xe9"', b"# coding: foo\n", b"x = 1\0"])
def test_a_file_that_is_no_python_is_named(own, text):
    file, library = own
    (file.parents[1] / "parts" / "layers.py").write_bytes(text)
    with pytest.raises(UserError, match=r"layers\.py: cannot be read as Python"):
        version(file, root=library)


def test_an_import_from_above_all_folders_finds_nothing(tmp_path):
    (tmp_path / "own.py").write_text(
        "try:\n    from .............................. import x\nexcept ImportError:\n    pass\n"
    )
    assert list(version(tmp_path / "own.py", root=tmp_path / "library")) == ["own.py"]


def test_a_changed_depth_of_indentation_counts(root):
    (root / "program.py").write_text("if a:\n    b()\n    c()\n")
    before = version(root / "program.py", root=root)
    (root / "program.py").write_text("if a:\n    b()\nc()\n")
    assert version(root / "program.py", root=root) != before


def test_help_of_a_program_does_not_count(root):
    program = root / "program.py"
    before = version(program, root=root)
    program.write_text(program.read_text().replace("of it", "of that"))
    assert version(program, root=root) == before


def test_the_version_does_not_depend_on_where_the_project_lies(root, tmp_path_factory):
    copy = tmp_path_factory.mktemp("copy") / "x"
    shutil.copytree(root, copy)
    assert version(copy / "program.py", root=copy) == version(root / "program.py", root=root)


def test_the_hash_is_the_same_in_every_version_of_python(tmp_path):
    file = tmp_path / "file.py"
    file.write_text("def f(a, *, b=0, c=(1, 'x')):\n    return [a for a in b if f'{a!r:>3}'] or None\n")
    assert version(file, root=tmp_path) == {"file": "d77f2536"}


def test_every_module_of_the_library_says_whether_it_changes_content():
    from fnmatch import fnmatchcase

    for file in sorted((PROGRAMS / "vocoder_pareto").rglob("*.py")):
        parts = file.relative_to(PROGRAMS / "vocoder_pareto").with_suffix("").parts
        name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        counts = any(fnmatchcase(name, pattern) for pattern in CONTENT)
        is_bookkeeping = any(fnmatchcase(name, pattern) for pattern in BOOKKEEPING)
        # A package itself holds no code; what is below it is told by name.
        assert counts != is_bookkeeping, f"{name}: name it in one of the two lists of study/content.py"
        assert changes_content(name) == counts


def test_training_does_not_depend_on_how_it_is_metered_or_reported():
    names = {name.removeprefix("vocoder_pareto.") for name in code_version([PROGRAMS / "train.py"], PROGRAMS, "train")}
    assert {"training.module", "training.batches", "models.vocoder"} <= names
    assert not {name for name in names if name.startswith(("measurement", "quality", "tables", "analysis", "study"))}
    assert not names & {"training.curve", "training.loop", "training.summary", "errors", "files"}


@pytest.mark.parametrize("program", ["prepare_clips", "generate_audio", "measure_energy"])
def test_how_strictly_tables_of_users_are_read_makes_no_audio_or_energy_stale(program):
    file = PROGRAMS / f"{program}.py"
    assert not any("csv_files" in name for name in code_version([file], PROGRAMS, program))
    assert any("csv_files" in name for name in code_version([file], PROGRAMS))


def test_the_file_of_a_class_is_found_by_both_forms_of_import_path(root, tmp_path):
    assert module_file("vocoder_pareto.models.used.Class", root) == root / "vocoder_pareto" / "models" / "used.py"
    assert module_file(f"{tmp_path}/program.py:Class", root) == tmp_path / "program.py"
    with pytest.raises(FileNotFoundError, match="absent"):
        module_file(f"{tmp_path}/absent.py:Class", root)


FAMILIES = ("diffwave", "hifigan", "melgan", "vocos", "waveflow", "waveglow", "wavegrad")


@pytest.mark.parametrize("program", ["train", "generate_audio", "measure_energy", "measure_complexity"])
@pytest.mark.parametrize("family", FAMILIES)
def test_what_a_system_gives_depends_on_no_other_family(program, family):
    model = PROGRAMS / "vocoder_pareto" / "models" / f"{family}.py"
    modules = code_version([PROGRAMS / f"{program}.py", model], PROGRAMS, program)
    assert [other for other in FAMILIES if f"vocoder_pareto.models.{other}" in modules] == [family]
