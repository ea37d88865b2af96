"""Write what follows from classes: config.yaml down to its models, its schema and reference, and schemas of sets."""

from pathlib import Path

from vocoder_pareto.files import write_text
from vocoder_pareto.measurement.set_schema import FOLDER, schemas
from vocoder_pareto.program import Parser, run_program
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.reference import (
    REFERENCE_FILE,
    SCHEMA_FILE,
    config_text,
    preset_files,
    reference_text,
    schema_text,
)


def main() -> None:
    parser = Parser(description=__doc__)
    project = Path(__file__).resolve().parents[1]
    parser.add_argument("--output", type=Path, default=project, help="project to write in (default: this one)")
    project = parser.parse_args().output
    config = project / "config.yaml"
    write_text(config, config_text(config.read_text(encoding="utf-8")))
    files = preset_files(project / "presets")
    presets = {name: read_configuration([config, *those]) for name, those in files.items()}
    write_text(project / SCHEMA_FILE, schema_text())
    write_text(project / REFERENCE_FILE, reference_text(presets))
    for name, text in schemas().items():
        write_text(project / FOLDER / name, text)


if __name__ == "__main__":
    run_program(main)
