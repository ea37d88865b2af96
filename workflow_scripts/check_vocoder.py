"""Check that a vocoder does what the study asks of one, and say what to mend where it does not.

    python workflow_scripts/check_vocoder.py my_vocoder.py:MyVocoder
    python workflow_scripts/check_vocoder.py my_vocoder.py:MyVocoder --front-end vocos_24k
    python workflow_scripts/check_vocoder.py --config-files my_study.yaml --system-name mine-S

The exit status is 1 where something is to be mended. All of it is done on the CPU, with the weights that the class has
once it is built; a GPU, if there is one, is tried too.
"""

import argparse
from pathlib import Path

import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
from vocoder_pareto.conformance.candidate import Candidate
from vocoder_pareto.conformance.chosen import chosen_candidate
from vocoder_pareto.conformance.report import check_vocoder
from vocoder_pareto.errors import UserError
from vocoder_pareto.program import run_program

CONFIG = Path(__file__).resolve().parents[1] / "config.yaml"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("vocoder", nargs="?", help="path/to/file.py:Class, or package.module.Class")
    parser.add_argument("--front-end", help="name of the front end (default: paper)")
    parser.add_argument("--objective", help="import path of the class that trains it (default: it is not trained)")
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument("--system-name", help="name of a system (in place of an import path)")
    given = parser.parse_args()
    candidate: Candidate = chosen_candidate(
        [CONFIG, *given.config_files], given.vocoder, given.system_name, given.front_end, given.objective
    )
    findings = []
    for finding in check_vocoder(candidate):
        findings.append(finding)
        print(finding, flush=True)
    if to_mend := [finding.check for finding in findings if finding.verdict == "mend"]:
        raise UserError(f"{candidate.system.vocoder}: {len(to_mend)} of {len(findings)} checks ask for a mend: "
                        f"{', '.join(to_mend)}")  # fmt: skip
    print(f"{candidate.system.vocoder} does what the study asks of a vocoder.")


if __name__ == "__main__":
    run_program(main)
