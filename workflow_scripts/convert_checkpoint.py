"""Write the weights of a checkpoint in the layout of another project, whose code can then use them."""

import logging
from pathlib import Path
from typing import get_args

from vocoder_pareto.models.conversion import convert_checkpoint
from vocoder_pareto.program import Parser, run_program
from vocoder_pareto.study.sections.weights import LayoutName


def main() -> None:
    parser = Parser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="weights of the system")
    parser.add_argument(
        "--layout", choices=[name for name in get_args(LayoutName) if name != "own"], required=True,
        help="name of the layout, as in docs/pretrained.md",
    )  # fmt: skip
    parser.add_argument("--output", type=Path, required=True, help="file of weights to write (.pt)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    convert_checkpoint(arguments.checkpoint, arguments.layout, arguments.output)


if __name__ == "__main__":
    run_program(main)
