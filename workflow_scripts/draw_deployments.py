"""Draw joules per second of audio of systems in other forms than PyTorch's, and of streams against their latency."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from vocoder_pareto.analysis.deployment_figure import CHUNK_COLUMNS, FORM_COLUMNS, deployment_table
from vocoder_pareto.analysis.estimates import restated_rows
from vocoder_pareto.analysis.figure_tables import write_and_draw
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.columns import Kind
from vocoder_pareto.tables.csv_tables import read_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--form-tables", type=Path, nargs="+", required=True, help="CSV file of forms per system")
    parser.add_argument("--chunk-tables", type=Path, nargs="+", required=True, help="CSV file of chunks per system")
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
    watts = settings_from(MeterSettings, arguments.meter_settings, "meter").cpu_watts_per_core
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    forms = restated_rows(read_tables(arguments.form_tables, FORM_COLUMNS), watts)
    chunks = restated_rows(read_tables(arguments.chunk_tables, CHUNK_COLUMNS), watts)
    shown = deployment_table(forms, chunks, arguments.labels)
    write_and_draw(shown, arguments.output_figure_table, settings, arguments.output_figures)


def read_tables(paths: Sequence[Path], columns: Mapping[str, Kind]) -> pd.DataFrame:
    """The rows of all files."""
    return pd.concat([read_table(path, columns) for path in paths], ignore_index=True)


if __name__ == "__main__":
    run_program(main)
