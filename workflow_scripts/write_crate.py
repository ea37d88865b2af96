"""Write ro-crate-metadata.json: the results as a Workflow Run RO-Crate, with the workflow and its configuration."""

import argparse
from datetime import UTC, datetime
from pathlib import Path

from vocoder_pareto.files import read_json
from vocoder_pareto.program import run_program
from vocoder_pareto.study.research_crate import CrateInputs, write_crate


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--result-files", type=Path, nargs="+", required=True, help="files of the study to describe")
    parser.add_argument("--workflow-files", type=Path, nargs="+", required=True, help="Snakefile, then its rules")
    parser.add_argument("--provenance", type=Path, required=True, help="provenance.json of record_provenance.py")
    parser.add_argument(
        "--output", type=Path, required=True, help="ro-crate-metadata.json to write, workflow/ beside it"
    )
    arguments = parser.parse_args()
    inputs = CrateInputs(arguments.result_files, arguments.workflow_files, read_json(arguments.provenance))
    write_crate(inputs, arguments.output.parent, datetime.now(UTC))


if __name__ == "__main__":
    run_program(main)
