# What the rules ask of one system: its settings, weights and training, and the machine that its jobs need.
import json
import shutil

from vocoder_pareto.files import canonical_json
from vocoder_pareto.study import front_ends, studied_systems
from vocoder_pareto.study.given_weights import file_of_weights, weights_of
from vocoder_pareto.study.settings import plain


def settings_of(wildcards):
    """What defines the system of a job, see `SystemSettings`."""
    return studied_systems.system_settings(config, *SYSTEMS[wildcards.system])


def measured_with(name):
    """Function of a system: the file `name` of the clips that energy is measured with, as its front end makes them."""
    return lambda wildcards: (
        f"{RESULTS}/measurements/input/{front_ends.front_end_of(config, *SYSTEMS[wildcards.system])}/{name}"
    )


def training_of(wildcards):
    """How the system of a job is trained, see `TrainingSettings`."""
    return studied_systems.training_settings(config, *SYSTEMS[wildcards.system])


def is_trained_here(wildcards):
    """Whether a system is trained; else its weights are written as they are initialised."""
    return not training_of(wildcards).is_untrained


def is_validated(system):
    """Whether a system is trained here, and test clips are resynthesised while it is."""
    settings = studied_systems.training_settings(config, *SYSTEMS[system])
    return not settings.is_untrained and settings.checkpoint is None and settings.validation_clips > 0


def shares_of_validations(systems):
    """The shares of their budgets at which these systems are validated; the end is one of them."""
    settings = (studied_systems.training_settings(config, *SYSTEMS[system]) for system in systems)
    return sorted({share for each in settings for share in each.validation_shares} | {1.0})


def system_to_train(wildcards):
    """What the weights of a system depend on, beside the data: all but its sampling, as canonical JSON."""
    return canonical_json(settings_of(wildcards).to_train())


def sampling_of_system(wildcards):
    """How a system is sampled, as canonical JSON: no weights depend on it, but what is heard of them does."""
    return canonical_json(plain(settings_of(wildcards))["sampling"])


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
    return canonical_json(plain(studied_systems.published_convention(config, *SYSTEMS[wildcards.system])))


def model_labels():
    """What readers see for each model, as JSON in the order of the configuration, which gives models their markers."""
    labels = {model: family["label"] or model for model, family in config["models"].items()}
    return json.dumps(labels, separators=(",", ":"), ensure_ascii=False)


def model_families():
    """The kind of each model that has one (GAN, flow, diffusion, …), as canonical JSON."""
    return canonical_json({model: family["family"] for model, family in config["models"].items() if family["family"]})


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
