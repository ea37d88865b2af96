"""Build the report page: one folder that opens from disk, with an interactive front, audio, tables and methods."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.report import ReportInputs, build_report
from vocoder_pareto.audio.dataset_summary import DatasetSummary
from vocoder_pareto.files import read_json
from vocoder_pareto.program import json_or_file, run_program, texts_by_name
from vocoder_pareto.study.sections.analysis import FigureSettings, ReportSettings
from vocoder_pareto.study.sections.listening_test import LoudnessSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system-table", type=Path, required=True, help="systems.csv of tabulate_systems.py")
    parser.add_argument(
        "--measurement-flags", type=Path, required=True, help="systems_flags.json of tabulate_systems.py"
    )
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="manifest.csv of each system")
    parser.add_argument("--downloads", type=Path, nargs="*", default=[], help="files to offer for download")
    parser.add_argument("--dataset-summary", type=Path, required=True, help="dataset_summary.json of prepare_clips.py")
    parser.add_argument("--provenance", type=Path, required=True, help="provenance.json of record_provenance.py")
    parser.add_argument("--templates", type=Path, required=True, help="folder of page.html, style.css and scripts")
    parser.add_argument(
        "--labels", type=texts_by_name, default={}, help='names to show, as {"melgan": "MelGAN"}, or @file'
    )
    parser.add_argument("--figure-settings", type=json_or_file, default={}, help="section figures, JSON or @file")
    parser.add_argument("--report-settings", type=json_or_file, default={}, help="section report, JSON or @file")
    parser.add_argument(
        "--loudness-settings", type=json_or_file, default={}, help="section listening_test.loudness, JSON or @file"
    )
    parser.add_argument("--output", type=Path, required=True, help="index.html to write; its folder holds the rest")
    arguments = parser.parse_args()
    found = read_json(arguments.measurement_flags)
    inputs = ReportInputs(
        systems=arguments.system_table,
        manifests=arguments.manifests,
        downloads=arguments.downloads,
        dataset=DatasetSummary.read(arguments.dataset_summary),
        provenance=read_json(arguments.provenance),
        template_folder=arguments.templates,
        labels=arguments.labels,
        figures=settings_from(FigureSettings, arguments.figure_settings, "figures"),
        flags=found["flags"],
        ratings=found.get("ratings", ""),
        predicted=found.get("predicted_mos", {}),
        loudness=settings_from(LoudnessSettings, arguments.loudness_settings, "listening_test.loudness"),
    )
    report = settings_from(ReportSettings, arguments.report_settings, "report")
    build_report(inputs, arguments.output, report.clips)


if __name__ == "__main__":
    run_program(main)
