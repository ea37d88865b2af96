"""Download LJSpeech 1.1 (2.6 GB, resumable), or take an archive of it, check it and extract it."""

import argparse
from pathlib import Path

from vocoder_pareto.audio.ljspeech import fetch_ljspeech, published_release
from vocoder_pareto.downloads import Release
from vocoder_pareto.program import run_program


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--archive", type=Path, nargs="?", help="LJSpeech-1.1.tar.bz2, if there is one (default: download it)"
    )
    parser.add_argument("--url", help="address of the archive (default: the one that torchaudio knows)")
    parser.add_argument("--sha256", help="checksum of the archive (default: the one that torchaudio knows)")
    parser.add_argument(
        "--output", type=Path, required=True, help="…/LJSpeech-1.1/metadata.csv to write; wavs/ comes beside it"
    )
    arguments = parser.parse_args()
    given = arguments.url and arguments.sha256
    published = None if given else published_release()
    release = Release(arguments.url or published.url, arguments.sha256 or published.sha256)
    fetch_ljspeech(release, arguments.archive, arguments.output.parent)


if __name__ == "__main__":
    run_program(main)
