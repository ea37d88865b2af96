"""Compute what vocoders take in of each clip, by the settings of a front end: its mel-spectrogram, or its samples."""

import argparse
from pathlib import Path

from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="clips.npy (of prepare_clips.py)")
    parser.add_argument("--clip-table", type=Path, required=True, help="clips.csv of prepare_clips.py")
    parser.add_argument("--front-end-settings", type=json_or_file, default={}, help="one of front_ends, JSON or @file")
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: %(default)s)")
    parser.add_argument("--output-mels", type=Path, required=True, help="mels.npy to write")
    parser.add_argument("--output-mel-ranges", type=Path, required=True, help="mel_ranges.npy to write")
    parser.add_argument("--output-mel-stats", type=Path, required=True, help="mel_stats.json to write")
    arguments = parser.parse_args()
    compute_mels(
        arguments.clips,
        arguments.clip_table,
        settings_from(FrontEndSettings, arguments.front_end_settings, "front_ends"),
        processes=arguments.processes,
        mels=arguments.output_mels,
        ranges=arguments.output_mel_ranges,
        stats=arguments.output_mel_stats,
    )


if __name__ == "__main__":
    run_program(main)
