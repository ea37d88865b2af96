"""Compute what vocoders take in of each utterance that is judged: a recording of the test set, or its beginning."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.audio.judged_mels import prepare_utterances
from vocoder_pareto.program import float_or_null, int_or_null, json_or_file, run_program
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset-settings", type=json_or_file, required=True, help="section dataset, JSON or @file")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--clip-table", type=Path, required=True, help="clips.csv of prepare_clips.py")
    parser.add_argument("--mel-stats", type=Path, required=True, help="mel_stats.json of compute_mels.py")
    parser.add_argument("--front-end-settings", type=json_or_file, default={}, help="one of front_ends, JSON or @file")
    parser.add_argument(
        "--max-clips", type=int_or_null, help="clips at most, the first ones (null for all, the default)"
    )
    parser.add_argument(
        "--max-seconds", type=float_or_null, help="seconds of an utterance at most (null for whole ones, the default)"
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: %(default)s)")
    parser.add_argument("--output-utterance-table", type=Path, required=True, help="utterances.csv to write")
    parser.add_argument("--output-mels", type=Path, required=True, help="mels.npy to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    prepare_utterances(
        arguments.corpus,
        arguments.clip_table,
        arguments.mel_stats,
        settings_from(DatasetSettings, arguments.dataset_settings, "dataset"),
        settings_from(FrontEndSettings, arguments.front_end_settings, "front_ends"),
        max_clips=arguments.max_clips,
        max_seconds=arguments.max_seconds,
        processes=arguments.processes,
        table=arguments.output_utterance_table,
        mels=arguments.output_mels,
    )


if __name__ == "__main__":
    run_program(main)
