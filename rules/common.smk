# What all rules share: the checked configuration, its slices, and the version of the code that a rule runs.
import json
import re
import shutil
import sys
from functools import cache

from snakemake.logging import logger

from vocoder_pareto.audio.dataset_summary import DatasetSummary
from vocoder_pareto.audio.split import split_name
from vocoder_pareto.study import configuration, known_results, targets
from vocoder_pareto.study.code_version import code_version as hashes_of_code, module_file
from vocoder_pareto.study.companions import set_aside_if_damaged
from vocoder_pareto.study.early_checks import are_without_published_mos, require_metrics
from vocoder_pareto.study.file_content import MEMORY, FileDigests
from vocoder_pareto.study.given_weights import file_of_weights, weights_of
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json, require_writable
from vocoder_pareto.study.program_settings import dataset_settings
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import plain, settings_from
from vocoder_pareto.study.source_facts import remember_code
from vocoder_pareto.quality.metrics import METRICS, functions_of
from vocoder_pareto.tables.columns import column_of
from vocoder_pareto.study.sections.front_ends import PAPER
from vocoder_pareto.study.systems import RECONSTRUCTIONS, REFERENCE_SYSTEMS

try:
    configuration.require_unique_keys(workflow.configfiles)
    # Of a module, Snakemake skips our config.yaml; elsewhere a file given with --configfile comes first in `config`, and
    # its models would come first in figures.
    config = configuration.checked(configuration.over_defaults(config, HOME / "config.yaml"))
    require_metrics(config["quality"]["metrics"], [metric.name for metric in METRICS])
except UserError as error:
    raise WorkflowError(str(error)) from None

RESULTS = config["results_dir"]
SYSTEMS = configuration.configured_systems(config)
JUDGED = configuration.judged_systems(config)  # whose audio is generated, measured and heard
REFERENCES = list(REFERENCE_SYSTEMS)
# Their audio. That of other systems is made where it is asked for by its name.
MANIFESTS = [f"{RESULTS}/generated/{system}/manifest.csv" for system in [*REFERENCES, *JUDGED]]
FRONT_ENDS = configuration.used_front_ends(config)  # what one tells of the recordings, all tell
TEST_LIST = [config["dataset"]["split"]["file"]] if isinstance(config["dataset"]["split"], dict) else []
UTMOS = [config["predicted_mos"]["utmos_file"]] if config["predicted_mos"]["predictor"] == "utmos" else []
UTMOS_FILES = [file for file in UTMOS if file and os.path.exists(file)]  # without one, nothing is predicted
ENERGY = settings_from(EnergySettings, config["energy"], "energy")
FIGURE_SUFFIXES = [f".{each}" for each in config["figures"]["formats"]]
ON_A_CLUSTER = workflow.nodes is not None  # that --jobs, not --cores, says how much runs at a time


# profiles/default counts the GPUs of one machine: jobs on it take turns. On a cluster each job gets its own.
resource_scopes:
    gpu="local",


wildcard_constraints:
    system="|".join(map(re.escape, SYSTEMS)),
    front_end="|".join(map(re.escape, config["front_ends"])),


def config_json(*keys):
    """The part of the configuration below `keys`, as canonical JSON."""
    part = config
    for key in keys:
        part = part[key]
    return canonical_json(part)


def file_of(name):
    """The file of a program."""
    return f"{PROGRAMS}/{name}.py"


def program(name):
    """A param: the program of a rule, wherever the project lies; what it does is told by `code_version`."""
    return beside(file_of(name))


# Digests of files that users bring, remembered so that 3 GB are read once.
CONTENT_OF = FileDigests(MEMORY)


def content(*files):
    """A param: one digest of what `files` hold; None without any."""
    try:
        return CONTENT_OF.together(files) if files else None
    except UserError as error:
        raise WorkflowError(str(error)) from None


