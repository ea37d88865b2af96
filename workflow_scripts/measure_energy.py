"""Measure the energy, power, time and memory that a system needs per second of audio on this machine."""

import argparse
import logging
from pathlib import Path

from vocoder_pareto.device import resolve_device
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.digests import file_digest
from vocoder_pareto.measurement.energy import Subject, measure_energy
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.records import kept_or_measured, look_up
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
    parser.add_argument(
        "--output-records", type=Path, help="folder to write measurements in, and to take those of earlier weights from"
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s: %(message)s")
    system = settings_from(SystemSettings, arguments.system, "models")
    settings = settings_from(EnergySettings, arguments.energy_settings, "energy")
    device = resolve_device(arguments.device)
    meter = open_meter(device, settings_from(MeterSettings, arguments.meter_settings, "meter"))
    vocoder, training_record = load_vocoder(arguments.checkpoint, system)
    mels = mels_of_test_set(arguments.mels, arguments.clip_table, system.n_mels)
    complexity = read_json(arguments.complexity_measurement)
    flops_per_audio_second = complexity["flops"] / complexity["audio_seconds"]
    subject = Subject(vocoder, system, training_record, flops_per_audio_second, mels, file_digest(arguments.checkpoint))
    measured = (subject, settings, meter, device, arguments.seed)
    place = look_up(arguments.output_records, *measured)
    write_json(arguments.output, kept_or_measured(place, lambda: measure_energy(*measured)))


if __name__ == "__main__":
    run_program(main)
