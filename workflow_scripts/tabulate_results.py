"""Write tables 1 (quality) and 2 (cost) of systems.csv as CSV, Markdown and LaTeX, every number with its source."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis import result_tables
from vocoder_pareto.analysis.published import read_cost, read_quality
from vocoder_pareto.files import read_json, write_text
from vocoder_pareto.program import run_program, texts_by_name
from vocoder_pareto.tables.csv_tables import read_systems, write_table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument("--measurement-flags", type=Path, nargs="?", help="systems_flags.json of tabulate_systems.py")
    parser.add_argument(
        "--origin",
        choices=["measured", "published"],
        default="measured",
        help="origin of counts and distances (default: %(default)s)",
    )
    parser.add_argument(
        "--published-quality", type=Path, required=True, help="table 1 as printed (CSV; for the asterisks)"
    )
    parser.add_argument(
        "--published-cost", type=Path, required=True, help="table 2 as printed (CSV; for the asterisks)"
    )
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument(
        "--output-table1", type=Path, nargs=3, required=True, metavar=("CSV", "MD", "TEX"), help="files to write"
    )
    parser.add_argument(
        "--output-table2", type=Path, nargs=3, required=True, metavar=("CSV", "MD", "TEX"), help="files to write"
    )
    arguments = parser.parse_args()
    systems = read_systems(arguments.system_table)
    found = read_json(arguments.measurement_flags) if arguments.measurement_flags else {}
    printed = (read_quality(arguments.published_quality), read_cost(arguments.published_cost))
    stars = [table.loc[table["suggested_by_authors"], "system"] for table in printed]
    quality = result_tables.quality_table(systems, arguments.origin, stars[0], arguments.labels)
    cost = result_tables.cost_table(systems, arguments.origin, stars[1], arguments.labels, found.get("doubts", {}))
    quality_display = result_tables.quality_display(
        quality, systems, found.get("ratings", ""), found.get("predicted_mos", {})
    )
    cost_display = result_tables.cost_display(cost, systems, found.get("not_publishable", ()))
    for table, display, (csv, markdown, latex) in (
        (quality, quality_display, arguments.output_table1),
        (cost, cost_display, arguments.output_table2),
    ):
        write_table(table, csv)
        write_text(markdown, display.to_markdown())
        write_text(latex, display.to_latex())


if __name__ == "__main__":
    run_program(main)
