"""Train one system within its budget. Run it again after any interruption: it resumes from its last state."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import CarbonSettings, TrainingSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.job import TrainingJob, TrainingOutputs
from vocoder_pareto.training.train import train


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", type=json_or_file, required=True, help="what to train, JSON or @file")
    parser.add_argument(
        "--training-settings", type=json_or_file, required=True, help="budget, batch size, precision, JSON or @file"
    )
    parser.add_argument("--clips", type=Path, required=True, help="clips.npy")
    parser.add_argument("--table", type=Path, required=True, help="clips.csv")
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy")
    parser.add_argument("--meter", type=json_or_file, default={}, help="settings of the energy meter, JSON or @file")
    parser.add_argument("--carbon", type=json_or_file, default={}, help="emissions per energy, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto | cpu | cuda | cuda:N (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of weights, order and noise (default: %(default)s)")
    parser.add_argument("--state", type=Path, required=True, help="folder for the resumable state")
    parser.add_argument("--checkpoint", type=Path, required=True, help="checkpoint for inference to write")
    parser.add_argument("--summary", type=Path, required=True, help="JSON summary of the run to write")
    parser.add_argument("--metrics", type=Path, required=True, help="CSV of the training curve to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    job = TrainingJob(
        system=settings_from(SystemSettings, arguments.system, "models"),
        settings=settings_from(TrainingSettings, arguments.training_settings, "training"),
        clips=arguments.clips,
        table=arguments.table,
        mels=arguments.mels,
        state_root=arguments.state,
        device=arguments.device,
        seed=arguments.seed,
        meter=settings_from(MeterSettings, arguments.meter, "meter"),
        carbon=settings_from(CarbonSettings, arguments.carbon, "carbon"),
    )
    train(job, TrainingOutputs(arguments.checkpoint, arguments.summary, arguments.metrics))


if __name__ == "__main__":
    run(main)
