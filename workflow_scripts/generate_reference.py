"""Write a reference system's audio of the test set: the recordings, or what Griffin-Lim or WORLD make of them."""

import argparse
from functools import partial
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before NumPy is imported
from vocoder_pareto.generation.reference_systems import write_griffin_lim, write_ground_truth, write_world
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import GRIFFIN_LIM, REFERENCE_SYSTEMS, WORLD


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", choices=REFERENCE_SYSTEMS, required=True, help="the reference system")
    parser.add_argument("--dataset-settings", type=json_or_file, required=True, help="section dataset, JSON or @file")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of the corpus (not for griffin_lim)")
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy (of prepare_utterances.py, for griffin_lim)")
    parser.add_argument("--utterance-table", type=Path, required=True, help="utterances.csv of prepare_utterances.py")
    parser.add_argument("--front-end-settings", type=json_or_file, default={}, help="one of front_ends, JSON or @file")
    parser.add_argument("--compared-rate", type=int, required=True, help="samples per second of audio to compare")
    parser.add_argument("--iterations", type=int, default=60, help="iterations of Griffin-Lim (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the initial phases of Griffin-Lim (default: %(default)s)"
    )
    parser.add_argument("--processes", type=int, default=1, help="processes that work at once (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="manifest.csv to write; the wavs come beside it")
    given = parser.parse_args()
    if given.reference == GRIFFIN_LIM:
        write_griffin_lim(
            given.mels,
            given.utterance_table,
            given.output,
            settings_from(FrontEndSettings, given.front_end_settings, "front_ends"),
            given.compared_rate,
            iterations=given.iterations,
            seed=given.seed,
            processes=given.processes,
        )
    else:
        channels = settings_from(DatasetSettings, given.dataset_settings, "dataset").channels
        write = partial(write_world, processes=given.processes) if given.reference == WORLD else write_ground_truth
        write(given.corpus, given.utterance_table, given.output, given.compared_rate, channels)


if __name__ == "__main__":
    run_program(main)
