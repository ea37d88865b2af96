"""Draw what a Pareto front is: figure 1 of the paper."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.definition_figure import draw_definition
from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--figure-settings", type=json_or_file, default={}, help="section figures, JSON or @file")
    parser.add_argument(
        "--output-figures", type=Path, nargs="+", required=True, help="files to write (.pdf, .svg, .png)"
    )
    arguments = parser.parse_args()
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    with drawing(settings):
        save_figure(draw_definition(settings), arguments.output_figures)


if __name__ == "__main__":
    run_program(main)
