"""Write an energy card per system, in Markdown with the block of Hugging Face, and as JSON with that of SPDX 3."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from vocoder_pareto.analysis.carbon import read_carbon
from vocoder_pareto.analysis.card_formats import write_cards
from vocoder_pareto.analysis.energy_card import CardInputs, energy_cards
from vocoder_pareto.files import read_json
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.analysis import ReportSettings
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.csv_tables import read_systems


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument("--measurement-flags", type=Path, nargs="?", help="systems_flags.json of tabulate_systems.py")
    parser.add_argument("--carbon", type=Path, required=True, help="carbon.csv of account_carbon.py")
    parser.add_argument("--energy-measurements", type=Path, nargs="*", default=[], help="JSON file per system")
    parser.add_argument("--training-summaries", type=Path, nargs="*", default=[], help="JSON file per system")
    parser.add_argument("--carbon-settings", type=json_or_file, default={}, help="section carbon, JSON or @file")
    parser.add_argument("--report-settings", type=json_or_file, default={}, help="section report, JSON or @file")
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument("--output-cards", type=Path, nargs="+", required=True, help="{system}.md and .json to write")
    arguments = parser.parse_args()
    flags = read_json(arguments.measurement_flags) if arguments.measurement_flags else {}
    inputs = CardInputs(
        read_systems(arguments.system_table),
        read_carbon(arguments.carbon),
        {record["system"]: record for record in map(read_json, arguments.energy_measurements)},
        {summary["system"]: summary for summary in map(read_json, arguments.training_summaries)},
        flags.get("flags", {}),
        flags.get("not_publishable", []),
        settings_from(CarbonSettings, arguments.carbon_settings, "carbon"),
        settings_from(ReportSettings, arguments.report_settings, "report").reference_system,
        arguments.labels,
    )
    write_cards(energy_cards(inputs), arguments.output_cards, datetime.now(UTC))


if __name__ == "__main__":
    run_program(main)
