"""Check that a vocoder does what the study asks of one, and say what to mend where it does not.

    python workflow_scripts/check_vocoder.py my_vocoder.py:MyVocoder
    python workflow_scripts/check_vocoder.py my_vocoder.py:MyVocoder --front-end vocos_24k
    python workflow_scripts/check_vocoder.py --config-files my_study.yaml --system-name mine-S

The same as `vocoder-pareto check`, where the package is not installed.
"""

import argparse

from vocoder_pareto.commands import check
from vocoder_pareto.program import Parser, run_program


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    check.add_arguments(parser)
    check.run(parser.parse_args())


if __name__ == "__main__":
    run_program(main)
