"""Write what made the results: versions, git commit, configuration, hardware, seed."""

import argparse
from pathlib import Path

from vocoder_pareto.files import write_json
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.provenance import provenance_of
from vocoder_pareto.tables.csv_files import read_csv


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--study-settings", type=json_or_file, required=True, help="the whole configuration, JSON or @file"
    )
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument("--environments", type=Path, nargs="*", default=[], help="environment files of conda")
    parser.add_argument("--snakemake-version", help="version of the Snakemake that runs the study")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    devices = set(read_csv(arguments.system_table).texts("device")) - {""}
    provenance = provenance_of(arguments.study_settings, Path(__file__).parent, arguments.environments)
    provenance["packages"]["snakemake"] = arguments.snakemake_version  # an environment of conda does not hold it
    write_json(arguments.output, provenance | {"measured_on": sorted(devices)})


if __name__ == "__main__":
    run_program(main)
