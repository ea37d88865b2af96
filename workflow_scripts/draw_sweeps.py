"""Draw joules per second of audio against batch size and precision, a panel per system."""

import argparse

import pandas as pd

from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.analysis.sweep_figure import COLUMNS, draw_sweeps
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweeps", nargs="+", required=True, help="CSV files of sweep_energy.py, one per system")
    parser.add_argument("--figures", type=json_or_file, default={}, help="settings of the figures, JSON")
    parser.add_argument("--labels", type=json_or_file, default={}, help='JSON, names to show: {"melgan": "MelGAN"}')
    parser.add_argument("--output", nargs="+", required=True, help="files to write: .pdf, .svg, .png")
    arguments = parser.parse_args()
    text = ("system", "model", "size", "precision", "energy_source", "device")
    sweeps = pd.concat([read_table(path, COLUMNS, text) for path in arguments.sweeps], ignore_index=True)
    settings = settings_from(FigureSettings, arguments.figures, "figures")
    with drawing(settings):
        save_figure(draw_sweeps(sweeps, settings, arguments.labels), arguments.output)


if __name__ == "__main__":
    run(main)
