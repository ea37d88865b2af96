"""Measure the energy of a system against batch size and precision; a row for each pair."""

import argparse
import logging
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.measurement.sweep import sweep_energy, write_sweep
from vocoder_pareto.measurement.trained_weights import bench_with_checkpoint
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings, SweepSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="weights of the system")
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy (of cut_energy_clips.py)")
    parser.add_argument("--energy-settings", type=json_or_file, default={}, help="section energy, JSON or @file")
    parser.add_argument(
        "--sweep-settings", type=json_or_file, default={}, help="section measurements.sweep, JSON or @file"
    )
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the sampler's noise and the pauses (default: %(default)s)"
    )
    parser.add_argument(
        "--output-records", type=Path, help="folder to write measurements in, and to take those of earlier weights from"
    )
    parser.add_argument(
        "--output", type=Path, required=True, help="CSV file to write (a row per batch size and precision)"
    )
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    settings = settings_from(EnergySettings, arguments.energy_settings, "energy")
    sweep = settings_from(SweepSettings, arguments.sweep_settings, "measurements.sweep")
    bench = bench_with_checkpoint(
        arguments.checkpoint,
        settings_from(SystemSettings, arguments.system, "models"),
        None,
        arguments.mels,
        settings_from(MeterSettings, arguments.meter_settings, "meter"),
        arguments.device,
    )
    rows = sweep_energy(bench, settings, sweep, arguments.seed, arguments.output_records)
    write_sweep(arguments.output, rows)


if __name__ == "__main__":
    run_program(main)
