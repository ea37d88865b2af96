"""Export a listening test of chosen pairs: its page, the key, and a link for each participant."""

import argparse
import logging
from dataclasses import asdict
from pathlib import Path

from vocoder_pareto.listening_test.paired_export import export_paired_test
from vocoder_pareto.listening_test.paired_planning import plan_paired_test
from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.texts import read_texts
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.listening_test import (
    LoudnessSettings,
    PageSettings,
    PairedSettings,
    StatisticsSettings,
)
from vocoder_pareto.study.settings import settings_from

SECTIONS = {
    "paired": PairedSettings, "loudness": LoudnessSettings, "page": PageSettings, "statistics": StatisticsSettings
}  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="manifest.csv of each system")
    for name in SECTIONS:
        words = f"section listening_test.{name}, JSON or @file"
        parser.add_argument(f"--{name}-settings", type=json_or_file, default={}, help=words)
    parser.add_argument("--texts", type=Path, required=True, help="JSON file of all words")
    parser.add_argument("--templates", type=Path, required=True, help="folder of page.html, style.css and scripts")
    parser.add_argument("--seed", type=int, default=0, help="seed of clips and orders (default: %(default)s)")
    parser.add_argument("--output-page", type=Path, required=True, help="folder to write")
    parser.add_argument("--output-key", type=Path, required=True, help="paired_key.json to write (for you alone)")
    parser.add_argument("--output-invitations", type=Path, required=True, help="CSV file to write")
    given = parser.parse_args()

    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s")
    paired, loudness, page, statistics = (
        settings_from(kind, getattr(given, f"{name}_settings"), f"listening_test.{name}")
        for name, kind in SECTIONS.items()
    )
    texts = read_texts(given.texts)
    manifests = {manifest.parent.name: manifest for manifest in given.manifests}
    plan = plan_paired_test(manifests, paired, loudness, asdict(texts), given.seed)
    settings = ExportSettings(texts, page, given.templates, p808_base_url="")
    export_paired_test(plan, settings, given.output_page, given.output_key, given.output_invitations, statistics.alpha)


if __name__ == "__main__":
    run_program(main)
