"""Compute the log-mel-spectrogram of each clip, log(1 + mel power), and map it to [0, 1]."""

import argparse

from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.audio.mels import compute_mels
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clips", required=True, help="clips.npy")
    parser.add_argument("--table", required=True, help="clips.csv")
    parser.add_argument("--format", type=json_or_file, default={}, help="JSON of n_fft, hop_length, n_mels, … or @file")
    parser.add_argument(
        "--normalization",
        choices=("per_spectrogram", "dataset"),
        default="per_spectrogram",
        help="whose minimum and maximum become 0 and 1 (default: per_spectrogram)",
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: 1)")
    parser.add_argument("--mels", required=True, help="mels.npy to write")
    parser.add_argument("--ranges", required=True, help="mel_ranges.npy to write")
    parser.add_argument("--stats", required=True, help="mel_stats.json to write")
    arguments = parser.parse_args()
    compute_mels(
        arguments.clips,
        arguments.table,
        settings_from(AudioFormat, arguments.format, "mel"),
        arguments.normalization,
        processes=arguments.processes,
        mels=arguments.mels,
        ranges=arguments.ranges,
        stats=arguments.stats,
    )


if __name__ == "__main__":
    run(main)
