"""Check that a vocoder does what the study asks of one, and say what to mend where it does not.

  vocoder-pareto check my_vocoder.py:MyVocoder
  vocoder-pareto check my_vocoder.py:MyVocoder --front-end vocos_24k
  vocoder-pareto check --config-files my_study.yaml --system-name mine-S

The exit status is 1 where something is to be mended. All of it is done on the CPU, with the weights that the class has
once it is built; a GPU, if there is one, is tried too.
"""

import argparse
from pathlib import Path

from vocoder_pareto.commands.extras import needs
from vocoder_pareto.errors import UserError
from vocoder_pareto.workflow_files import workflow_folder

HELP = "check that a vocoder of your own can be measured, trained and compared"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the flags of this command."""
    parser.add_argument("vocoder", nargs="?", help="path/to/file.py:Class, or package.module.Class")
    parser.add_argument("--front-end", help="name of the front end (default: paper)")
    parser.add_argument("--objective", help="import path of the class that trains it (default: it is not trained)")
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    parser.add_argument("--system-name", help="name of a system (in place of an import path)")


def run(arguments: argparse.Namespace) -> None:
    """Check the vocoder, and print a line for each check.

    Raises:
        UserError: Something is to be mended, or there is no such vocoder.
    """
    with needs("measure"):
        import vocoder_pareto.passive_threads  # noqa: F401 - before PyTorch is imported
        from vocoder_pareto.conformance.chosen import chosen_candidate
        from vocoder_pareto.conformance.report import check_vocoder
    candidate = chosen_candidate(
        [workflow_folder() / "config.yaml", *arguments.config_files],
        arguments.vocoder,
        arguments.system_name,
        arguments.front_end,
        arguments.objective,
    )
    findings = []
    for finding in check_vocoder(candidate):
        findings.append(finding)
        print(finding, flush=True)
    if to_mend := [finding.check for finding in findings if finding.verdict == "mend"]:
        raise UserError(f"{candidate.system.vocoder}: {len(to_mend)} of {len(findings)} checks ask for a mend: "
                        f"{', '.join(to_mend)}")  # fmt: skip
    print(f"{candidate.system.vocoder} does what the study asks of a vocoder.")
