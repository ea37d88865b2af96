"""Cut the beginning of each recording of a corpus into clips of equal length at one sample rate, and split them."""

import argparse

from vocoder_pareto.audio.clips import prepare_clips
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--dataset",
        type=json_or_file,
        required=True,
        help='source ("synthetic", "ljspeech" or "folder"), clips, test_share, on_bad_clip, … as JSON or @file',
    )
    parser.add_argument("--corpus", required=True, help="folder of the corpus")
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: 1)")
    parser.add_argument("--clips", required=True, help="clips.npy to write")
    parser.add_argument("--table", required=True, help="clips.csv to write")
    parser.add_argument("--skipped", required=True, help="skipped.csv to write")
    arguments = parser.parse_args()
    prepare_clips(
        arguments.corpus,
        settings_from(DatasetSettings, arguments.dataset, "dataset"),
        processes=arguments.processes,
        clips=arguments.clips,
        table=arguments.table,
        skipped=arguments.skipped,
    )


if __name__ == "__main__":
    run(main)
