"""Read the answers to a listening test of pairs: how many prefer which system, sign tests, and means with intervals."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.listening_test.paired_analysis import analyse_paired_responses
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.listening_test import ScreeningSettings, StatisticsSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--responses", type=Path, required=True, help="folder of answers, with key.json of the export (paired_key.json)"
    )
    parser.add_argument(
        "--screening-settings", type=json_or_file, default={}, help="section listening_test.screening, JSON or @file"
    )
    parser.add_argument(
        "--statistics-settings", type=json_or_file, default={}, help="section listening_test.statistics, JSON or @file"
    )
    parser.add_argument("--output-preferences-table", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--output-screening-table", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()

    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    analyse_paired_responses(
        arguments.responses,
        settings_from(ScreeningSettings, arguments.screening_settings, "listening_test.screening"),
        settings_from(StatisticsSettings, arguments.statistics_settings, "listening_test.statistics"),
        arguments.output_preferences_table,
        arguments.output_screening_table,
    )


if __name__ == "__main__":
    run_program(main)
