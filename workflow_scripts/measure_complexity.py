"""Count the parameters, operations and memory of a system; nothing is computed, so it takes seconds on any machine."""

import argparse
from pathlib import Path

from vocoder_pareto.files import write_json
from vocoder_pareto.measurement.complexity import measure_complexity
from vocoder_pareto.program import json_or_file, run_program
from vocoder_pareto.study.sections.measurement import PublishedConvention
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.systems import SystemSettings


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--system", type=json_or_file, required=True, help="settings of the system, JSON or @file")
    parser.add_argument(
        "--convention-settings",
        type=json_or_file,
        default={},
        help="what the paper's FLOPs of the system counted, JSON or @file",
    )
    parser.add_argument("--clip-seconds", type=float, default=10.0, help="seconds of the clip (default: %(default)s)")
    parser.add_argument("--output", type=Path, required=True, help="JSON file to write")
    arguments = parser.parse_args()
    system = settings_from(SystemSettings, arguments.system, "models")
    where = f"models.{system.model}.published_convention"
    published = settings_from(PublishedConvention, arguments.convention_settings, where)
    write_json(arguments.output, measure_complexity(system, published, arguments.clip_seconds))


if __name__ == "__main__":
    run_program(main)
