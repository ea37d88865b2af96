"""Set our numbers beside the paper's printed ones: conventions, ratios, reasons, ranks and fronts."""

import argparse

from vocoder_pareto.analysis import comparison, published
from vocoder_pareto.files import write_json, write_text
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.tables.csv_tables import read_systems, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", required=True, help="our systems.csv")
    parser.add_argument("--published", required=True, help="the paper's systems.csv, from tabulate_published.py")
    parser.add_argument("--conventions", required=True, help="what table 2 counted (JSON)")
    parser.add_argument("--statement", required=True, help="inputs of the paper's carbon statement (JSON)")
    parser.add_argument("--labels", type=json_or_file, default={}, help='JSON, names to show: {"melgan": "MelGAN"}')
    parser.add_argument("--table", required=True, help="CSV file to write: a row per system and quantity")
    parser.add_argument("--agreement", required=True, help="JSON file to write: rank correlations and fronts")
    parser.add_argument("--markdown", required=True, help="Markdown file to write: all of it for readers")
    arguments = parser.parse_args()
    systems, printed = read_systems(arguments.systems), read_systems(arguments.published)
    table = comparison.compare_with_published(
        systems,
        printed,
        published.read_conventions(arguments.conventions),
        published.read_carbon_statement(arguments.statement),
    )
    agreed = comparison.agreement(systems, printed)
    write_table(table, arguments.table)
    write_json(arguments.agreement, agreed)
    write_text(arguments.markdown, comparison.to_markdown(table, agreed, arguments.labels))


if __name__ == "__main__":
    run(main)
