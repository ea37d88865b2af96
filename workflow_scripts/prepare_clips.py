"""Cut the beginning of each recording of a corpus into clips of equal length at one sample rate, and split them."""

import argparse

from vocoder_pareto.audio.clips import prepare_clips
from vocoder_pareto.audio.corpora import expected_sample_rate, list_corpus
from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--source", choices=("synthetic", "ljspeech", "folder"), required=True, help="kind of corpus")
    parser.add_argument("--corpus", required=True, help="folder of the corpus")
    parser.add_argument("--format", type=json_or_file, default={}, help="JSON of sample_rate, clip_samples, … or @file")
    parser.add_argument("--clips-limit", type=int, help="use the first so many recordings (default: all)")
    parser.add_argument("--on-bad-clip", choices=("error", "skip"), default="error", help="default: error")
    parser.add_argument("--test-share", type=float, default=0.2, help="last part in sorted order (default: 0.2)")
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: 1)")
    parser.add_argument("--clips", required=True, help="clips.npy to write")
    parser.add_argument("--table", required=True, help="clips.csv to write")
    parser.add_argument("--skipped", required=True, help="skipped.csv to write")
    arguments = parser.parse_args()
    prepare_clips(
        arguments.corpus,
        list_corpus(arguments.source, arguments.corpus, arguments.clips_limit),
        settings_from(AudioFormat, arguments.format, "dataset"),
        expected_rate=expected_sample_rate(arguments.source),
        on_bad_clip=arguments.on_bad_clip,
        test_share=arguments.test_share,
        processes=arguments.processes,
        clips=arguments.clips,
        table=arguments.table,
        skipped=arguments.skipped,
    )


if __name__ == "__main__":
    run(main)
