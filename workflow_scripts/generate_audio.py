"""Generate the audio of the test set with a trained vocoder: a wav per utterance, then manifest.csv."""

import argparse
from pathlib import Path

from vocoder_pareto.audio.front_end import front_end_of
from vocoder_pareto.device import resolve_device
from vocoder_pareto.generation.test_set import generate_test_set
from vocoder_pareto.program import int_or_null, json_or_file, run_program
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="weights of the system")
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy (of prepare_utterances.py)")
    parser.add_argument("--mel-stats", type=Path, required=True, help="mel_stats.json of compute_mels.py")
    parser.add_argument("--utterance-table", type=Path, required=True, help="utterances.csv of prepare_utterances.py")
    parser.add_argument("--batch-size", type=int, default=1, help="clips at once (default: %(default)s)")
    parser.add_argument(
        "--chunk-frames",
        type=int_or_null,
        help="frames of the chunks of longer utterances (null for whole ones, the default)",
    )
    parser.add_argument("--compared-rate", type=int, required=True, help="samples per second of audio to compare")
    parser.add_argument("--seed", type=int, default=0, help="seed of all noise (default: %(default)s)")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="manifest.csv to write; the wavs come beside it")
    arguments = parser.parse_args()
    generate_test_set(
        arguments.checkpoint,
        settings_from(SystemSettings, arguments.system, "system"),
        arguments.mels,
        arguments.utterance_table,
        arguments.output,
        seed=arguments.seed,
        batch_size=arguments.batch_size,
        chunk_frames=arguments.chunk_frames,
        compared_rate=arguments.compared_rate,
        front_end=front_end_of(arguments.mel_stats),
        device=resolve_device(arguments.device),
    )


if __name__ == "__main__":
    run_program(main)
