"""Correlate the objective metrics with MOS over systems: a table and a small figure."""

import argparse

from vocoder_pareto.analysis.correlation import correlate_with_mos, read_scores
from vocoder_pareto.analysis.correlation_figure import draw_correlations
from vocoder_pareto.analysis.figure_style import drawing, save_figure
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.quality.metrics import known_metrics
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", required=True, help="systems.csv, which holds MOS and D_STFT")
    parser.add_argument("--quality", nargs="*", default=[], help="CSV files of measure_quality.py, named by system")
    parser.add_argument("--metrics", type=json_or_file, default=[], help="JSON: the metrics that were asked for")
    parser.add_argument("--seed", type=int, default=0, help="of the bootstrap (default: %(default)s)")
    parser.add_argument("--figures", type=json_or_file, default={}, help="settings of the figures, JSON")
    parser.add_argument("--labels", type=json_or_file, default={}, help='JSON, names to show: {"melgan": "MelGAN"}')
    parser.add_argument("--table", required=True, help="CSV file to write")
    parser.add_argument("--output", nargs="+", required=True, help="figures to write: .pdf, .svg, .png")
    arguments = parser.parse_args()
    settings = settings_from(FigureSettings, arguments.figures, "figures")
    metrics = known_metrics(arguments.metrics)
    scores = read_scores(arguments.systems, arguments.quality, metrics)
    correlations = correlate_with_mos(scores, arguments.seed, metrics)
    with drawing(settings):
        save_figure(draw_correlations(scores, correlations, settings, arguments.labels), arguments.output)
    write_table(correlations, arguments.table)


if __name__ == "__main__":
    run(main)