def beside(value):
    """A param that its program gets, but that no output depends on, so that its change reruns nothing.

    Snakemake leaves a param out of the identity of a job if it derives from the job's `output`. A function of wildcards
    is called with them.
    """
    return lambda wildcards, output: value(wildcards) if callable(value) else value


remember_code(PROGRAMS)


@cache
def code_version(name, *modules):
    """A param: hashes of a program, of `modules`, and of what they import, so far as it can change the output."""
    hashes = hashes_of_code([file_of(name), *modules], PROGRAMS, name)
    return " ".join(f"{module.removeprefix('vocoder_pareto.')}={version}" for module, version in hashes.items())


def metrics_code_version(name):
    """As `code_version`, and the modules of the configured metrics, which are imported by their paths."""
    try:
        modules = [module_file(path, PROGRAMS) for path in functions_of(config["quality"]["metrics"])]
        return code_version(name, *modules)
    except (FileNotFoundError, UserError) as error:
        raise WorkflowError(f"config key quality.metrics: {error}") from None


def system_code_version(name, *classes):
    """As `code_version`, and the modules of a system's own classes (`vocoder`, `objective`)."""

    def version(wildcards):
        settings = settings_of(wildcards)
        try:
            paths = filter(None, (getattr(settings, each) for each in classes))
            return code_version(name, *(module_file(path, PROGRAMS) for path in paths))
        except (FileNotFoundError, UserError) as error:
            where = f"config key models.{settings.model}, {' or '.join(classes)}"
            raise WorkflowError(f"{where}: {error}") from None

    return version


def settings_of(wildcards):
    """What defines the system of a job, see `SystemSettings`."""
    return configuration.system_settings(config, *SYSTEMS[wildcards.system])


def of_dataset(name):
    """Function of a system: the file `name` of the dataset in the form that its front end makes."""
    return lambda wildcards: (
        f"{RESULTS}/dataset/{configuration.front_end_of(config, *SYSTEMS[wildcards.system])}/{name}"
    )


def judged_of(name):
    """Function of a system: the file `name` of the utterances that are judged, in the form that its front end makes."""
    return lambda wildcards: (
        f"{RESULTS}/evaluation/{configuration.front_end_of(config, *SYSTEMS[wildcards.system])}/{name}"
    )


def measured_with(name):
    """Function of a system: the file `name` of the clips that energy is measured with, as its front end makes them."""
    return lambda wildcards: (
        f"{RESULTS}/measurements/input/{configuration.front_end_of(config, *SYSTEMS[wildcards.system])}/{name}"
    )


def settings_of_front_end(wildcards):
    """The front end of a job, as canonical JSON."""
    return config_json("front_ends", wildcards.front_end)


def sample_rate_of_clips(wildcards):
    """Samples per second of the clips for a front end."""
    return config["front_ends"][wildcards.front_end]["sample_rate"]


def samples_of_clips(wildcards):
    """Samples of a clip for a front end."""
    front_end = configuration.front_end_settings(config, wildcards.front_end)
    return front_end.clip_samples(config["dataset"]["clip_seconds"])


def training_of(wildcards):
    """How the system of a job is trained, see `TrainingSettings`."""
    return configuration.training_settings(config, *SYSTEMS[wildcards.system])


def is_trained_here(wildcards):
    """Whether a system is trained; else its weights are written as they are initialised."""
    return not training_of(wildcards).is_untrained


def system_to_train(wildcards):
    """What the weights of a system depend on, beside the data: all but its sampling, as canonical JSON."""
    return canonical_json(settings_of(wildcards).to_train())


def system_to_generate(wildcards):
    """What the audio of a system depends on, beside its weights: all but its training, as canonical JSON."""
    return canonical_json(settings_of(wildcards).to_generate())


def training_settings(wildcards):
    """How a system is trained: budget, batch size, precision, as canonical JSON."""
    return canonical_json(plain(training_of(wildcards)))


def determining_settings(wildcards):
    """What of `training_settings` the weights depend on, as canonical JSON."""
    return canonical_json(training_of(wildcards).determining())


