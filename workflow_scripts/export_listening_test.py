"""Export a listening test: its form for each platform, the key, and a link for each participant."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.listening_test.export import export_test
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.registry import EXPORTED_PLATFORMS
from vocoder_pareto.listening_test.sensitivity import tell_sensitivity
from vocoder_pareto.listening_test.texts import read_texts
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.listening_test import (
    DesignSettings,
    LoudnessSettings,
    PageSettings,
    StatisticsSettings,
)
from vocoder_pareto.study.settings import settings_from

SECTIONS = {
    "design": DesignSettings, "loudness": LoudnessSettings, "page": PageSettings, "statistics": StatisticsSettings
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="manifest.csv of each system")
    for name in SECTIONS:
        section = f"section listening_test.{name}, JSON or @file"
        parser.add_argument(f"--{name}-settings", type=json_or_file, default={}, help=section)
    parser.add_argument("--p808-base-url", required=True, help="address that the sounds are uploaded to for P.808")
    parser.add_argument("--texts", type=Path, required=True, help="JSON file of all words")
    parser.add_argument("--templates", type=Path, required=True, help="folder of page.html, style.css and scripts")
    parser.add_argument("--seed", type=int, default=0, help="seed of clips, lists and orders (default: %(default)s)")
    names = ", ".join(EXPORTED_PLATFORMS)
    parser.add_argument("--output-platforms", type=Path, nargs="+", required=True, help=f"folders to write ({names})")
    parser.add_argument("--output-key", type=Path, required=True, help="key.json to write (for the experimenter alone)")
    parser.add_argument("--output-invitations", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")

    texts = read_texts(arguments.texts)
    given = {name: getattr(arguments, f"{name}_settings") for name in SECTIONS}
    design, loudness, page, statistics = (
        settings_from(section, given[name], f"listening_test.{name}") for name, section in SECTIONS.items()
    )
    manifests = {manifest.parent.name: manifest for manifest in arguments.manifests}
    plan = plan_test(manifests, design, loudness, texts, texts.labels(page.scale), arguments.seed)
    tell_sensitivity(plan.key, statistics, arguments.seed)
    settings = ExportSettings(texts, page, arguments.templates, arguments.p808_base_url)
    export_test(plan, settings, arguments.output_platforms, arguments.output_key, arguments.output_invitations)


if __name__ == "__main__":
    run_program(main)
