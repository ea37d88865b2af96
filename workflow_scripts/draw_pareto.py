"""Draw fronts found by find_fronts.py side by side: a panel for two objectives, every pair for three."""

import argparse

from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.fronts import read_front
from vocoder_pareto.analysis.pareto_figure import draw_fronts, panels_beside
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tables", nargs="+", required=True, help="fronts to draw, the CSV file of each")
    parser.add_argument("--summaries", nargs="+", required=True, help="the JSON file of each, in the same order")
    parser.add_argument("--figures", type=json_or_file, default={}, help="settings of the figures, JSON")
    parser.add_argument("--labels", type=json_or_file, default={}, help='JSON, names to show: {"melgan": "MelGAN"}')
    parser.add_argument("--output", nargs="+", required=True, help="files to write: .pdf, .svg, .png")
    arguments = parser.parse_args()
    if len(arguments.tables) != len(arguments.summaries):
        parser.error("--tables and --summaries must name as many files")
    settings = settings_from(FigureSettings, arguments.figures, "figures")
    fronts = [read_front(*files) for files in zip(arguments.tables, arguments.summaries, strict=True)]
    with drawing(settings):
        save_figure(draw_fronts(panels_beside(fronts), settings, arguments.labels), arguments.output)


if __name__ == "__main__":
    run(main)
