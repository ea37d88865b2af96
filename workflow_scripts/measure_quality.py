"""Measure the objective quality of generated audio against the natural speech: a CSV file with a row per clip."""

import argparse
from pathlib import Path

from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.quality.measure import measure_quality
from vocoder_pareto.study.sections.quality import QualitySettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifest", type=Path, required=True, help="manifest.csv of the system")
    parser.add_argument("--reference-manifest", type=Path, required=True, help="manifest.csv of the ground truth")
    parser.add_argument("--quality-settings", type=json_or_file, default={}, help="section quality, JSON or @file")
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="CSV file to write (a row per clip)")
    arguments = parser.parse_args()
    settings = settings_from(QualitySettings, arguments.quality_settings, "quality")
    measure_quality(
        arguments.manifest,
        arguments.reference_manifest,
        settings.metrics,
        arguments.output,
        arguments.processes,
    )


if __name__ == "__main__":
    run_program(main)
