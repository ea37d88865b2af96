# What is checked and told when Snakemake starts, and at its end.
import sys

from snakemake.logging import logger

from vocoder_pareto.audio.dataset_summary import DatasetSummary
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import require_writable
from vocoder_pareto.study import known_results, studied_systems, targets
from vocoder_pareto.study.companions import set_aside_if_damaged
from vocoder_pareto.study.early_checks import are_without_published_mos


def require_targets_in_results():
    """Refuse targets below the usual folder of results where another one is configured."""
    if workflow.is_main_process and not IS_MODULE:
        try:
            targets.require_targets_in(RESULTS, sys.argv[1:])
        except UserError as error:
            raise WorkflowError(str(error)) from None


def require_results_writable():
    """Fail before the first job, where Snakemake itself would end with a traceback."""
    try:
        require_writable(RESULTS, "results_dir")
    except UserError as error:
        raise WorkflowError(str(error)) from None


def results_folder():
    """The folder of results as Snakemake names it: below the prefix of a module."""
    return os.path.dirname(rules.record_provenance.output.provenance)


def require_known_results():
    """Refuse results that were copied here without Snakemake's records of them.

    A process that a cluster starts for a job, or Snakemake for a group, asks nothing: the one that started it has.
    """
    if workflow.is_main_process:
        try:
            known_results.require_known(results_folder(), ".snakemake", sys.argv[1:])
        except UserError as error:
            raise WorkflowError(str(error)) from None


def in_use():
    """The files that another Snakemake reads or writes in this folder, by its locks."""
    try:
        return {file for lock in Path(".snakemake/locks").glob("*.lock") for file in lock.read_text().splitlines()}
    except OSError:
        return set()


def set_damaged_aside(outputs):
    """Let Snakemake make an output again that vouches for files beside it which are missing or have another size.

    Not so an output in use: its job is at work, or another one reads it.
    """
    if workflow.is_main_process:
        busy = in_use()
        for output in (str(each) for each in outputs if str(each) not in busy):
            try:
                if damage := set_aside_if_damaged(output):
                    logger.warning(damage)
            except UserError as error:
                logger.warning(str(error))


def require_cores_counted():
    """Refuse `--jobs` on one machine: beside `cores` of profiles/default it would let energy jobs run beside others."""
    if ON_A_CLUSTER and workflow.local_exec:
        raise WorkflowError("--jobs (-j) counts the jobs of a cluster; on one machine, set --cores (-c) instead")


def say_if_no_mos_will_be_drawn():
    """Tell at the start that fronts of MOS will be empty: what else is measured is worth its hours, or not."""
    draws = any(job.rule.name.endswith("draw_pareto") for job in workflow.dag.needrun_jobs())
    rated_here = LISTENING["responses"] or LISTENING["simulate"]
    if draws and not rated_here and are_without_published_mos(SYSTEMS, f"{RESOURCES}/published/table1_quality.csv"):
        print(
            f"No system of this study has a published MOS ({', '.join(SYSTEMS)}), so the figures of MOS will show none. "
            "Rate them (listening_test.responses), or draw other objectives (pareto.objectives).",
            file=sys.stderr,
        )


def say_whose_weights_are_random():
    """Tell at the start which systems have a cost alone, since nothing trains them and no weights are given."""
    if names := studied_systems.systems_of_random_weights(config):
        print(
            f"Random weights: {', '.join(names)}, which nothing trains and no weights are given for; what they cost is "
            "measured, and their audio is not judged. Set weights, training.checkpoint or an objective of their models.",
            file=sys.stderr,
        )


def say_where_the_protocol_is_short():
    """Tell at the start that energy will be measured by a short protocol: hours later it is too late."""
    shortfalls = ENERGY.shortfalls()
    measures = any(job.rule.name == "measure_energy" for job in workflow.dag.needrun_jobs())
    if measures and shortfalls:
        print(
            f"The energy protocol is short ({', '.join(shortfalls)}), so its results will say `not_publishable`. "
            "For results to publish: --configfile presets/full_energy.yaml and your own files after it.",
            file=sys.stderr,
        )


def say_what_became_of_the_recordings():
    """Tell it here, too, where the job that found out has told another machine."""
    summary = f"{results_folder()}/dataset/{FRONT_ENDS[0]}/dataset_summary.json"
    if ON_A_CLUSTER and os.path.exists(summary):
        for remark in DatasetSummary.read(summary).remarks():
            print(f"Dataset: {remark.text}.", file=sys.stderr)


def say_that_nothing_was_made():
    """Tell it after `--touch`, which ends in the same words as a study that was made."""
    if workflow.touch:
        print(
            "Nothing was made: --touch took over the results that were there, recorded as made by the present code and "
            "settings, whatever made them. To make them anew: --forceall without --touch.",
            file=sys.stderr,
        )


onstart:
    require_cores_counted()
    require_results_writable()
    known_results.sign(results_folder(), ".snakemake")
    say_where_the_protocol_is_short()
    say_if_no_mos_will_be_drawn()
    say_whose_weights_are_random()


onsuccess:
    say_that_nothing_was_made()
    say_what_became_of_the_recordings()


onerror:
    say_what_became_of_the_recordings()
