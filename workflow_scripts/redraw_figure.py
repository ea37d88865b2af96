"""Draw a figure again from its table alone, in another style or format."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.figure_tables import figure_of_table
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--figure-table", type=Path, required=True, help="CSV file of a figure, as results/figure_tables/pareto.csv"
    )
    parser.add_argument("--figure-settings", type=json_or_file, default={}, help="section figures, JSON or @file")
    parser.add_argument(
        "--output-figures", type=Path, nargs="+", required=True, help="files to write (.pdf, .svg, .png)"
    )
    arguments = parser.parse_args()
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    with drawing(settings):
        save_figure(figure_of_table(arguments.figure_table, settings), arguments.output_figures)


if __name__ == "__main__":
    run_program(main)
