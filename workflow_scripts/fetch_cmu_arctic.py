"""Download a voice of CMU ARCTIC (about 100 MB, resumable), or take an archive of it, check it and extract it."""

import argparse
from pathlib import Path

from vocoder_pareto.audio.archives import fetch_archive
from vocoder_pareto.audio.cmu_arctic import arctic_corpus, published_arctic
from vocoder_pareto.downloads import Release
from vocoder_pareto.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voice", required=True, help="voice of CMU ARCTIC, such as slt")
    parser.add_argument(
        "--archive", type=Path, nargs="?", help="archive of the corpus, if there is one (default: download it)"
    )
    parser.add_argument("--url", help="address of the archive (default: the published one)")
    parser.add_argument("--sha256", help="checksum of the archive (default: the published one)")
    parser.add_argument(
        "--output", type=Path, required=True, help="…/cmu_us_slt_arctic/metadata.csv to write; wav/ comes beside it"
    )
    given = parser.parse_args()
    release = Release(given.url, given.sha256) if given.url and given.sha256 else published_arctic(given.voice)
    fetch_archive(arctic_corpus(given.voice), release, given.archive, given.output.parent)


if __name__ == "__main__":
    run_program(main)
