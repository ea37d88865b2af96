"""Measure the energy and time that a front end needs per second of audio on this machine."""

import argparse
import logging
from functools import partial
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.files import write_json
from vocoder_pareto.measurement.front_end_energy import bench_with_recordings
from vocoder_pareto.measurement.work_energy import measure_work
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_from


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--front-end", required=True, help="name of the front end")
    parser.add_argument("--front-end-settings", type=json_or_file, default={}, help="one of front_ends, JSON or @file")
    parser.add_argument("--clips", type=Path, required=True, help="clips.npy (of cut_energy_clips.py)")
    parser.add_argument("--energy-settings", type=json_or_file, default={}, help="section energy, JSON or @file")
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="seed of the pauses (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    open_bench = partial(
        bench_with_recordings,
        arguments.front_end,
        settings_from(FrontEndSettings, arguments.front_end_settings, f"front_ends.{arguments.front_end}"),
        arguments.clips,
        settings_from(MeterSettings, arguments.meter_settings, "meter"),
        arguments.device,
    )
    settings = settings_from(EnergySettings, arguments.energy_settings, "energy")
    write_json(arguments.output, measure_work(open_bench, settings, arguments.seed))


if __name__ == "__main__":
    run_program(main)
