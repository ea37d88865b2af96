"""Check measured sets before they are sent to others: their form, their arithmetic, and what they claim of themselves.

  vocoder-pareto check-set resources/measured/nvidia-rtx-a5000

The exit status is 1 where anything is wrong: a line for each fault says which file, which key, and how to mend it.
"""

import argparse
from pathlib import Path

from vocoder_pareto.commands.extras import needs
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json

HELP = "check measured sets before they are sent to others"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("folders", type=Path, nargs="+", help="a set each, such as resources/measured/nvidia-rtx-a5000")


def run(arguments: argparse.Namespace) -> None:
    """Check the sets, and print a line for each.

    Raises:
        UserError: Something is wrong in one of them; the message has a line for each fault.
    """
    with needs("measure"):
        from vocoder_pareto.measurement.set_check import faults_of_set
    if faults := [fault for folder in arguments.folders for fault in faults_of_set(folder)]:
        raise UserError("\n".join(faults))
    for folder in arguments.folders:
        told = read_json(folder / "set.json")
        systems = told["systems"].values()
        publishable = sum(all(system["publishable"]) for system in systems)
        print(
            f"{folder}: sound. {told['device']}, {told['energy_source']}, runs: {told['runs']}, systems: "
            f"{len(systems)}, of these to publish: {publishable}"
        )
