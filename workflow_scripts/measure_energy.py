"""Measure the energy, power, time and memory that a system needs per second of audio on this machine."""

import argparse
import logging
from functools import partial
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.digests import file_digest
from vocoder_pareto.measurement.energy import Bench, Subject, measure_in_processes
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.workload import mels_of_test_set
from vocoder_pareto.models.checkpoint import load_vocoder
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", type=Path, required=True, help="weights of the system")
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument(
        "--complexity-measurement", type=Path, required=True, help="JSON file of measure_complexity.py (for the FLOPs)"
    )
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy of compute_mels.py")
    parser.add_argument("--clip-table", type=Path, required=True, help="clips.csv of prepare_clips.py")
    parser.add_argument("--energy-settings", type=json_or_file, default={}, help="section energy, JSON or @file")
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the sampler's noise and the pauses (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    settings = settings_from(EnergySettings, arguments.energy_settings, "energy")
    write_json(arguments.output, measure_in_processes(partial(bench, arguments), settings, arguments.seed))


def bench(arguments: argparse.Namespace) -> Bench:
    """Load what is measured, and open the meter."""
    system = settings_from(SystemSettings, arguments.system, "models")
    device = resolve_device(arguments.device)
    meter = open_meter(device, settings_from(MeterSettings, arguments.meter_settings, "meter"))
    vocoder, training_record = load_vocoder(arguments.checkpoint, system)
    mels = mels_of_test_set(arguments.mels, arguments.clip_table, system.n_mels)
    complexity = read_json(arguments.complexity_measurement)
    flops_per_audio_second = complexity["flops"] / complexity["audio_seconds"]
    subject = Subject(vocoder, system, training_record, flops_per_audio_second, mels, file_digest(arguments.checkpoint))
    return Bench(subject, meter, device)


if __name__ == "__main__":
    run_program(main)
