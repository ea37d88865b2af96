"""Join all measurements into systems.csv, a row per system, and collect what it has no column for."""

import argparse

from vocoder_pareto.analysis import systems_table
from vocoder_pareto.analysis.published import read_quality
from vocoder_pareto.files import write_json
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.tables.csv_tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complexity", nargs="+", required=True, help="parameters and FLOPs, a JSON file per system")
    parser.add_argument("--energy", nargs="*", default=[], help="energy, a JSON file per system")
    parser.add_argument("--training", nargs="*", default=[], help="summaries of training, a JSON file per system")
    parser.add_argument(
        "--quality", nargs="*", default=[], help="objective quality, a CSV file per system, named by it"
    )
    parser.add_argument("--published-quality", required=True, help="the paper's table 1 (CSV), for its MOS")
    parser.add_argument("--mos", nargs="?", help="mos.csv of a listening test, which replaces the paper's MOS")
    parser.add_argument("--families", type=json_or_file, default={}, help='JSON, family by model: {"melgan": "GAN"}')
    parser.add_argument("--cpu-watts-per-core", type=float, help="what a busy core draws; restates estimated joules")
    parser.add_argument("--intensity-kg-per-kwh", type=float, required=True, help="kgCO2eq per kWh of electricity")
    parser.add_argument("--power-usage-effectiveness", type=float, default=1.0, help="of the site (default: 1.0)")
    parser.add_argument("--output", required=True, help="systems.csv to write")
    parser.add_argument("--flags", required=True, help="JSON file to write: shortened protocols, flags, clips")
    arguments = parser.parse_args()

    measurements = systems_table.read_measurements(
        arguments.complexity, arguments.energy, arguments.training, arguments.quality, arguments.cpu_watts_per_core
    )
    if arguments.mos:
        mos = systems_table.mos_of_listening_test(arguments.mos)
    else:
        mos = systems_table.mos_of_paper(read_quality(arguments.published_quality))
    carbon = CarbonSettings(
        intensity_kg_per_kwh=arguments.intensity_kg_per_kwh,
        power_usage_effectiveness=arguments.power_usage_effectiveness,
    )
    write_table(systems_table.systems_measured(measurements, mos, arguments.families, carbon), arguments.output)
    write_json(arguments.flags, systems_table.measurement_flags(measurements))


if __name__ == "__main__":
    run(main)
