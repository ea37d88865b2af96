"""Download LJSpeech 1.1 (2.6 GB, resumable), or take an archive of it, check it and extract it."""

import argparse
from pathlib import Path

from vocoder_pareto.audio.archives import fetch_archive
from vocoder_pareto.audio.ljspeech import LJSPEECH, RELEASE
from vocoder_pareto.downloads import Release
from vocoder_pareto.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--archive", type=Path, nargs="?", help="archive of the corpus, if there is one (default: download it)"
    )
    parser.add_argument("--url", help="address of the archive (default: the published one)")
    parser.add_argument("--sha256", help="checksum of the archive (default: the published one)")
    parser.add_argument(
        "--output", type=Path, required=True, help="…/LJSpeech-1.1/metadata.csv to write; wavs/ comes beside it"
    )
    given = parser.parse_args()
    release = Release(given.url, given.sha256) if given.url and given.sha256 else RELEASE
    fetch_archive(LJSPEECH, release, given.archive, given.output.parent)


if __name__ == "__main__":
    run_program(main)
