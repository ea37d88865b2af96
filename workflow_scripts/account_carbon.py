"""Write carbon.csv: the paper's statement from its inputs, ours beside it, training next to generation."""

import argparse

from vocoder_pareto.analysis.carbon import carbon_table
from vocoder_pareto.analysis.published import read_carbon_statement
from vocoder_pareto.files import read_json
from vocoder_pareto.program import run
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.tables.csv_tables import read_systems, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--statement", required=True, help="inputs of the paper's carbon statement (JSON)")
    parser.add_argument("--published", required=True, help="the paper's systems.csv, from tabulate_published.py")
    parser.add_argument("--systems", nargs="?", help="our systems.csv; without it, the paper's numbers alone")
    parser.add_argument("--training", nargs="*", default=[], help="summaries of training, a JSON file per system")
    parser.add_argument("--intensity-kg-per-kwh", type=float, required=True, help="kgCO2eq per kWh of electricity here")
    parser.add_argument("--power-usage-effectiveness", type=float, default=1.0, help="of the site (default: 1.0)")
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args()
    carbon = CarbonSettings(
        intensity_kg_per_kwh=arguments.intensity_kg_per_kwh,
        power_usage_effectiveness=arguments.power_usage_effectiveness,
    )
    table = carbon_table(
        read_carbon_statement(arguments.statement),
        read_systems(arguments.published),
        carbon,
        read_systems(arguments.systems) if arguments.systems else None,
        {summary["system"]: summary for summary in map(read_json, arguments.training)},
    )
    write_table(table, arguments.output)


if __name__ == "__main__":
    run(main)
