"""Where the files of the workflow lie, in a checkout and in an installed package, and how a study gets them.

In a checkout they lie around `workflow_scripts/`. The wheel holds them in `vocoder_pareto/workflow/`, without the
library, which is the package around it. A study of `vocoder-pareto init` has them below `.snakemake`, together with the
library, as they lie in a checkout: so programs find the library beside them in every environment of conda.
"""

from collections.abc import Iterator
from pathlib import Path

from vocoder_pareto.files import written_whole

LIBRARY = Path(__file__).resolve().parent
PARTS = ("Snakefile", "config.yaml", "rules", "envs", "profiles", "presets", "resources", "workflow_scripts")
UNPACKED = Path(".snakemake") / "vocoder_pareto" / "installed"  # of a working folder
_NO_SOURCES = ("__pycache__", "workflow")


def workflow_folder() -> Path:
    """The folder that holds `Snakefile`, `config.yaml`, `resources/` and the programs in `workflow_scripts/`."""
    installed = LIBRARY / "workflow"
    return installed if installed.is_dir() else LIBRARY.parents[1]


def unpacked_workflow(folder: str | Path = ".") -> str:
    """The absolute path of the Snakefile, which is unpacked below the working folder `folder`.

    Files that are there with the same content stay as they are, with their times; after an upgrade, others are
    replaced, and those that the version does not have any more are deleted.

    Raises:
        UserError: The folder cannot be written.
    """
    target = Path(folder) / UNPACKED
    files = dict(workflow_files())
    for name, source in files.items():
        content = source.read_bytes()
        if not _holds(target / name, content):
            with written_whole(target / name) as temporary:
                temporary.write_bytes(content)
    for name, file in list(_below(target, target)):
        if name not in files and not file.name.startswith("."):  # which another process is about to rename
            file.unlink(missing_ok=True)
    return (target / "Snakefile").resolve().as_posix()


def workflow_files() -> Iterator[tuple[str, Path]]:
    """All files of the workflow, by their names in a checkout."""
    home = workflow_folder()
    for part in PARTS:
        yield from _below(home / part, home)
    if not (home / "workflow_scripts" / LIBRARY.name).is_dir():
        for name, file in _below(LIBRARY, LIBRARY.parent):
            yield f"workflow_scripts/{name}", file


def _holds(file: Path, content: bytes) -> bool:
    return file.is_file() and file.read_bytes() == content


def _below(path: Path, root: Path) -> Iterator[tuple[str, Path]]:
    if path.is_file():
        yield path.relative_to(root).as_posix(), path
    elif path.is_dir() and path.name not in _NO_SOURCES:  # neither is a file that another process has just renamed
        for each in sorted(path.iterdir()):
            yield from _below(each, root)
