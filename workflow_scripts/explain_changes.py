"""Say why each job of `snakemake --dry-run` would run: which key, module or file changed, and where trainings begin.

    python workflow_scripts/explain_changes.py results/systems.csv --config-files presets/paper.yaml

Nothing is run. It compares what Snakemake recorded with the results to what the rules say now.
"""

import argparse
import contextlib
import io
import json
from pathlib import Path

from vocoder_pareto.errors import UserError, first_line
from vocoder_pareto.program import Parser, run_program
from vocoder_pareto.study.changes import StaleJob, as_text, changes_of_inputs, changes_of_params, first_few


def main() -> None:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("targets", nargs="*", help="files or rules, as Snakemake takes them (default: the whole study)")
    files = "presets or own files, over config.yaml"
    parser.add_argument("--config-files", type=Path, nargs="*", default=[], help=files)
    given = parser.parse_args()
    config = ["--configfile", *map(str, given.config_files)] if given.config_files else []
    workflow = planned([*given.targets, *config])
    ordered = (job for level in workflow.dag.toposorted() for job in sorted(level, key=str))
    jobs = [job for job in ordered if job.output and workflow.dag.needrun(job)]
    makers = {file: job.rule.name for job in jobs for file in job.output}
    stale = [StaleJob(job.rule.name, job.wildcards_dict, reasons(job, workflow, makers)) for job in jobs]
    print(as_text(stale) if stale else "Nothing would run.")
    for job in jobs:
        if job.rule.name.endswith("train") and makers.keys().isdisjoint(job.input):
            print(f"The training of {job.wildcards.system} {beginning(job)}.")


def planned(words: list[str]):
    """The workflow with its jobs, as the command `snakemake` with these words plans it, profile included."""
    from snakemake.api import SnakemakeApi
    from snakemake.cli import parse_args
    from snakemake.logging import logger
    from snakemake.settings.types import ChangeType, ConfigSettings, DAGSettings, ResourceSettings

    logger.addFilter(lambda record: False)
    with contextlib.redirect_stderr(io.StringIO()), contextlib.redirect_stdout(io.StringIO()), SnakemakeApi() as api:
        _, read = parse_args(words)
        try:
            workflow = api.workflow(
                resource_settings=ResourceSettings(cores=read.cores, resources=read.resources),
                config_settings=ConfigSettings(configfiles=read.configfile),
            )
            settings = DAGSettings(targets=read.targets, rerun_triggers=read.rerun_triggers, force_incomplete=True)
            workflow.dag(settings).list_changes(ChangeType.PARAMS)  # plans all jobs, and runs none
        except Exception as error:  # of any kind, since the rules are code
            raise UserError(str(error) or type(error).__name__) from error
        return workflow._workflow  # Snakemake's API tells no reasons


def reasons(job, workflow, makers: dict[str, str]) -> tuple[str, ...]:
    """Why a job would run, in words; `makers` are the rules of the files that other jobs would make before."""
    reason, recorded = workflow.dag.reason(job), workflow.persistence
    words = ["its outputs are incomplete"] if reason.forced else []
    words += ["the command of its rule changed"] if reason.code_changed else []
    missing = sorted(file for file in job.output if not Path(file).exists())
    words += [f"missing: {first_few(missing, 2)}"] if missing else []
    words += [f"input: {file} changed" for file in sorted(reason.updated_input - reason.updated_input_run)]
    words += changes_of_inputs(recorded.input(job.output[0]), job.input) if reason.input_changed else []
    for file in list(recorded.params_changed(job))[:1]:  # where a job follows another, Snakemake does not look
        words += changes_of_params(
            job.rule.name, recorded.params(file), dict(job.params.items()), job.non_derived_params
        )
    followed = sorted({makers[file] for file in reason.updated_input_run if file in makers})
    words += [f"follows: {first_few(followed)}"] if followed else []
    return tuple(words or [str(reason)])


def beginning(job) -> str:
    """Where the training of a job would begin, in words."""
    try:
        from vocoder_pareto.training.other_code import beginning_of
    except ImportError as error:  # Snakemake's environment need not have what jobs have
        return f"is not looked into ({first_line(error)})"
    settings = json.loads(job.params.system), json.loads(job.params.training_settings)
    files = map(Path, [job.input.clips, job.input.clip_table, job.input.mels, job.params.state])
    return beginning_of(*settings, *files, job.params.seed)


if __name__ == "__main__":
    run_program(main)
