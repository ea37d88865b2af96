"""Measure a system in other forms than PyTorch's, and chunk by chunk as a stream; a row for each."""

import argparse
import logging
from functools import partial
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.measurement.deployment_sweep import sweep_chunks, sweep_forms, write_chunks, write_forms
from vocoder_pareto.measurement.trained_weights import bench_with_checkpoint
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.measurement import DeploymentSettings, EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="weights of the system")
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy (of cut_energy_clips.py)")
    parser.add_argument("--energy-settings", type=json_or_file, default={}, help="section energy, JSON or @file")
    parser.add_argument(
        "--deployment-settings", type=json_or_file, default={}, help="section measurements.deployment, JSON or @file"
    )
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the sampler's noise and the pauses (default: %(default)s)"
    )
    parser.add_argument("--output-forms", type=Path, required=True, help="CSV file to write (a row per form)")
    parser.add_argument("--output-chunks", type=Path, required=True, help="CSV file to write (a row per chunk length)")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    settings = settings_from(EnergySettings, arguments.energy_settings, "energy")
    deployment = settings_from(DeploymentSettings, arguments.deployment_settings, "measurements.deployment")
    open_bench = partial(
        bench_with_checkpoint,
        arguments.checkpoint,
        settings_from(SystemSettings, arguments.system, "models"),
        None,
        arguments.mels,
        settings_from(MeterSettings, arguments.meter_settings, "meter"),
        arguments.device,
    )
    write_forms(arguments.output_forms, sweep_forms(open_bench, settings, deployment, arguments.seed))
    write_chunks(arguments.output_chunks, sweep_chunks(open_bench, settings, deployment, arguments.seed))


if __name__ == "__main__":
    run_program(main)
