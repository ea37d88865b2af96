"""Train one system within its budget. Run it again after any interruption: it resumes from its last state."""

import argparse
import logging
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import CarbonSettings, TrainingSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import system_sampled
from vocoder_pareto.training.job import TrainingJob, TrainingOutputs
from vocoder_pareto.training.weights import obtain_weights


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument("--sampling-settings", type=json_or_file, default={}, help="its sampling, JSON or @file")
    parser.add_argument("--training-settings", type=json_or_file, required=True, help="section training, JSON or @file")
    parser.add_argument("--clips", type=Path, required=True, help="clips.npy (of prepare_clips.py)")
    parser.add_argument("--clip-table", type=Path, required=True, help="clips.csv of prepare_clips.py")
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy (of compute_mels.py)")
    parser.add_argument("--mel-stats", type=Path, required=True, help="mel_stats.json of compute_mels.py")
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--carbon-settings", type=json_or_file, default={}, help="section carbon, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of weights, order and noise (default: %(default)s)")
    parser.add_argument("--output-state", type=Path, required=True, help="folder to write the resumable state in")
    parser.add_argument("--output-checkpoint", type=Path, required=True, help="checkpoint for inference to write")
    parser.add_argument("--output-training-summary", type=Path, required=True, help="JSON file to write")
    parser.add_argument("--output-training-curve", type=Path, required=True, help="CSV file to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    job = TrainingJob(
        system=system_sampled(arguments.system, arguments.sampling_settings),
        settings=settings_from(TrainingSettings, arguments.training_settings, "training"),
        clips=arguments.clips,
        table=arguments.clip_table,
        mels=arguments.mels,
        mel_stats=arguments.mel_stats,
        state_root=arguments.output_state,
        device=arguments.device,
        seed=arguments.seed,
        meter=settings_from(MeterSettings, arguments.meter_settings, "meter"),
        carbon=settings_from(CarbonSettings, arguments.carbon_settings, "carbon"),
    )
    outputs = TrainingOutputs(
        arguments.output_checkpoint, arguments.output_training_summary, arguments.output_training_curve
    )
    obtain_weights(job, outputs)


if __name__ == "__main__":
    run_program(main)
