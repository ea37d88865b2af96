"""Write the paper's own numbers as a systems.csv: tables 1 and 2 joined, units converted, sources marked."""

import argparse

from vocoder_pareto.analysis import published
from vocoder_pareto.analysis.systems_table import systems_published
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.tables.csv_tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quality", required=True, help="table 1 as printed (CSV)")
    parser.add_argument("--cost", required=True, help="table 2 as printed (CSV)")
    parser.add_argument("--conventions", required=True, help="what table 2 counted (JSON)")
    parser.add_argument("--statement", required=True, help="inputs of the paper's carbon statement (JSON)")
    parser.add_argument("--families", type=json_or_file, default={}, help='JSON, family by model: {"melgan": "GAN"}')
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args()
    systems = systems_published(
        published.read_quality(arguments.quality),
        published.read_cost(arguments.cost),
        published.read_conventions(arguments.conventions),
        published.read_carbon_statement(arguments.statement),
        arguments.families,
    )
    write_table(systems, arguments.output)


if __name__ == "__main__":
    run(main)
