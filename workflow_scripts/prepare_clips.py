"""Cut the beginning of each recording of a corpus into clips of equal length at one sample rate, and split them."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.audio.clips import prepare_clips
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--dataset-settings", type=json_or_file, required=True, help="section dataset, JSON or @file")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the corpus")
    parser.add_argument("--sample-rate", type=int, required=True, help="samples per second of clips")
    parser.add_argument("--clip-samples", type=int, required=True, help="samples of a clip")
    parser.add_argument("--test-list", type=Path, nargs="?", help="file that names the test set, if one does")
    parser.add_argument("--seed", type=int, default=0, help="seed of a random split (default: %(default)s)")
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: %(default)s)")
    parser.add_argument("--output-clips", type=Path, required=True, help="clips.npy to write")
    parser.add_argument("--output-clip-table", type=Path, required=True, help="clips.csv to write")
    parser.add_argument("--output-skipped", type=Path, required=True, help="skipped.csv to write")
    parser.add_argument("--output-dataset-summary", type=Path, required=True, help="dataset_summary.json to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    prepare_clips(
        arguments.corpus,
        settings_from(DatasetSettings, arguments.dataset_settings, "dataset"),
        sample_rate=arguments.sample_rate,
        clip_samples=arguments.clip_samples,
        seed=arguments.seed,
        processes=arguments.processes,
        clips=arguments.output_clips,
        table=arguments.output_clip_table,
        skipped=arguments.output_skipped,
        summary=arguments.output_dataset_summary,
        test_list=arguments.test_list,
    )


if __name__ == "__main__":
    run_program(main)
