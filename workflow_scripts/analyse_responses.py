"""Turn the responses of a listening test into mos.csv, with screening, comparisons, agreement and power beside it."""

import argparse
import logging
from dataclasses import fields
from pathlib import Path

from vocoder_pareto.listening_test.analysis import AnalysisFiles, analyse_responses
from vocoder_pareto.listening_test.responses import MAX_REJECTED_SHARE
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.listening_test import ScreeningSettings, StatisticsSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--responses", type=Path, required=True, help="folder of answers, with key.json of the export")
    parser.add_argument("--system-names", nargs="*", default=[], help="names of systems (those that a rating may have)")
    parser.add_argument(
        "--screening-settings", type=json_or_file, default={}, help="section listening_test.screening, JSON or @file"
    )
    parser.add_argument(
        "--statistics-settings", type=json_or_file, default={}, help="section listening_test.statistics, JSON or @file"
    )
    parser.add_argument(
        "--max-rejected-share",
        type=float,
        default=MAX_REJECTED_SHARE,
        help="largest share of rows that may be no valid ratings (default: %(default)s)",
    )
    parser.add_argument("--seed", type=int, default=0, help="seed of the replicates (default: %(default)s)")
    tables = [field.name for field in fields(AnalysisFiles) if field.name != "counts"]
    for name in tables:
        parser.add_argument(f"--output-{name}-table", type=Path, required=True, help="CSV file to write")
    parser.add_argument("--output-rating-counts", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    analyse_responses(
        arguments.responses,
        arguments.system_names,
        settings_from(ScreeningSettings, arguments.screening_settings, "listening_test.screening"),
        settings_from(StatisticsSettings, arguments.statistics_settings, "listening_test.statistics"),
        arguments.seed,
        AnalysisFiles(
            **{name: getattr(arguments, f"output_{name}_table") for name in tables},
            counts=arguments.output_rating_counts,
        ),
        arguments.max_rejected_share,
    )


if __name__ == "__main__":
    run_program(main)
