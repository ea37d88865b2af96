"""Join all measurements into systems.csv, a row per system, and collect what it has no column for."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis import systems_table
from vocoder_pareto.analysis.printed_mos import Study, sentence, withheld_mos
from vocoder_pareto.analysis.published import read_cost
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--complexity-measurements", type=Path, nargs="+", required=True, help="JSON file per system")
    parser.add_argument("--energy-measurements", type=Path, nargs="*", default=[], help="JSON file per system")
    parser.add_argument("--training-summaries", type=Path, nargs="*", default=[], help="JSON file per system")
    parser.add_argument("--front-end-measurements", type=Path, nargs="*", default=[], help="JSON file per front end")
    parser.add_argument("--front-ends", type=texts_by_name, default={}, help='as {"melgan-S": "paper"}, or @file')
    parser.add_argument("--quality-measurements", type=Path, nargs="*", default=[], help="CSV file per system")
    parser.add_argument("--predicted-mos", type=Path, nargs="*", default=[], help="JSON file per system")
    parser.add_argument("--published-quality", type=Path, required=True, help="table 1 as printed (CSV; for its MOS)")
    parser.add_argument("--published-cost", type=Path, help="table 2 as printed (CSV; whose counts get the MOS)")
    parser.add_argument("--corpus-kind", help="dataset.source: whose recordings get the printed MOS")
    parser.add_argument("--mos-table", type=Path, nargs="?", help="mos.csv of a listening test, instead of the paper's")
    parser.add_argument("--rating-counts", type=Path, nargs="?", help="counts.json of analyse_responses.py")
    parser.add_argument("--families", type=texts_by_name, default={}, help='families, as {"melgan": "GAN"}, or @file')
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--carbon-settings", type=json_or_file, default={}, help="section carbon, JSON or @file")
    parser.add_argument("--output-system-table", type=Path, required=True, help="systems.csv to write")
    parser.add_argument("--output-measurement-flags", type=Path, required=True, help="systems_flags.json to write")
    arguments = parser.parse_args()
    measurements = systems_table.read_measurements(
        arguments.complexity_measurements,
        arguments.energy_measurements,
        arguments.training_summaries,
        arguments.quality_measurements,
        settings_from(MeterSettings, arguments.meter_settings, "meter") if arguments.meter_settings else None,
        arguments.front_end_measurements,
        arguments.predicted_mos,
    )
    cost = arguments.published_cost and read_cost(arguments.published_cost)
    study = Study(arguments.front_ends, arguments.corpus_kind, cost)
    mos = systems_table.mos_of_study(arguments.mos_table, arguments.published_quality)
    carbon = settings_from(CarbonSettings, arguments.carbon_settings, "carbon")
    table = systems_table.systems_measured(measurements, mos, arguments.families, carbon, study)
    write_table(table, arguments.output_system_table)
    withheld = {} if arguments.mos_table else withheld_mos(measurements.complexity, study)
    counted = read_json(arguments.rating_counts)["sentence"] if arguments.rating_counts else sentence(withheld)
    flags = systems_table.measurement_flags(measurements) | {"mos_withheld": withheld, "ratings": counted}
    write_json(arguments.output_measurement_flags, flags)


if __name__ == "__main__":
    run_program(main)
