"""Find the Pareto front of systems.csv in two or three of its columns: a CSV row per system, and a JSON summary."""

import argparse

from vocoder_pareto.analysis.fronts import Objectives, find_front
from vocoder_pareto.files import read_json
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_systems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", required=True, help="systems.csv")
    parser.add_argument("--flags", nargs="?", help="systems_flags.json: which measurements are not publishable")
    parser.add_argument(
        "--objectives", type=json_or_file, required=True, help='JSON: {"name": "energy", "columns": {"mos": "max", …}}'
    )
    parser.add_argument("--draws", type=int, default=10_000, help="Monte Carlo draws of the probabilities")
    parser.add_argument("--seed", type=int, default=0, help="of the draws")
    parser.add_argument("--table", required=True, help="CSV file to write")
    parser.add_argument("--summary", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    objectives = settings_from(Objectives, arguments.objectives, "pareto.objectives").in_order_of_systems()
    not_publishable = read_json(arguments.flags)["not_publishable"] if arguments.flags else ()
    front = find_front(read_systems(arguments.systems), objectives, arguments.draws, arguments.seed, not_publishable)
    front.write(arguments.table, arguments.summary)


if __name__ == "__main__":
    run(main)
