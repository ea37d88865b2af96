"""Measure the objective quality of generated audio against the natural speech: a CSV file with a row per clip."""

import argparse
from pathlib import Path

from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.quality.measure import measure_quality


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest.csv of the system")
    parser.add_argument("--reference", type=Path, required=True, help="manifest.csv of the ground truth")
    parser.add_argument(
        "--metrics",
        type=json_or_file,
        default=[],
        help='JSON: metrics beside D_STFT, such as ["estoi", "own.py:loudness"]',
    )
    parser.add_argument("--processes", type=int, default=1, help="how many work at once (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    measure_quality(arguments.manifest, arguments.reference, arguments.metrics, arguments.output, arguments.processes)


if __name__ == "__main__":
    run(main)
