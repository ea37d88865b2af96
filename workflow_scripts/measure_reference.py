"""Measure the energy and time that a reference system needs per second of audio on the CPU of this machine."""

import argparse
import logging
from functools import partial
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.files import write_json
from vocoder_pareto.measurement.reference_energy import bench_with_griffin_lim, bench_with_world
from vocoder_pareto.measurement.work_energy import measure_work
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import RECONSTRUCTIONS, WORLD


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--reference", choices=RECONSTRUCTIONS, required=True, help="the reference system")
    parser.add_argument("--clips", type=Path, required=True, help="clips.npy (of cut_energy_clips.py, for world)")
    parser.add_argument("--mels", type=Path, required=True, help="mels.npy (of cut_energy_clips.py, for griffin_lim)")
    parser.add_argument("--mel-ranges", type=Path, required=True, help="mel_ranges.npy of cut_energy_clips.py")
    parser.add_argument("--front-end-settings", type=json_or_file, default={}, help="one of front_ends, JSON or @file")
    parser.add_argument("--compared-rate", type=int, required=True, help="samples per second of audio to compare")
    parser.add_argument("--iterations", type=int, default=60, help="iterations of Griffin-Lim (default: %(default)s)")
    parser.add_argument("--energy-settings", type=json_or_file, default={}, help="section energy, JSON or @file")
    parser.add_argument("--meter-settings", type=json_or_file, default={}, help="section meter, JSON or @file")
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=0, help="seed of the initial phases and the pauses (default: %(default)s)"
    )
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    given = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
    meter = settings_from(MeterSettings, given.meter_settings, "meter")
    front_end = settings_from(FrontEndSettings, given.front_end_settings, "front_ends")
    if given.reference == WORLD:
        rates = front_end.sample_rate, given.compared_rate
        open_bench = partial(bench_with_world, given.clips, *rates, meter, given.device)
    else:
        mels = given.mels, given.mel_ranges
        options = given.iterations, given.seed, meter, given.device
        open_bench = partial(bench_with_griffin_lim, *mels, front_end, *options)
    settings = settings_from(EnergySettings, given.energy_settings, "energy")
    write_json(given.output, measure_work(open_bench, settings, given.seed))


if __name__ == "__main__":
    run_program(main)
