"""What a study gets of the workflow: the files that git knows, as the wheel holds them, after an upgrade too."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from vocoder_pareto import workflow_files
from vocoder_pareto.workflow_files import PARTS, UNPACKED, unpacked_workflow

PROJECT = Path(__file__).parents[2]


def tracked() -> set[str]:
    """What git knows of the parts of the workflow, and what it does not ignore."""
    words = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z", "--", *PARTS]
    listed = subprocess.run(words, cwd=PROJECT, capture_output=True, text=True, check=True).stdout.split("\0")
    return {name for name in filter(None, listed) if (PROJECT / name).is_file()}


def contents(folder: Path) -> dict[str, bytes]:
    return {file.relative_to(folder).as_posix(): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_a_study_gets_all_that_git_knows_of_the_workflow(tmp_path):
    snakefile = Path(unpacked_workflow(tmp_path))
    assert snakefile == tmp_path / UNPACKED / "Snakefile"
    assert contents(snakefile.parent) == {name: (PROJECT / name).read_bytes() for name in tracked()}


def test_only_what_differs_is_written_again_and_what_is_gone_is_deleted(tmp_path):
    folder = Path(unpacked_workflow(tmp_path)).parent
    for name in ("Snakefile", "config.yaml"):
        os.utime(folder / name, (1000, 1000))
    (folder / "config.yaml").write_text("systems: all\n")
    os.utime(folder / "config.yaml", (1000, 1000))
    (folder / "rules" / "of_an_earlier_version.smk").touch()
    unpacked_workflow(tmp_path)
    assert (folder / "Snakefile").stat().st_mtime == 1000
    assert (folder / "config.yaml").stat().st_mtime > 1000
    assert (folder / "config.yaml").read_bytes() == (PROJECT / "config.yaml").read_bytes()
    assert not (folder / "rules" / "of_an_earlier_version.smk").exists()


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """A folder that holds what pip would put into `site-packages`: the wheel, unpacked."""
    pytest.importorskip("hatchling")
    folder = tmp_path_factory.mktemp("wheel")
    words = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(words, cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site-packages")
    return folder / "site-packages"


def of_installed(installed: Path, folder: Path, code: str) -> str:
    """What Python says to `code` in `folder`, with the unpacked wheel as all that it knows of this project."""
    words = [sys.executable, "-c", code]
    variables = {**os.environ, "PYTHONPATH": str(installed), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(words, cwd=folder, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_wheel_holds_one_package_and_the_same_workflow(installed, tmp_path):
    code = "from vocoder_pareto.workflow_files import unpacked_workflow; print(unpacked_workflow())"
    snakefile = Path(of_installed(installed, tmp_path, code).strip())
    assert contents(snakefile.parent) == {name: (PROJECT / name).read_bytes() for name in tracked()}
    (described,) = installed.glob("*.dist-info")
    assert {path.name for path in installed.iterdir()} == {"vocoder_pareto", described.name}
    assert "vocoder-pareto = vocoder_pareto.commands.main:run" in (described / "entry_points.txt").read_text()
    assert not list(installed.rglob("__pycache__/*"))


def test_an_editable_installation_is_the_checkout_alone(tmp_path):
    pytest.importorskip("hatchling")
    words = [
        sys.executable,
        "-c",
        "import sys; from hatchling.build import build_editable; build_editable(sys.argv[1])",
    ]
    subprocess.run([*words, str(tmp_path)], cwd=PROJECT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        (path,) = [name for name in archive.namelist() if ".dist-info/" not in name]
        assert archive.read(path).decode().strip() == str(PROJECT / "workflow_scripts")


def test_an_installed_package_makes_a_study(installed, tmp_path):
    code = "from vocoder_pareto.commands.init import make_study; from pathlib import Path; make_study(Path('study'))"
    of_installed(installed, tmp_path, code)
    assert (tmp_path / "study/config.yaml").read_bytes() == (PROJECT / "config.yaml").read_bytes()


def test_a_checkout_is_found_from_its_library():
    assert workflow_files.workflow_folder() == PROJECT
