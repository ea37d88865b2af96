"""Check measured sets before they are sent to others: their form, their arithmetic, and what they claim of themselves.

    python workflow_scripts/check_set.py resources/measured/nvidia-rtx-a5000

The same as `vocoder-pareto check-set`, where the package is not installed.
"""

import argparse

from vocoder_pareto.commands import check_set
from vocoder_pareto.program import Parser, run_program


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    check_set.add_arguments(parser)
    check_set.run(parser.parse_args())


if __name__ == "__main__":
    run_program(main)
