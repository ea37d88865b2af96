"""Measure the energy of a system against batch size and precision; a row for each pair."""

import argparse

from vocoder_pareto.device import resolve_device
from vocoder_pareto.measurement.energy import Subject
from vocoder_pareto.measurement.meter import open_meter
from vocoder_pareto.measurement.sweep import sweep_energy, write_sweep
from vocoder_pareto.measurement.workload import mels_of_test_set
from vocoder_pareto.models.checkpoint import load_vocoder
from vocoder_pareto.program import json_or_file, run
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings, SweepSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checkpoint", required=True, help="weights of the system")
    parser.add_argument("--system", type=json_or_file, required=True, help="SystemSettings, as JSON or @file")
    parser.add_argument("--mels", required=True, help="mels.npy")
    parser.add_argument("--table", required=True, help="clips.csv")
    parser.add_argument("--protocol", type=json_or_file, default={}, help="the config's section energy, JSON or @file")
    parser.add_argument("--sweep", type=json_or_file, default={}, help="the config's measurements.sweep, JSON or @file")
    parser.add_argument("--meter", type=json_or_file, default={}, help="the config's section meter, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto | cpu | cuda:N (default: %(default)s)")
    parser.add_argument("--seed", type=int, default=0, help="of the sampler's noise and of the pauses")
    parser.add_argument("--output", required=True, help="CSV file to write")
    arguments = parser.parse_args()
    system = settings_from(SystemSettings, arguments.system, "models")
    settings = settings_from(EnergySettings, arguments.protocol, "energy")
    sweep = settings_from(SweepSettings, arguments.sweep, "measurements.sweep")
    device = resolve_device(arguments.device)
    meter = open_meter(device, settings_from(MeterSettings, arguments.meter, "meter"))
    vocoder, training = load_vocoder(arguments.checkpoint, system)
    mels = mels_of_test_set(arguments.mels, arguments.table, system.n_mels)
    subject = Subject(vocoder, system, training, flops_per_audio_second=None, mels=mels)
    write_sweep(arguments.output, sweep_energy(subject, settings, sweep, meter, device, arguments.seed))


if __name__ == "__main__":
    run(main)
