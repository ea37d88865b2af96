"""Write what made the results: versions, git commit, configuration, hardware, seed."""

import argparse
from pathlib import Path

from vocoder_pareto.files import write_json
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.provenance import provenance_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", type=json_or_file, required=True, help="the whole configuration, JSON or @file")
    parser.add_argument("--output", required=True, help="JSON file to write")
    arguments = parser.parse_args()
    write_json(arguments.output, provenance_of(arguments.config, Path(__file__).parent))


if __name__ == "__main__":
    run(main)
