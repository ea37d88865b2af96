"""Files of users are imported as Python would run them, and all that they import is in the hash of their code."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from vocoder_pareto.errors import UserError
from vocoder_pareto.import_paths import load_class
from vocoder_pareto.study.code_version import code_version, module_file

LIBRARY = Path(__file__).parents[2] / "workflow_scripts"


def written(folder, **files):
    for name, text in files.items():
        path = folder / name.replace("__", "/").replace("_py", ".py")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


@pytest.fixture(autouse=True)
def _alone(monkeypatch, tmp_path):
    """Modules and places of one test are none of the next."""
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield
    for name, module in list(sys.modules.items()):
        if (getattr(module, "__file__", None) or "").startswith(str(tmp_path)):
            del sys.modules[name]


def test_a_file_imports_its_neighbours(tmp_path):
    written(
        tmp_path,
        net_py="from blocks_of_mine import SIZE\nclass Net:\n    size = SIZE\n",
        blocks_of_mine_py="SIZE = 3\n",
    )
    assert load_class(f"{tmp_path}/net.py:Net", "vocoder").size == 3


def test_a_file_imports_its_neighbours_later_too(tmp_path):
    text = "class Net:\n    def size(self):\n        from blocks_of_mine import SIZE\n        return SIZE\n"
    written(tmp_path, net_py=text, blocks_of_mine_py="SIZE = 4\n")
    assert load_class(f"{tmp_path}/net.py:Net", "vocoder")().size() == 4


def test_a_file_in_a_package_imports_by_dots(tmp_path):
    (tmp_path / "mine" / "deep").mkdir(parents=True)
    for name, text in {
        "__init__.py": "", "deep/__init__.py": "", "sizes.py": "SIZE = 5\n", "deep/near.py": "NEAR = 6\n",
        "deep/net.py": "from ..sizes import SIZE\nfrom .near import NEAR\nclass Net:\n    size = SIZE + NEAR\n",
    }.items():  # fmt: skip
        (tmp_path / "mine" / name).write_text(text)
    assert load_class(f"{tmp_path}/mine/deep/net.py:Net", "vocoder").size == 11


@pytest.mark.parametrize("name", ["my-vocoder.py", "hifigan.v1.0.py", "été 2.py"])
def test_a_file_may_have_any_name(name, tmp_path):
    """With annotations that dataclasses look up in the module."""
    text = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    text += "@dataclass\nclass Net:\n    size: int = 7\n"
    (tmp_path / name).write_text(text)
    assert load_class(f"{tmp_path / name}:Net", "vocoder")().size == 7


def test_a_file_named_as_an_installed_package_imports_that_package(tmp_path):
    (tmp_path / "yaml.py").write_text("from yaml import safe_load\nclass Net:\n    read = safe_load\n")
    assert load_class(f"{tmp_path}/yaml.py:Net", "vocoder").read("a: 1") == {"a": 1}


def test_a_file_is_run_once_and_again_once_it_changed(tmp_path):
    """So the class that an objective names is the class of the vocoder."""
    file = tmp_path / "net.py"
    file.write_text("class Net:\n    size = 1\n\nclass Other:\n    net = Net\n")
    assert load_class(f"{file}:Other", "objective").net is load_class(f"{file}:Net", "vocoder")
    file.write_text("class Net:\n    size = 10\n")
    assert load_class(f"{file}:Net", "vocoder").size == 10


def test_neighbours_of_one_name_in_two_folders_are_told(tmp_path):
    """Python keeps one module of a name, and the second file would get the neighbour of the first."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "net.py").write_text("import blocks_of_mine\nclass Net:\n    pass\n")
        (tmp_path / name / "blocks_of_mine.py").write_text("")
    load_class(f"{tmp_path}/one/net.py:Net", "vocoder")
    with pytest.raises(
        UserError, match=r"imports blocks_of_mine, and Python finds another one .*one/blocks_of_mine\.py; give"
    ):
        load_class(f"{tmp_path}/two/net.py:Net", "vocoder")


def test_a_package_in_the_working_folder_is_found(tmp_path, monkeypatch):
    (tmp_path / "a_package_of_mine").mkdir()
    (tmp_path / "a_package_of_mine" / "__init__.py").write_text("")
    (tmp_path / "a_package_of_mine" / "net.py").write_text("class Net:\n    pass\n")
    monkeypatch.chdir(tmp_path)
    assert load_class("a_package_of_mine.net.Net", "vocoder").__name__ == "Net"


def test_a_fault_in_a_file_keeps_its_traceback(tmp_path):
    (tmp_path / "net.py").write_text("class Net:\n    size = [].nothing\n")
    with pytest.raises(AttributeError, match="nothing"):
        load_class(f"{tmp_path}/net.py:Net", "vocoder")


@pytest.mark.parametrize(
    ("file", "words"),
    [("net.py:Nit", "has no class 'Nit'"), ("nit.py:Net", "no file"), ("broken.py:Net", "No module named 'nowhere'")],
)
def test_what_cannot_be_imported_is_told_in_a_line(file, words, tmp_path):
    (tmp_path / "net.py").write_text("class Net:\n    pass\n")
    (tmp_path / "broken.py").write_text("import nowhere\n")
    with pytest.raises(UserError, match=words):
        load_class(f"{tmp_path}/{file}", "vocoder")


PROJECT_OF_ANOTHER = {
    "official/__init__.py": "", "official/env.py": "WIDTH = 3\n", "official/models.py": "from .env import WIDTH\n",
    "official/late.py": "", "vocoder.py": "import layers\nfrom official import models\nimport importlib\n"
    "late = importlib.import_module('official.late')\nclass Net:\n    pass\n",
    "layers.py": "import deeper\n", "deeper.py": "", "unrelated.py": "",
}  # fmt: skip


def test_all_files_that_an_import_really_runs_are_in_the_hash(tmp_path):
    """The outside is Python: which files below the folder the modules of a process are from."""
    for name, text in PROJECT_OF_ANOTHER.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    code = (
        f"import sys, json; sys.path.insert(0, {str(LIBRARY)!r})\n"
        "from vocoder_pareto.import_paths import load_class\n"
        "load_class('vocoder.py:Net', 'vocoder')\n"
        "print(json.dumps([m.__file__ for m in list(sys.modules.values()) if getattr(m, '__file__', None)]))"
    )
    printed = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    run = {Path(file) for file in json.loads(printed.stdout)}
    run = {str(file.relative_to(tmp_path)) for file in run if file.is_relative_to(tmp_path)}
    assert run == set(PROJECT_OF_ANOTHER) - {"unrelated.py"}
    hashed = code_version([tmp_path / "vocoder.py"], LIBRARY)
    assert {name.removeprefix(f"{tmp_path}/") for name in hashed} == run


def test_of_installed_packages_the_own_modules_alone_are_in_the_hash(tmp_path):
    """A class of an installed package is hashed with its package, and not with PyTorch."""
    installed = tmp_path / "site-packages"
    for name, text in {
        "mine/__init__.py": "", "mine/net.py": "import torch\nfrom mine.parts import Part\n", "mine/parts.py": "",
        "torch/__init__.py": "",
    }.items():  # fmt: skip
        (installed / name).parent.mkdir(parents=True, exist_ok=True)
        (installed / name).write_text(text)
    hashed = code_version([installed / "mine" / "net.py"], LIBRARY)
    assert set(hashed) == {"mine/__init__.py", "mine/net.py", "mine/parts.py"}
    assert module_file("yaml.nodes.Node", LIBRARY).name == "nodes.py"
