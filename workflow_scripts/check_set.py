"""Check measured sets before they are sent to others: their form, their arithmetic, and what they claim of themselves.

The status is 1 where anything is wrong: a line for each fault says which file, which key, and how to mend it.
"""

import argparse
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.set_check import faults_of_set
from vocoder_pareto.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", type=Path, nargs="+", help="a set each, such as resources/measured/nvidia-rtx-a5000")
    folders = parser.parse_args().folders
    if faults := [fault for folder in folders for fault in faults_of_set(folder)]:
        raise UserError("\n".join(faults))
    for folder in folders:
        told = read_json(folder / "set.json")
        systems = told["systems"].values()
        publishable = sum(all(system["publishable"]) for system in systems)
        print(
            f"{folder}: sound. {told['device']}, {told['energy_source']}, runs: {told['runs']}, systems: "
            f"{len(systems)}, of these to publish: {publishable}"
        )


if __name__ == "__main__":
    run_program(main)
