"""Write a reference system's audio of the test set: `ground_truth` (the clips) or `griffin_lim` (from their mels)."""

import argparse

from vocoder_pareto.audio.format import AudioFormat
from vocoder_pareto.generation.reference_systems import write_griffin_lim, write_ground_truth
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import GRIFFIN_LIM, REFERENCE_SYSTEMS


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", choices=REFERENCE_SYSTEMS, required=True)
    parser.add_argument("--clips", required=True, help="clips.npy, for ground_truth")
    parser.add_argument("--mels", required=True, help="mels.npy, for griffin_lim")
    parser.add_argument("--ranges", required=True, help="mel_ranges.npy, for griffin_lim")
    parser.add_argument("--table", required=True, help="clips.csv")
    parser.add_argument("--format", type=json_or_file, default={}, help="JSON of sample_rate, clip_samples, … or @file")
    parser.add_argument("--clips-limit", type=json_or_file, help="first test clips only, null for all (default)")
    parser.add_argument("--iterations", type=int, default=60, help="of Griffin-Lim (default: 60)")
    parser.add_argument("--seed", type=int, default=0, help="of the initial phases of Griffin-Lim (default: 0)")
    parser.add_argument("--processes", type=int, default=1, help="processes of Griffin-Lim (default: 1)")
    parser.add_argument("--manifest", required=True, help="manifest.csv to write; the wavs come beside it")
    given = parser.parse_args()
    audio_format = settings_from(AudioFormat, given.format, "dataset")
    if given.reference == GRIFFIN_LIM:
        write_griffin_lim(
            given.mels,
            given.ranges,
            given.table,
            given.manifest,
            audio_format,
            limit=given.clips_limit,
            iterations=given.iterations,
            seed=given.seed,
            processes=given.processes,
        )
    else:
        write_ground_truth(given.clips, given.table, given.manifest, audio_format, given.clips_limit)


if __name__ == "__main__":
    run(main)
