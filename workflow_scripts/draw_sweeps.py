"""Draw joules per second of audio against batch size and precision, a panel per system."""

import argparse
from pathlib import Path

import pandas as pd

from vocoder_pareto.analysis.estimates import restated_rows
from vocoder_pareto.analysis.figure_tables import write_and_draw
from vocoder_pareto.analysis.sweep_figure import COLUMNS, sweep_table
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sweep-tables", type=Path, nargs="+", required=True, help="CSV file per system")
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
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
    sweeps = pd.concat([read_table(path, COLUMNS) for path in arguments.sweep_tables], ignore_index=True)
    meter = settings_from(MeterSettings, arguments.meter_settings, "meter")
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    restated = restated_rows(sweeps, meter.cpu_watts_per_core)
    shown = sweep_table(restated, arguments.labels)
    write_and_draw(shown, arguments.output_figure_table, settings, arguments.output_figures)


if __name__ == "__main__":
    run_program(main)
