"""The Pareto front of any table: `python -m vocoder_pareto table.csv --minimise energy --maximise quality`.

The same as `vocoder-pareto front table.csv …`, where the package is not installed.
"""

import argparse

from vocoder_pareto.commands import front
from vocoder_pareto.program import Parser, run_program


def main() -> None:
    """Parse the command line, find the front, write it."""
    parser = Parser(
        prog="python -m vocoder_pareto", description=front.__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    front.add_arguments(parser)
    front.run(parser.parse_args())


if __name__ == "__main__":
    run_program(main)