def any_of(names):
    """A regular expression for these names; for none, one that nothing matches."""
    return "|".join(map(re.escape, names)) or "(?!)"


def are_given(system):
    """Whether the weights of a system are given by the configuration."""
    return weights_of(config, *SYSTEMS[system]) is not None


def are_fetched(system):
    """Whether the weights of a system are given, and come from the network."""
    return are_given(system) and weights_of(config, *SYSTEMS[system]).is_fetched


def weights_settings(wildcards):
    """What weights a system is given, as canonical JSON."""
    return canonical_json(plain(weights_of(config, *SYSTEMS[wildcards.system])))


def place_of_weights(wildcards):
    """Where the weights of a system are fetched from, as canonical JSON."""
    return canonical_json(weights_of(config, *SYSTEMS[wildcards.system]).place())


def layout_of_weights(wildcards):
    """Whose layout the weights of a system must have; None for any."""
    return weights_of(config, *SYSTEMS[wildcards.system]).layout


def given_content(wildcards):
    """What the given weights hold, as a digest; None where they are fetched, and their file is not there yet."""
    return None if are_fetched(wildcards.system) else content(given_weights(wildcards))


def given_weights(wildcards):
    """The file of the weights that a system is given: that of the user, or the one that is fetched."""
    file = file_of_weights(config, *SYSTEMS[wildcards.system])
    return file if are_fetched(wildcards.system) else as_it_is(file)


def threads_of_training(wildcards):
    """Two threads for a training; one where the weights are written as they are, which is no work to share."""
    return 2 if is_trained_here(wildcards) else 1


def gpus_of_training(wildcards):
    """The GPU of a training; none where the weights are written as they are."""
    return gpus_per_job(wildcards) if is_trained_here(wildcards) else 0


def published_convention(wildcards):
    """What the paper's FLOPs of a system counted, as canonical JSON."""
    return canonical_json(plain(configuration.published_convention(config, *SYSTEMS[wildcards.system])))


def model_labels():
    """What readers see for each model, as JSON in the order of the configuration, which gives models their markers."""
    labels = {model: family["label"] or model for model, family in config["models"].items()}
    return json.dumps(labels, separators=(",", ":"), ensure_ascii=False)


def model_families():
    """The kind of each model that has one (GAN, flow, diffusion, …), as canonical JSON."""
    return canonical_json({model: family["family"] for model, family in config["models"].items() if family["family"]})


def corpus_version(wildcards):
    """What tells one corpus from another: the code that speaks it, or what lies in a user's own folder."""
    if config["dataset"]["source"] == "synthetic":
        return code_version("synthesize_corpus")
    if CORPUS.made_here:
        return None
    try:
        return CONTENT_OF.together(corpus_files(CORPUS.folder), CORPUS.folder)
    except UserError as error:
        raise WorkflowError(str(error)) from None


def seed_of_split():
    """The seed that chooses the test set; 0 where none is drawn, so that another seed makes no other clips."""
    settings = settings_from(DatasetSettings, dataset_settings(config), "dataset")
    return config["seed"] if split_name(settings) == "random" else 0


def predictor_settings():
    """The section predicted_mos but for where the file of UTMOS lies, as canonical JSON."""
    return canonical_json({key: value for key, value in config["predicted_mos"].items() if key != "utmos_file"})


def energy_protocol():
    """What of the section energy a measurement depends on, as canonical JSON."""
    return canonical_json(ENERGY.protocol())


def records_beside(wildcards, output):
    """A folder for what measurements are kept in, beside the output: Snakemake does not know it, or would delete it."""
    return f"{os.path.dirname(output[0])}/records"


def assumptions_of_meter():
    """A param: what of the section meter is only used in tables, and was not measured."""
    return canonical_json({key: config["meter"][key] for key in ("cpu_watts_per_core", "systematic_uncertainty")})


def emission_factors():
    """What of the section carbon emissions are computed from; the rest is remarks."""
    return [config["carbon"][key] for key in ("intensity_kg_per_kwh", "power_usage_effectiveness")]


