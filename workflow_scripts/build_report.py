"""Build the report page: one folder that opens from disk, with an interactive front, audio, tables and methods."""

import argparse
from pathlib import Path

from vocoder_pareto.analysis.report import ReportInputs, build_report
from vocoder_pareto.files import read_json
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.analysis import FigureSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--systems", type=Path, required=True, help="systems.csv")
    parser.add_argument("--flags", type=Path, required=True, help="systems_flags.json")
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="manifest.csv of every system")
    parser.add_argument("--downloads", type=Path, nargs="*", default=[], help="files to offer for download")
    parser.add_argument("--provenance", type=Path, required=True, help="provenance.json")
    parser.add_argument("--templates", type=Path, required=True, help="folder of page.html, style.css and script.js")
    parser.add_argument("--labels", type=json_or_file, default={}, help="JSON: a model's name for readers")
    parser.add_argument("--figures", type=json_or_file, default={}, help="settings of the figures, JSON")
    parser.add_argument("--clips", type=int, default=10, help="clips in the listening grid (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="index.html to write; its folder holds the rest")
    arguments = parser.parse_args()
    inputs = ReportInputs(
        systems=arguments.systems,
        manifests=arguments.manifests,
        downloads=arguments.downloads,
        provenance=read_json(arguments.provenance),
        template_folder=arguments.templates,
        labels=arguments.labels,
        figures=settings_from(FigureSettings, arguments.figures, "figures"),
        flags=read_json(arguments.flags)["flags"],
    )
    build_report(inputs, arguments.output, arguments.clips)


if __name__ == "__main__":
    run(main)
