"""Set our numbers beside the paper's printed ones: conventions, ratios, reasons, ranks and fronts."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis import comparison, published
from vocoder_pareto.files import write_json, write_text
from vocoder_pareto.program import run_program, texts_by_name
from vocoder_pareto.tables.csv_tables import read_systems, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument("--published-system-table", type=Path, required=True, help="systems.csv of the paper")
    parser.add_argument(
        "--published-conventions", type=Path, required=True, help="what the paper's table 2 counted (JSON)"
    )
    parser.add_argument("--carbon-statement", type=Path, required=True, help="the paper's carbon statement (JSON)")
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument(
        "--output-table", type=Path, required=True, help="CSV file to write (a row per system and quantity)"
    )
    parser.add_argument(
        "--output-agreement", type=Path, required=True, help="JSON file to write (rank correlations and fronts)"
    )
    parser.add_argument(
        "--output-markdown", type=Path, required=True, help="Markdown file to write (all of it for readers)"
    )
    arguments = parser.parse_args()
    systems, printed = read_systems(arguments.system_table), read_systems(arguments.published_system_table)
    conventions = published.read_conventions(arguments.published_conventions)
    statement = published.read_carbon_statement(arguments.carbon_statement)
    table = comparison.compare_with_published(systems, printed, conventions, statement)
    agreed = comparison.agreement(systems, printed)
    write_table(table, arguments.output_table)
    write_json(arguments.output_agreement, agreed)
    write_text(arguments.output_markdown, comparison.to_markdown(table, agreed, conventions, arguments.labels))


if __name__ == "__main__":
    run_program(main)
