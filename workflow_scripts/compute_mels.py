"""Compute the log-mel-spectrogram of each clip, log(1 + mel power), and map it to [0, 1]."""

import argparse
from pathlib import Path

from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", type=Path, required=True, help="clips.npy of prepare_clips.py")
    parser.add_argument("--clip-table", type=Path, required=True, help="clips.csv of prepare_clips.py")
    parser.add_argument("--format-settings", type=json_or_file, default={}, help="lengths and rates, JSON or @file")
    parser.add_argument(
        "--normalization",
        choices=("per_spectrogram", "dataset"),
        default="per_spectrogram",
        help="whose minimum and maximum become 0 and 1 (default: per_spectrogram)",
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: %(default)s)")
    parser.add_argument("--output-mels", type=Path, required=True, help="mels.npy to write")
    parser.add_argument("--output-mel-ranges", type=Path, required=True, help="mel_ranges.npy to write")
    parser.add_argument("--output-mel-stats", type=Path, required=True, help="mel_stats.json to write")
    arguments = parser.parse_args()
    compute_mels(
        arguments.clips,
        arguments.clip_table,
        settings_from(AudioFormat, arguments.format_settings, "mel"),
        arguments.normalization,
        processes=arguments.processes,
        mels=arguments.output_mels,
        ranges=arguments.output_mel_ranges,
        stats=arguments.output_mel_stats,
    )


if __name__ == "__main__":
    run_program(main)
