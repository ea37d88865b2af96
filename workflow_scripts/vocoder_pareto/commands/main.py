"""The command `vocoder-pareto`: its subcommands, and what is common to them.

A subcommand is a module with `HELP`, `add_arguments(parser)` and `run(arguments)`, which imports what it needs when it
runs: PyTorch takes seconds, and help and completion take none.
"""

import argparse
import importlib.util
from types import ModuleType

import vocoder_pareto
from vocoder_pareto.commands import check, check_set, front, init, measure, predict_mos
from vocoder_pareto.program import Parser, run_program

COMMANDS: dict[str, ModuleType] = {
    "front": front,
    "measure": measure,
    "check": check,
    "check-set": check_set,
    "predict-mos": predict_mos,
    "init": init,
}
DESCRIPTION = """\
Quality and joules of vocoders: measure one of yours, and find the Pareto front of any table of costs and qualities.

  vocoder-pareto measure my_vocoder.py:MyVocoder    its joules, beside those of 18 published vocoders
  vocoder-pareto front my_models.csv --minimise energy_joules --maximise mos
  vocoder-pareto init my_study                      a whole study, of which `snakemake` makes tables and figures
"""
COMPLETION = """\
Completion by Tab, after `pip install "vocoder-pareto[completion]"`, in ~/.bashrc or ~/.zshrc:
  eval "$(register-python-argcomplete vocoder-pareto)"
"""


def parser() -> argparse.ArgumentParser:
    """The parser of the whole command."""
    found = Parser(
        prog="vocoder-pareto",
        description=DESCRIPTION,
        epilog=COMPLETION,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    found.add_argument("--version", action="version", version=f"vocoder-pareto {vocoder_pareto.__version__}")
    commands = found.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for name, command in COMMANDS.items():
        described = commands.add_parser(
            name,
            help=command.HELP,
            description=command.__doc__,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        command.add_arguments(described)
        described.set_defaults(run=command.run)
    return found


def main() -> None:
    """Parse the command line and run its subcommand."""
    found = parser()
    if importlib.util.find_spec("argcomplete") is not None:
        import argcomplete

        argcomplete.autocomplete(found)
    arguments = found.parse_args()
    arguments.run(arguments)


def run() -> None:
    """Run the command as a process, which ends with it; see `run_program`."""
    run_program(main)


if __name__ == "__main__":
    run()
