"""Generate the audio of the test set with a trained vocoder: a wav per clip, then manifest.csv."""

import argparse

from vocoder_pareto.device import resolve_device
from vocoder_pareto.generation.test_set import generate_test_set
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="checkpoint of the vocoder")
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument("--mels", required=True, help="mels.npy")
    parser.add_argument("--table", required=True, help="clips.csv")
    parser.add_argument("--clips-limit", type=json_or_file, help="first test clips only, null for all (default)")
    parser.add_argument("--batch-size", type=int, default=1, help="clips generated at once (default: 1)")
    parser.add_argument(
        "--chunk-frames", type=json_or_file, help="generate longer clips in chunks, null: never (default)"
    )
    parser.add_argument("--seed", type=int, default=0, help="of all noise (default: 0)")
    parser.add_argument("--device", default="auto", help="auto, cpu or cuda:N (default: auto)")
    parser.add_argument("--manifest", required=True, help="manifest.csv to write; the wavs come beside it")
    arguments = parser.parse_args()
    generate_test_set(
        arguments.checkpoint,
        settings_from(SystemSettings, arguments.system, "system"),
        arguments.mels,
        arguments.table,
        arguments.manifest,
        limit=arguments.clips_limit,
        seed=arguments.seed,
        batch_size=arguments.batch_size,
        chunk_frames=arguments.chunk_frames,
        device=resolve_device(arguments.device),
    )


if __name__ == "__main__":
    run(main)
