"""Write the paper's own numbers as a systems.csv: tables 1 and 2 joined, units converted, sources marked."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis import published
from vocoder_pareto.analysis.systems_table import systems_published
from vocoder_pareto.program import run_program, texts_by_name
from vocoder_pareto.tables.csv_tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published-quality", type=Path, required=True, help="table 1 as printed (CSV)")
    parser.add_argument("--published-cost", type=Path, required=True, help="table 2 as printed (CSV)")
    parser.add_argument(
        "--published-conventions", type=Path, required=True, help="what the paper's table 2 counted (JSON)"
    )
    parser.add_argument("--carbon-statement", type=Path, required=True, help="the paper's carbon statement (JSON)")
    parser.add_argument("--families", type=texts_by_name, default={}, help='families, as {"melgan": "GAN"}, or @file')
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write (systems.csv of the paper)")
    arguments = parser.parse_args()
    systems = systems_published(
        published.read_quality(arguments.published_quality),
        published.read_cost(arguments.published_cost),
        published.read_conventions(arguments.published_conventions),
        published.read_carbon_statement(arguments.carbon_statement),
        arguments.families,
    )
    write_table(systems, arguments.output)


if __name__ == "__main__":
    run_program(main)
