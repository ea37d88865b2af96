"""Join the validations of all trainings into one table, and make of them the bands that later trainings keep to."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.training_curves import bands_of, training_curves
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--training-curves", type=Path, nargs="+", required=True, help="CSV file per system")
    parser.add_argument("--training-summaries", type=Path, nargs="*", default=[], help="JSON file per system")
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--shares", type=float, nargs="+", required=True, help="shares of the budget that have bands")
    parser.add_argument(
        "--margin", type=float, default=0.25, help="least half-width of a band over its mean (default: %(default)s)"
    )
    parser.add_argument("--least", type=float, default=0.05, help="least half-width of a band (default: %(default)s)")
    parser.add_argument("--output-curve-table", type=Path, required=True, help="CSV file to write, a row a validation")
    parser.add_argument("--output-bands", type=Path, required=True, help="CSV file to write (for training.bands)")
    arguments = parser.parse_args()
    meter = settings_from(MeterSettings, arguments.meter_settings, "meter")
    table = training_curves(arguments.training_curves, arguments.training_summaries, meter.cpu_watts_per_core)
    write_table(table, arguments.output_curve_table)
    write_table(bands_of(table, arguments.shares, arguments.margin, arguments.least), arguments.output_bands)


if __name__ == "__main__":
    run_program(main)
