"""Find the Pareto front of systems.csv in two or three of its columns: a CSV row per system, and a JSON summary."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.fronts import Objectives, find_front
from vocoder_pareto.analysis.uncertainty import COMMON_SHARE
from vocoder_pareto.files import read_json
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_systems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument("--measurement-flags", type=Path, nargs="?", help="systems_flags.json of tabulate_systems.py")
    parser.add_argument(
        "--objective-settings",
        type=json_or_file,
        required=True,
        help='an entry of section pareto.objectives, JSON or @file ({"name": "energy", "columns": {"mos": "max", …}})',
    )
    parser.add_argument("--draws", type=int, default=10_000, help="Monte Carlo draws (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the draws (default: %(default)s)")
    parser.add_argument(
        "--systematic-common-share",
        type=float,
        default=COMMON_SHARE,
        help="share of the systematic variance that all systems of a device have in common (default: %(default)s)",
    )
    parser.add_argument("--output-front-table", type=Path, required=True, help="CSV file to write (a row per system)")
    parser.add_argument("--output-front-summary", type=Path, required=True, help="JSON file to write (the front)")
    arguments = parser.parse_args()
    objectives = settings_from(Objectives, arguments.objective_settings, "pareto.objectives").in_order_of_systems()
    found = read_json(arguments.measurement_flags) if arguments.measurement_flags else {}
    front = find_front(
        read_systems(arguments.system_table),
        objectives,
        arguments.draws,
        arguments.seed,
        found.get("not_publishable", ()),
        arguments.systematic_common_share,
        doubts=found.get("doubts", {}),
        ratings=found.get("ratings", ""),
        predicted=found.get("predicted_mos", {}),
    )
    front.write(arguments.output_front_table, arguments.output_front_summary)


if __name__ == "__main__":
    run_program(main)
