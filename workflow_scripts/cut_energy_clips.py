"""Cut the clips that energy is measured with from recordings of the test set, and compute their mel-spectrograms."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.measurement.energy_clips import cut_energy_clips
from vocoder_pareto.program import json_or_file, run_program
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
    parser.add_argument("--clip-count", type=int, required=True, help="how many clips to make")
    parser.add_argument("--clip-seconds", type=float, required=True, help="seconds of the clip (each)")
    parser.add_argument("--output-clips", type=Path, required=True, help="clips.npy to write")
    parser.add_argument("--output-mels", type=Path, required=True, help="mels.npy to write")
    parser.add_argument("--output-mel-ranges", type=Path, required=True, help="mel_ranges.npy to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    cut_energy_clips(
        arguments.corpus,
        arguments.clip_table,
        arguments.mel_stats,
        settings_from(DatasetSettings, arguments.dataset_settings, "dataset"),
        settings_from(FrontEndSettings, arguments.front_end_settings, "front_ends"),
        clip_count=arguments.clip_count,
        clip_seconds=arguments.clip_seconds,
        clips=arguments.output_clips,
        mels=arguments.output_mels,
        mel_ranges=arguments.output_mel_ranges,
    )


if __name__ == "__main__":
    run_program(main)
