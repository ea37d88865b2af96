"""Print the settings of a study as its programs get them, as JSON: all of a system, or one part for one flag.

    python workflow_scripts/show_settings.py --system-name hifigan-L
    python workflow_scripts/show_settings.py --system-name hifigan-L --part system > system.json
    python workflow_scripts/profile_layers.py --system @system.json --output layers.csv

Without --system-name, the sections that are the same for all systems.
"""

import argparse
import json
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json
from vocoder_pareto.program import Parser, run_program
from vocoder_pareto.study import configuration
from vocoder_pareto.study.program_settings import settings_of_study, settings_of_system

CONFIG = Path(__file__).resolve().parents[1] / "config.yaml"


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument("--system-name", help="name of a system (hifigan-L, say)")
    parser.add_argument("--part", help="one part alone, on one line, as the flag of that name takes it")
    arguments = parser.parse_args()
    config = configuration.read_configuration([CONFIG, *arguments.config_files])
    parts = settings_of_study(config)
    if arguments.system_name:
        parts = settings_of_system(config, arguments.system_name) | parts
    if arguments.part is None:
        print(json.dumps(parts, indent=2, ensure_ascii=False))
    elif arguments.part in parts:
        print(canonical_json(parts[arguments.part]))
    else:
        raise UserError(f"--part: {arguments.part!r} is not a part; allowed: {', '.join(parts)}")


if __name__ == "__main__":
    run_program(main)
