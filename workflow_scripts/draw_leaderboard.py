"""Draw all measured sets side by side: a table, how far devices agree on the order, a figure, and a page."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis import leaderboard as boards
from vocoder_pareto.analysis.figure_style import drawing, save_figure, svg_of
from vocoder_pareto.analysis.figure_tables import figure_of_table
from vocoder_pareto.analysis.leaderboard_figure import leaderboard_figure_table
from vocoder_pareto.analysis.leaderboard_page import leaderboard_html
from vocoder_pareto.files import write_json, write_text
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.analysis import FigureSettings, ReportSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_systems, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--published-system-table", type=Path, required=True, help="systems.csv of the paper")
    parser.add_argument("--measured-sets", type=Path, nargs="*", default=[], help="set.json of each set")
    parser.add_argument("--template", type=Path, required=True, help="page.html of the leaderboard")
    parser.add_argument("--report-settings", type=json_or_file, default={}, help="section report, JSON or @file")
    parser.add_argument("--figure-settings", type=json_or_file, default={}, help="section figures, JSON or @file")
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument("--output-table", type=Path, required=True, help="CSV file to write, a row per set and system")
    parser.add_argument("--output-agreement", type=Path, required=True, help="JSON file to write: rank correlations")
    parser.add_argument(
        "--output-figures", type=Path, nargs="+", required=True, help="files to write (.pdf, .svg, .png)"
    )
    parser.add_argument("--output-page", type=Path, required=True, help="HTML file to write")
    arguments = parser.parse_args()
    reference = settings_from(ReportSettings, arguments.report_settings, "report").reference_system
    settings = settings_from(FigureSettings, arguments.figure_settings, "figures")
    published = boards.published_set(read_systems(arguments.published_system_table))
    stored = [boards.read_stored_set(file.parent) for file in arguments.measured_sets]
    sets = boards.one_name_per_configuration([published, *stored])
    table, agreement = boards.leaderboard_table(sets, reference), boards.rank_agreement(sets)
    write_table(leaderboard_figure_table(table, reference, arguments.labels), arguments.output_table)
    with drawing(settings):
        figure = figure_of_table(arguments.output_table, settings)
        save_figure(figure, arguments.output_figures)
        picture = svg_of(figure)
    page = leaderboard_html(sets, table, agreement, reference, arguments.labels, arguments.template, picture)
    write_json(arguments.output_agreement, {"reference_system": reference, "rank_agreement": agreement})
    write_text(arguments.output_page, page)


if __name__ == "__main__":
    run_program(main)
