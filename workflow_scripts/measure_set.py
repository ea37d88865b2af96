"""Measure the energy of all systems of a configuration on this machine, in random order, and store the raw records.

Each call is one run: call it twice to learn how far runs are apart. The weights are random, since what is computed does
not depend on their values; so nothing has to be trained. A call that was broken off goes on where it stopped.
"""

import argparse
from functools import partial
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.measurement.energy import measure_in_processes
from vocoder_pareto.measurement.measured_set import folder_of, measure_run
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.measurement.random_weights import bench_with_random_weights, name_of_device
from vocoder_pareto.program import Parser, run_program
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.sections.measurement import EnergySettings, MeterSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.studied_systems import systems_of
from vocoder_pareto.study.systems import SystemSettings

CONFIG = Path(__file__).resolve().parents[1] / "config.yaml"


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N (default: %(default)s)")
    parser.add_argument(
        "--output", type=Path, required=True, help="folder of the sets to write in (resources/measured)"
    )
    arguments = parser.parse_args()
    config = read_configuration([CONFIG, *arguments.config_files])
    systems = systems_of(config)
    settings = settings_from(EnergySettings, config["energy"], "energy")
    meter, seed = settings_from(MeterSettings, config["meter"], "meter"), config["seed"]

    def measure(system: SystemSettings) -> dict:
        bench = partial(bench_with_random_weights, system, settings, meter, arguments.device, seed)
        return measure_in_processes(bench, settings, seed)

    name = in_own_process(name_of_device, arguments.device)  # this process must not be on the GPU
    finished = measure_run(arguments.output / folder_of(name), systems, measure, seed)
    print(f"{finished}: {len(systems)} systems")


if __name__ == "__main__":
    run_program(main)
