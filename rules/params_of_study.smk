# What the rules ask of the whole study: its corpus and front ends, protocol, fronts and answers.
from vocoder_pareto.audio.split import split_name
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import canonical_json
from vocoder_pareto.study import front_ends
from vocoder_pareto.study.program_settings import dataset_settings
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.columns import column_of


def of_dataset(name):
    """Function of a system: the file `name` of the dataset in the form that its front end makes."""
    return lambda wildcards: (f"{RESULTS}/dataset/{front_ends.front_end_of(config, *SYSTEMS[wildcards.system])}/{name}")


def judged_of(name):
    """Function of a system: the file `name` of the utterances that are judged, in the form that its front end makes."""
    return lambda wildcards: (
        f"{RESULTS}/evaluation/{front_ends.front_end_of(config, *SYSTEMS[wildcards.system])}/{name}"
    )


def settings_of_front_end(wildcards):
    """The front end of a job, as canonical JSON."""
    return config_json("front_ends", wildcards.front_end)


def sample_rate_of_clips(wildcards):
    """Samples per second of the clips for a front end."""
    return config["front_ends"][wildcards.front_end]["sample_rate"]


def samples_of_clips(wildcards):
    """Samples of a clip for a front end."""
    front_end = front_ends.front_end_settings(config, wildcards.front_end)
    return front_end.clip_samples(config["dataset"]["clip_seconds"])


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
