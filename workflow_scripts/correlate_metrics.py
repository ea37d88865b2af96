"""Correlate the objective metrics with MOS over systems: a table and a small figure."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.correlation import correlate_with_mos, read_scores
from vocoder_pareto.analysis.correlation_figure import correlation_table
from vocoder_pareto.analysis.figure_tables import write_and_draw
from vocoder_pareto.files import read_json
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.quality.metrics import PREDICTED_MOS, known_metrics
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.sections.quality import QualitySettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument("--measurement-flags", type=Path, nargs="?", help="systems_flags.json of tabulate_systems.py")
    parser.add_argument("--quality-measurements", type=Path, nargs="*", default=[], help="CSV file per system")
    parser.add_argument("--quality-settings", type=json_or_file, default={}, help="section quality, JSON or @file")
    parser.add_argument("--seed", type=int, default=0, help="seed of the bootstrap (default: %(default)s)")
    parser.add_argument("--figure-settings", type=json_or_file, default={}, help="section figures, JSON or @file")
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument("--output-table", type=Path, required=True, help="CSV file to write (a row per metric)")
    parser.add_argument(
        "--output-figure-table", type=Path, required=True, help="CSV file to write: all that the figure shows"
    )
    parser.add_argument(
        "--output-figures", type=Path, nargs="+", required=True, help="files to write (.pdf, .svg, .png)"
    )
    arguments = parser.parse_args()
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    names = settings_from(QualitySettings, arguments.quality_settings, "quality").metrics
    metrics = (*known_metrics(names), PREDICTED_MOS)
    scores = read_scores(arguments.system_table, arguments.quality_measurements, metrics)
    correlations = correlate_with_mos(scores, arguments.seed, metrics)
    found = read_json(arguments.measurement_flags) if arguments.measurement_flags else {}
    withheld = found.get("predicted_mos", {}).get("withheld", "")
    shown = correlation_table(scores, correlations, arguments.labels, withheld)
    write_and_draw(shown, arguments.output_figure_table, settings, arguments.output_figures)
    write_table(correlations, arguments.output_table)


if __name__ == "__main__":
    run_program(main)
