"""Say which jobs of a study will not run on a Slurm cluster, before they wait in its queue for ever.

Asks Snakemake, in a dry run of all targets, what every job needs, and `sinfo` what the partitions have. Nothing is
submitted. Run it on a login node, with the options that the study will have.
"""

import argparse
import contextlib
import io
import logging
import subprocess
from pathlib import Path

from vocoder_pareto.errors import UserError
from vocoder_pareto.program import Parser, run_program
from vocoder_pareto.study.cluster import SINFO_FORMAT, Job, misfits, read_nodes, too_few_retries
from vocoder_pareto.study.configuration import read_configuration


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="profiles/slurm", help="of Snakemake (default: %(default)s)")
    parser.add_argument(
        "--config-files", type=Path, nargs="*", default=[], help="presets or own files, over config.yaml"
    )
    question = f"sinfo --Node --noheader --format='{SINFO_FORMAT}'".replace("%", "%%")
    parser.add_argument("--sinfo", type=Path, help=f"file with the answer of {question} (default: it is asked here)")
    given = parser.parse_args()
    config = read_configuration(["config.yaml", *given.config_files])
    nodes = read_nodes(given.sinfo.read_text() if given.sinfo else answer_of_sinfo())
    jobs = planned_jobs(given.profile, given.config_files)
    faults = [
        *misfits(jobs, nodes),
        *too_few_retries(config),
    ]
    if faults:
        raise UserError(f"{len(faults)} of this study's demands cannot be met:\n" + "\n".join(faults))
    print(f"All {len(jobs)} jobs fit.")


def answer_of_sinfo() -> str:
    """What `sinfo` says on this machine."""
    try:
        command = ["sinfo", "--Node", "--noheader", f"--format={SINFO_FORMAT}"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise UserError(
            f"sinfo does not answer ({error}); run this on a login node of the cluster, or give --sinfo"
        ) from error


def planned_jobs(profile: str, config_files: list[Path]) -> list[Job]:
    """The jobs that Snakemake would submit for all targets, were nothing done yet."""
    from snakemake.cli import main as snakemake
    from snakemake.logging import logger
    from snakemake_interface_logger_plugins.common import LogEvent

    jobs, errors = [], []

    def listen(record: logging.LogRecord) -> bool:
        if getattr(record, "event", None) is LogEvent.JOB_INFO:
            jobs.append(Job.of(record.rule_name, record.threads, record.resources))
        elif record.levelno >= logging.ERROR:
            errors.append(record.getMessage())
        return False

    logger.addFilter(listen)
    words = [
        "--profile",
        profile,
        "--dry-run",
        "--forceall",
        "--nolock",
        *(["--configfile", *map(str, config_files)] if config_files else []),
    ]
    with contextlib.redirect_stderr(io.StringIO()), contextlib.suppress(SystemExit):
        snakemake(words)
    if errors or not jobs:
        raise UserError("\n".join(errors) or "Snakemake plans no jobs")
    return jobs


if __name__ == "__main__":
    run_program(main)
