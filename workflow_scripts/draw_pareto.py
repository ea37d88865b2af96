"""Draw fronts found by find_fronts.py side by side: a panel for two objectives, every pair for three."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.figure_tables import write_and_draw
from vocoder_pareto.analysis.front_figure_table import front_figure_table
from vocoder_pareto.analysis.fronts import read_front
from vocoder_pareto.analysis.pareto_figure import panels_beside
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--front-tables", type=Path, nargs="+", required=True, help="CSV file per front")
    parser.add_argument(
        "--front-summaries", type=Path, nargs="+", required=True, help="JSON file per front, in the same order"
    )
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
    if len(arguments.front_tables) != len(arguments.front_summaries):
        parser.error("--front-tables and --front-summaries must name as many files")
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    fronts = [read_front(*files) for files in zip(arguments.front_tables, arguments.front_summaries, strict=True)]
    shown = front_figure_table(panels_beside(fronts), arguments.labels)
    write_and_draw(shown, arguments.output_figure_table, settings, arguments.output_figures)


if __name__ == "__main__":
    run_program(main)
