# What all rules share: the checked configuration, its slices, and the version of the code that a rule runs.
import re
from functools import cache

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json
from vocoder_pareto.quality.metrics import METRICS, functions_of
from vocoder_pareto.study import configuration, studied_systems, yaml_files
from vocoder_pareto.study.code_version import code_version as hashes_of_code, module_file
from vocoder_pareto.study.early_checks import require_bands, require_metrics
from vocoder_pareto.study.file_content import MEMORY, FileDigests
from vocoder_pareto.study.sections.front_ends import PAPER
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.source_facts import remember_code
from vocoder_pareto.study.systems import RECONSTRUCTIONS, REFERENCE_SYSTEMS

try:
    yaml_files.require_unique_keys(workflow.configfiles)
    # Of a module, Snakemake skips our config.yaml; elsewhere a file given with --configfile comes first in `config`, and
    # its models would come first in figures.
    config = configuration.checked(yaml_files.over_defaults(config, HOME / "config.yaml"))
    require_metrics(config["quality"]["metrics"], [metric.name for metric in METRICS])
    require_bands(config)
except UserError as error:
    raise WorkflowError(str(error)) from None

RESULTS = config["results_dir"]
SYSTEMS = studied_systems.configured_systems(config)
JUDGED = studied_systems.judged_systems(config)  # whose audio is generated, measured and heard
REFERENCES = list(REFERENCE_SYSTEMS)
# Their audio. That of other systems is made where it is asked for by its name.
MANIFESTS = [f"{RESULTS}/generated/{system}/manifest.csv" for system in [*REFERENCES, *JUDGED]]
FRONT_ENDS = studied_systems.used_front_ends(config)  # what one tells of the recordings, all tell
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
