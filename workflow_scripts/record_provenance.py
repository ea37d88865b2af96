"""Write what made the results: versions, git commit, configuration, hardware, seed."""

import argparse
import csv
from pathlib import Path

from vocoder_pareto.files import write_json
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.provenance import provenance_of


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
    with arguments.system_table.open(encoding="utf-8", newline="") as file:
        devices = {row["device"] for row in csv.DictReader(file) if row["device"]}
    provenance = provenance_of(arguments.study_settings, Path(__file__).parent, arguments.environments)
    provenance["packages"]["snakemake"] = arguments.snakemake_version  # an environment of conda does not hold it
    write_json(arguments.output, provenance | {"measured_on": sorted(devices)})


if __name__ == "__main__":
    run_program(main)
