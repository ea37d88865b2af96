"""Turn the responses of a listening test into mos.csv, with screening, comparisons, agreement and power beside it."""

import argparse
import logging
from dataclasses import fields
from pathlib import Path

from vocoder_pareto.listening_test.analysis import AnalysisFiles, analyse_responses
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.listening_test import ScreeningSettings, StatisticsSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, required=True, help="folder of answers, with key.json of the export")
    parser.add_argument("--systems", type=json_or_file, required=True, help="JSON: names that a rating may have")
    parser.add_argument("--screening", type=json_or_file, default={}, help="JSON: checks that a session must pass")
    parser.add_argument("--statistics", type=json_or_file, default={}, help="JSON: resamples, alpha, power")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    for field in fields(AnalysisFiles):
        parser.add_argument(f"--{field.name}-table", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    analyse_responses(
        arguments.responses,
        arguments.systems,
        settings_from(ScreeningSettings, arguments.screening, "listening_test.screening"),
        settings_from(StatisticsSettings, arguments.statistics, "listening_test.statistics"),
        arguments.seed,
        AnalysisFiles(**{field.name: getattr(arguments, f"{field.name}_table") for field in fields(AnalysisFiles)}),
    )


if __name__ == "__main__":
    run(main)
