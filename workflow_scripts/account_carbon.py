"""Write carbon.csv: the paper's statement from its inputs, ours beside it, training next to generation."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.carbon import carbon_table
from vocoder_pareto.analysis.published import read_carbon_statement
from vocoder_pareto.files import read_json
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_systems, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--carbon-statement", type=Path, required=True, help="the paper's carbon statement (JSON)")
    parser.add_argument("--published-system-table", type=Path, required=True, help="systems.csv of the paper")
    parser.add_argument(
        "--system-table", type=Path, nargs="?", help="systems.csv of tabulate_systems.py (default: the paper's alone)"
    )
    parser.add_argument("--training-summaries", type=Path, nargs="*", default=[], help="JSON file per system")
    parser.add_argument("--carbon-settings", type=json_or_file, default={}, help="section carbon, JSON or @file")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    carbon = settings_from(CarbonSettings, arguments.carbon_settings, "carbon")
    table = carbon_table(
        read_carbon_statement(arguments.carbon_statement),
        read_systems(arguments.published_system_table),
        carbon,
        read_systems(arguments.system_table) if arguments.system_table else None,
        {summary["system"]: summary for summary in map(read_json, arguments.training_summaries)},
    )
    write_table(table, arguments.output)


if __name__ == "__main__":
    run_program(main)
