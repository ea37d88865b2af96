"""Draw quality against the joules of training, a line per system."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.figure_tables import write_and_draw
from vocoder_pareto.analysis.training_curves import CURVE_COLUMNS
from vocoder_pareto.analysis.training_curves_figure import training_curves_table
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--curve-table", type=Path, required=True, help="CSV file of tabulate_training_curves.py")
    parser.add_argument("--figure-settings", type=json_or_file, default={}, help="section figures, JSON or @file")
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument(
        "--output-figure-table", type=Path, required=True, help="CSV file to write: all that the figure shows"
    )
    parser.add_argument(
        "--output-figures", type=Path, nargs="+", required=True, help="files to write (.pdf, .svg, .png)"
    )
    arguments = parser.parse_args()
    curves = read_table(arguments.curve_table, {column.name: column.kind for column in CURVE_COLUMNS})
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    shown = training_curves_table(curves, arguments.labels)
    write_and_draw(shown, arguments.output_figure_table, settings, arguments.output_figures)


if __name__ == "__main__":
    run_program(main)