def corpus_folder(wildcards, input):
    """Where the corpus of a job lies: beside the metadata that a rule made, or where the user has it."""
    return os.path.dirname(input.corpus) if CORPUS.made_here else CORPUS_FOLDER


def front_objectives(gflops):
    """Function of a wildcard `cost`: MOS against energy, or against a column of GFLOPs, as canonical JSON."""
    columns = {"energy": "energy_joules_per_audio_second", "gflops": gflops}

    def objectives(wildcards):
        pair = {columns[wildcards.cost]: "min", "mos": "max"}
        return canonical_json({"name": wildcards.cost, "columns": pair})

    return objectives


def front_of_distance(wildcards):
    """Energy against a distance from the recordings, as canonical JSON."""
    distance = wildcards.distance
    pair = {"energy_joules_per_audio_second": "min", distance: column_of(distance).direction}
    return canonical_json({"name": f"energy_and_{distance}", "columns": pair})


def fronts_of_figure(folder, suffix):
    """Function of a wildcard `figure`: the files of its fronts below `folder`."""
    return lambda wildcards: [f"{folder}/{front}{suffix}" for front in FRONTS_OF_FIGURE[wildcards.figure]]


def responses_of_test(wildcards):
    """The files with answers: those of people in the configured folder, or of the simulated panel."""
    if LISTENING["responses"]:
        try:
            # The key lies beside the answers: a test that is over does not depend on the audio of today.
            answers = response_files(RESPONSES_FOLDER)
            keys = filter(None, [key_file(RESPONSES_FOLDER)])
            return as_it_is([*map(str, answers), *map(str, keys)])
        except UserError as error:
            raise WorkflowError(str(error)) from None
    if LISTENING["simulate"]:
        return [SIMULATED_RESPONSES]
    raise WorkflowError("mos.csv needs answers: set config key listening_test.responses to the folder that holds them")


def responses_folder(wildcards, input):
    """The folder of `responses_of_test`."""
    return RESPONSES_FOLDER if LISTENING["responses"] else input.responses[0]


def paired_responses(wildcards):
    """The files with answers to the test of pairs, and its key beside them."""
    folder = PAIRED["responses"]
    if not folder:
        raise WorkflowError(
            "preferences need answers: set config key listening_test.paired.responses to the folder that holds them"
        )
    answers = paired_response_files(folder) if os.path.isdir(folder) else []
    return as_it_is([*map(str, answers), f"{folder}/{PAIRED_KEY_NAME}"])


def whole_machine(wildcards):
    """All cores of a local run; one on a cluster, where `--exclusive` keeps others away."""
    return 1 if ON_A_CLUSTER else workflow.cores


def gpus_per_job(wildcards):
    """One GPU, or none: `auto` takes one of this machine if it has one, and asks a cluster for one.

    What is true of the machine that submits jobs tells nothing of the one that runs them.
    """
    if config["device"] == "auto" and not ON_A_CLUSTER:
        return int(shutil.which("nvidia-smi") is not None)
    return int(config["device"] != "cpu")


def minutes_of_training_job(wildcards):
    """How long a cluster lets one job of a system's training run."""
    return round(60 * training_of(wildcards).job_hours)


def stored_records(wildcards):
    """The records of a system in the stored set; the first run must exist."""
    folder = config["measurements"]["from"]
    files = sorted(Path(folder).glob(f"run*/{wildcards.system}.json"))
    return as_it_is([str(file) for file in files] or [f"{folder}/run1/{wildcards.system}.json"])


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
    if names := configuration.systems_of_random_weights(config):
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


onstart:
    require_cores_counted()
    require_results_writable()
    known_results.sign(results_folder(), ".snakemake")
    say_where_the_protocol_is_short()
    say_if_no_mos_will_be_drawn()
    say_whose_weights_are_random()


onsuccess:
    say_what_became_of_the_recordings()


onerror:
    say_what_became_of_the_recordings()
