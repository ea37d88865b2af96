"""Find which systems of the paper's front newer ones undercut in joules, with how sure that is."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.challengers import challengers_display, find_challengers
from vocoder_pareto.analysis.uncertainty import COMMON_SHARE
from vocoder_pareto.files import write_text
from vocoder_pareto.program import run_program, texts_by_name
from vocoder_pareto.tables.csv_tables import read_systems, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument("--published-table", type=Path, required=True, help="systems.csv of tabulate_published.py")
    parser.add_argument("--draws", type=int, default=10_000, help="Monte Carlo draws (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws (default: %(default)s)")
    parser.add_argument(
        "--systematic-common-share",
        type=float,
        default=COMMON_SHARE,
        help="share of the systematic variance that all systems of a device have in common (default: %(default)s)",
    )
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument(
        "--output-tables", type=Path, nargs=3, required=True, metavar=("CSV", "MD", "TEX"), help="files to write"
    )
    arguments = parser.parse_args()
    challengers = find_challengers(
        read_systems(arguments.system_table),
        read_systems(arguments.published_table),
        arguments.draws,
        arguments.seed,
        arguments.systematic_common_share,
    )
    csv, markdown, latex = arguments.output_tables
    write_table(challengers, csv)
    display = challengers_display(challengers, arguments.labels)
    write_text(markdown, display.to_markdown())
    write_text(latex, display.to_latex())


if __name__ == "__main__":
    run_program(main)
