"""Make the folder of a study: its configuration, with a comment at every key, and what `snakemake` needs to run it.

  vocoder-pareto init my_study
  cd my_study
  snakemake                     what 18 vocoders cost, untrained, on synthetic speech; minutes, no GPU, no download
  snakemake published           the tables and figures of the paper, in seconds

Nothing that is there is overwritten. After an upgrade of the package, the next `snakemake` in the folder takes the new
version; results that it does not change stay as they are.
"""

import argparse
import shutil
from contextlib import suppress
from pathlib import Path

import vocoder_pareto
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import write_text, written_together
from vocoder_pareto.workflow_files import workflow_folder

HELP = "make the folder of a study, with a commented configuration"

COPIED = ("config.yaml", "presets", "profiles", "resources/measured", "resources/config.schema.json")
SNAKEFILE = """\
# The study of vocoder-pareto. Its settings are in config.yaml; `snakemake` in this folder makes all of it.
from vocoder_pareto.workflow_files import unpacked_workflow


configfile: "config.yaml"


module vocoder_pareto:
    snakefile:
        unpacked_workflow()
    config:
        config


use rule * from vocoder_pareto
"""
README = """\
# A study of vocoders: quality and energy

Made by `vocoder-pareto init` (vocoder-pareto {version}).

| file | what |
|---|---|
| `config.yaml` | every setting, with its meaning, unit and allowed values; change what differs in your study |
| `presets/` | settings of larger studies: `snakemake --configfile presets/full_energy.yaml` |
| `profiles/default/` | what every `snakemake` here takes: all cores, one GPU; `profiles/slurm/` is for a cluster |
| `resources/measured/` | stored measurements, which `presets/h100.yaml` takes in place of a GPU |
| `Snakefile` | names the workflow of the installed package, which it unpacks below `.snakemake/` |

| command | what it makes |
|---|---|
| `snakemake --dry-run` | the list of what would be done |
| `snakemake` | the study: `results/report/index.html`, tables and figures |
| `snakemake published` | the tables and figures of the paper, in seconds |
| `vocoder-pareto check my_vocoder.py:MyVocoder` | whether a vocoder of yours can be studied, and what to mend |
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("folder", type=Path, help="folder of the study, which may be there already")


def run(arguments: argparse.Namespace) -> None:
    """Make the folder, and print what to do next."""
    for file in make_study(arguments.folder):
        print(file)
    print(f"Settings: {arguments.folder / 'config.yaml'}. To run it: cd {arguments.folder} && snakemake")


def make_study(folder: Path) -> list[Path]:
    """Write the files of a study into `folder`, all of them or none, and return them.

    Raises:
        UserError: One of them is there already, a file is where the folder is to be, or it cannot be written.
    """
    home = workflow_folder()
    if in_the_way := next((each for each in (folder, *folder.parents) if each.exists() and not each.is_dir()), None):
        raise UserError(
            f"{in_the_way}: is a file, and the study needs a folder; name another one, or move the file away"
        )
    targets = [folder / name for name in ("Snakefile", "README.md", *COPIED)]
    if there := [str(target) for target in targets if target.exists() or target.is_symlink()]:
        raise UserError(f"{there[0]}: is there already, and is not overwritten; name another folder, or move it away")
    try:
        with written_together():
            write_text(folder / "Snakefile", SNAKEFILE)
            write_text(folder / "README.md", README.format(version=vocoder_pareto.__version__))
            for name in COPIED:
                _copy(home / name, folder / name)
    except BaseException:
        for target in targets:  # none of them was there before
            _remove(target)
            with suppress(OSError):  # it holds something else
                target.parent.rmdir()
        raise
    return targets


def _copy(source: Path, target: Path) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(source, target)
    except OSError as error:  # of a tree, one for all of its files
        raise UserError(f"{target}: cannot be written ({_reason(error)}); free space or mend permissions") from error


def _reason(error: OSError) -> str:
    if isinstance(error, shutil.Error):
        return str(error.args[0][0][2])
    return error.strerror or str(error)


def _remove(target: Path) -> None:
    if target.is_dir():
        shutil.rmtree(target, ignore_errors=True)
    else:
        target.unlink(missing_ok=True)
