"""Take the energy of a system from a stored set of measurements instead of measuring it here."""

import argparse
from pathlib import Path

from vocoder_pareto.files import write_json
from vocoder_pareto.measurement.measured_set import adopted
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--measured-set", type=Path, required=True, help="folder such as resources/measured/nvidia-h100-80gb-hbm3"
    )
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument("--precision", required=True, help="what the study measures in: float32, tf32 or bf16")
    parser.add_argument("--batch-size", type=int, required=True, help="clips at once")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    system = settings_from(SystemSettings, arguments.system, "models")
    record = adopted(arguments.measured_set, system, arguments.precision, arguments.batch_size)
    write_json(arguments.output, record)


if __name__ == "__main__":
    run_program(main)
