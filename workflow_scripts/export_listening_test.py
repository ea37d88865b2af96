"""Export a listening test: its form for each platform, the key, and a link for each participant."""

import argparse
from pathlib import Path

from vocoder_pareto.listening_test.export import export_test
from vocoder_pareto.listening_test.planning import plan_test
from vocoder_pareto.listening_test.platform import ExportSettings
from vocoder_pareto.listening_test.registry import EXPORTED_PLATFORMS
from vocoder_pareto.listening_test.texts import read_texts
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.listening_test import DesignSettings, LoudnessSettings, PageSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--manifests", type=Path, nargs="+", required=True, help="{system}/manifest.csv of all systems")
    parser.add_argument("--design", type=json_or_file, default={}, help="JSON: how many clips, lists, checks, …")
    parser.add_argument("--loudness", type=json_or_file, default={}, help="JSON: target loudness and peak limit")
    parser.add_argument("--page", type=json_or_file, default={}, help="JSON: scale, where answers are sent")
    parser.add_argument("--p808-base-url", required=True, help="address that the sounds are uploaded to for P.808")
    parser.add_argument("--texts", type=Path, required=True, help="JSON file of all words")
    parser.add_argument("--templates", type=Path, required=True, help="folder of page.html, style.css and script.js")
    parser.add_argument("--seed", type=int, default=0, help="of clips, lists and orders (default: %(default)s)")
    names = ", ".join(EXPORTED_PLATFORMS)
    parser.add_argument(
        "--platform-folders",
        type=Path,
        nargs="+",
        required=True,
        help=f"folders to write, each named as one of {names}",
    )
    parser.add_argument("--key", type=Path, required=True, help="JSON file to write, for the experimenter alone")
    parser.add_argument("--invitations", type=Path, required=True, help="CSV file to write: links of participants")
    arguments = parser.parse_args()

    texts = read_texts(arguments.texts)
    page = settings_from(PageSettings, arguments.page, "listening_test.page")
    plan = plan_test(
        {manifest.parent.name: manifest for manifest in arguments.manifests},
        settings_from(DesignSettings, arguments.design, "listening_test.design"),
        settings_from(LoudnessSettings, arguments.loudness, "listening_test.loudness"),
        texts,
        texts.labels(page.scale),
        arguments.seed,
    )
    settings = ExportSettings(texts, page, arguments.templates, arguments.p808_base_url)
    export_test(plan, settings, arguments.platform_folders, arguments.key, arguments.invitations)


if __name__ == "__main__":
    run(main)
