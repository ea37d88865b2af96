"""The configuration of a study: all sections together, read from files, checked, and cut into what programs get.

Imports nothing heavy, since the Snakefile reads it at every start.
"""

import copy
from collections.abc import Iterable, Mapping, MutableMapping
from dataclasses import field, replace
from pathlib import Path
from typing import Any, Literal

from pydantic import Field
from pydantic.dataclasses import dataclass

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.class_settings import brings_weights
from vocoder_pareto.study.early_checks import faults_of_choices, with_settings_of_classes
from vocoder_pareto.study.front_ends import faults_of_front_ends, front_end_of, front_end_settings
from vocoder_pareto.study.given_weights import fault_of_weights, file_of_weights
from vocoder_pareto.study.hop_lengths import faults_of_hop_length
from vocoder_pareto.study.sections.analysis import FigureSettings, ParetoSettings, ReportSettings
from vocoder_pareto.study.sections.dataset import DatasetSettings
from vocoder_pareto.study.sections.evaluation import EvaluationSettings
from vocoder_pareto.study.sections.front_ends import BUILT_IN, FrontEndName, FrontEndSettings
from vocoder_pareto.study.sections.generation import GenerationSettings
from vocoder_pareto.study.sections.listening_test import ListeningTestSettings
from vocoder_pareto.study.sections.measurement import (
    EnergySettings,
    MeasurementsSettings,
    MeterSettings,
    PublishedConvention,
)
from vocoder_pareto.study.sections.models import ModelSettings, Name, SharedRecipe
from vocoder_pareto.study.sections.paths import ResultsFolder
from vocoder_pareto.study.sections.predicted_mos import PredictedMosSettings
from vocoder_pareto.study.sections.quality import QualitySettings
from vocoder_pareto.study.sections.training import CarbonSettings, TrainingSettings
from vocoder_pareto.study.settings import LARGEST_SEED, STRICT, plain, settings_from
from vocoder_pareto.study.settings_faults import keys_of, nearest
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS, SystemSettings
from vocoder_pareto.study.yaml_files import read_yaml
from vocoder_pareto.tables.columns import METRIC_COLUMNS, PREDICTED_MOS, SYSTEMS_COLUMNS

OBJECTIVE_COLUMNS = tuple(column.name for column in SYSTEMS_COLUMNS if column.direction)


@dataclass(frozen=True, config=STRICT)
class Configuration:
    """Every setting of a study. The defaults are the quick study of config.yaml, but for the models."""

    models: dict[Name, ModelSettings] = Field(min_length=1)
    """The models. A model has a name for readers, a family, the import paths of its classes (package.module.Class, or
    path/to/file.py:Class for a file of your own) and its sizes. What a size sets goes over what its model sets:
      architecture          what fixes the weights; a change retrains
      sampling              what matters at generation only; a change generates and measures again
      training              the recipe (learning rate, weights of losses), and any key of `training` above
      published_convention  how the paper's FLOPs were counted, where it differs from: 64 frames, the plain form
      front_end             what makes its mel-spectrograms, one of `front_ends` above; without it, paper
      weights               weights to use instead of a training, by url, path or package (docs/pretrained.md)
    The keys of architecture, sampling and recipe are described in the model's and the objective's file."""

    results_dir: ResultsFolder = "results"
    """Folder of all outputs. Give every preset its own, so that none overwrites another."""

    systems: Literal["all"] | tuple[str, ...] = "all"
    """Which systems to study: all, or a list such as [melgan-S, hifigan-L] of names {model}-{size} from `models`
    below."""

    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    """Seed of everything random (>= 0): weights, shuffling, noise of sampling, bootstrap. Equal seeds give equal audio
    on a CPU."""

    device: str = Field(
        default="auto", pattern="^(auto|cpu|cuda(:[0-9]+)?)$", examples=["auto", "cpu", "cuda", "cuda:0"]
    )
    """Where training, generation and measurement run: auto (a GPU if there is one) | cpu | cuda | cuda:N."""

    dataset: DatasetSettings = field(default_factory=DatasetSettings)
    """The recordings, and how clips are cut from them."""

    front_ends: dict[FrontEndName, FrontEndSettings] = field(default_factory=lambda: dict(BUILT_IN))
    """Front ends by name: what makes the mel-spectrograms that vocoders turn into audio. A system takes that of `paper`
    unless it names another one (models.hifigan.front_end: hifigan_22k); docs/front_ends.md tells where those of
    published vocoders come from. One of your own has a name and the keys that differ from these."""

    evaluation: EvaluationSettings = field(default_factory=EvaluationSettings)
    """What is judged: how much of each utterance of the test set, at which rate, of which systems."""

    training: TrainingSettings = field(default_factory=TrainingSettings)
    """How long, and with what means, every system is trained. Any key can be set for one model or size below
    `models`."""

    carbon: CarbonSettings = field(default_factory=CarbonSettings)
    """How energy becomes emissions."""

    generation: GenerationSettings = field(default_factory=GenerationSettings)
    """The audio of the test set."""

    meter: MeterSettings = field(default_factory=MeterSettings)
    """How energy is read from the hardware."""

    energy: EnergySettings = field(default_factory=EnergySettings)
    """The protocol of energy measurements. What falls short of the least values of docs/measurement.md (windows of
    10 s, say; presets/paper.yaml takes 30) is flagged `not_publishable`. Energy jobs run alone on the machine."""

    measurements: MeasurementsSettings = field(default_factory=MeasurementsSettings)
    """Where measurements come from, and further ones."""

    pareto: ParetoSettings = field(default_factory=ParetoSettings)
    """Pareto fronts. Those of energy and of GFLOPs against MOS are always found; the default study adds two more."""

    figures: FigureSettings = field(default_factory=FigureSettings)
    """How figures look; a change redraws figures and nothing else."""

    quality: QualitySettings = field(default_factory=QualitySettings)
    """Objective quality of the reconstructions, against the recordings."""

    predicted_mos: PredictedMosSettings = field(default_factory=PredictedMosSettings)
    """MOS as a network predicts it (docs/listening_test.md), withheld where it cannot tell good recordings from bad
    ones. It never stands in for ratings."""

    listening_test: ListeningTestSettings = field(default_factory=ListeningTestSettings)
    """The listening test (docs/listening_test.md) of trained systems, which the target `listening_test` exports; with
    answers, its MOS replaces the published one in tables and figures."""

    report: ReportSettings = field(default_factory=ReportSettings)
    """The report page."""


def read_configuration(files: Iterable[str | Path]) -> dict[str, Any]:
    """The checked configuration of YAML `files`, see `merged` and `checked`.

    Raises:
        UserError: As these do.
    """
    return checked(merged(files))


def merged(files: Iterable[str | Path]) -> dict[str, Any]:
    """What YAML `files` say together: keys of later ones replace those of earlier ones, as `--configfile` does.

    Raises:
        UserError: A file is missing, is not YAML, or has a key twice.
    """
    config: dict[str, Any] = {}
    for file in files:
        _update(config, read_yaml(file))
    return config


def over_defaults(config: Mapping[str, Any], defaults: str | Path) -> dict[str, Any]:
    """`config` over the YAML file of `defaults`, key by key as `--configfile` does; `config` itself stays as it is.

    Raises:
        UserError: The file is missing, is not YAML, or has a key twice.
    """
    result = merged([defaults])
    _update(result, config)
    return result


def require_unique_keys(files: Iterable[str | Path]) -> None:
    """Refuse YAML `files` in which a key stands twice in one section: YAML itself would drop the first in silence.

    Raises:
        UserError: it names the file, the key and both lines.
    """
    for file in files:
        read_yaml(file)


def checked(config: Mapping[str, Any]) -> dict[str, Any]:
    """`config` as the study takes it: with all keys, numbers as numbers, and paths in one spelling each.

    Raises:
        UserError: One line per fault, each with its key, its value, what is allowed and the nearest known key.
    """
    front_ends = {name: plain(each) for name, each in BUILT_IN.items()}
    given = config.get("front_ends", {})
    if isinstance(given, Mapping):
        _update(front_ends, given)
        config = {**config, "front_ends": front_ends}
    settings = settings_from(Configuration, config, "")
    result = plain(settings)
    faults = _inconsistencies(result) + faults_of_choices(result)
    for pair in _known_systems(result).values():
        faults += _faults_of_system(result, *pair)
    told = {_key_in(fault) for fault in faults}
    of_classes = [fault for pair in result["models"].items() for fault in with_settings_of_classes(*pair)]
    faults += [fault for fault in of_classes if _key_in(fault) not in told]
    if not faults:  # else a value may be of another type
        for model, size in configured_systems(result).values():
            front_end = front_end_of(result, model, size)
            hop_length = result["front_ends"][front_end]["hop_length"]
            faults += faults_of_hop_length(model, size, result["models"][model], front_end, hop_length)
    if faults:
        raise UserError("\n".join(dict.fromkeys(faults)))
    return result


def chosen_systems(config: Mapping[str, Any], names: Iterable[str], flag: str) -> list[SystemSettings]:
    """The systems of these `names`; all that `config`, a checked configuration, studies if there are none.

    Raises:
        UserError: The configuration does not study one of them; `flag` is what gave the names.
    """
    known, names = configured_systems(config), list(names)
    for name in names:
        if name not in known:
            raise UserError(f"{flag}: {name!r} is not a system{nearest(name, known)}; allowed: {', '.join(known)}")
    return [system_settings(config, *known[name]) for name in names or known]


def configured_systems(config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """The systems to study, in the configuration's order: `{"melgan-S": ("melgan", "S"), …}`."""
    known = _known_systems(config)
    return known if config["systems"] == "all" else {name: known[name] for name in config["systems"]}


def system_settings(config: Mapping[str, Any], model: str, size: str) -> SystemSettings:
    """What defines a system, with the settings of its size over those of its model. `config` is a checked one."""
    family, own = config["models"][model], config["models"][model]["sizes"][size]
    recipe = {**family["training"], **own["training"]}
    front_end = front_end_settings(config, front_end_of(config, model, size))
    return SystemSettings(
        model=model,
        size=size,
        vocoder=family["vocoder"],
        objective=family["objective"],
        architecture={**family["architecture"], **own["architecture"]},
        sampling={**family["sampling"], **own["sampling"]},
        recipe={key: value for key, value in recipe.items() if key not in keys_of(TrainingSettings)},
        n_mels=front_end.bands,
        hop_length=front_end.hop_length,
        sample_rate=front_end.sample_rate,
    )


def used_front_ends(config: Mapping[str, Any]) -> list[str]:
    """The front ends of the studied systems, in their order."""
    return list(dict.fromkeys(front_ends_of_systems(config).values()))


def front_ends_of_systems(config: Mapping[str, Any]) -> dict[str, str]:
    """The name of the front end of each studied system."""
    return {system: front_end_of(config, *pair) for system, pair in configured_systems(config).items()}


def training_settings(config: Mapping[str, Any], model: str, size: str) -> TrainingSettings:
    """How a system is trained: the section `training`, with what its model and its size set over it.

    What has no objective is not trained, whatever the budget of the others. Its `checkpoint` is the file of the weights
    that the system is given, however it is given them.
    """
    family = config["models"][model]
    own = {**family["training"], **family["sizes"][size]["training"]}
    known = keys_of(TrainingSettings)
    values = {**config["training"], **{key: value for key, value in own.items() if key in known}}
    settings = settings_from(TrainingSettings, values, f"models.{model}.sizes.{size}.training")
    settings = replace(settings, checkpoint=file_of_weights(config, model, size))
    return settings if family["objective"] else replace(settings, steps=0, hours=None, energy_kwh=None)


def judged_systems(config: Mapping[str, Any]) -> list[str]:
    """The systems whose audio is generated and judged, in the configuration's order.

    What a system costs does not depend on its training; what weights generate that were hardly trained is noise.
    """
    least = settings_from(EvaluationSettings, config["evaluation"], "evaluation")
    return [name for name, pair in configured_systems(config).items() if _is_judged(config, *pair, least)]


def systems_of_random_weights(config: Mapping[str, Any]) -> list[str]:
    """The systems that nobody can train: without an objective, and without weights that are given or brought."""
    return [
        name
        for name, (model, size) in configured_systems(config).items()
        if training_settings(config, model, size).is_untrained
        and config["models"][model]["objective"] is None
        and not brings_weights(config["models"][model]["vocoder"])
    ]


def _is_judged(config: Mapping[str, Any], model: str, size: str, least: EvaluationSettings) -> bool:
    """Whether the weights of a system are given, or brought by it, or no bound of its training is below the `least`."""
    settings = training_settings(config, model, size)
    if settings.checkpoint is not None or brings_weights(config["models"][model]["vocoder"]):
        return True
    bounds = ((settings.steps, least.least_training_steps), (settings.hours, least.least_training_hours))
    return all(bound is None or bound >= enough for bound, enough in bounds)


def published_convention(config: Mapping[str, Any], model: str, size: str) -> PublishedConvention:
    """What the paper's FLOPs of a system counted."""
    family = config["models"][model]
    values = {**family["published_convention"], **family["sizes"][size]["published_convention"]}
    return settings_from(PublishedConvention, values, f"models.{model}.published_convention")


def systems_of(config: Mapping[str, Any]) -> list[SystemSettings]:
    """The systems that `config`, a checked configuration, studies, in its order."""
    return chosen_systems(config, [], "systems")


def _key_in(fault: str) -> str:
    return fault.partition(": ")[0]


def _update(config: MutableMapping[str, Any], changes: Mapping[str, Any]) -> None:
    for key, value in changes.items():
        if isinstance(value, Mapping) and isinstance(config.get(key), dict):
            _update(config[key], value)
        else:
            config[key] = copy.deepcopy(value)


def _known_systems(config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    return {f"{model}-{size}": (model, size) for model, family in config["models"].items() for size in family["sizes"]}


def _inconsistencies(config: Mapping[str, Any]) -> list[str]:
    """What the section of a key cannot tell about it alone."""
    known, named = _known_systems(config), config["systems"]
    faults = [
        *_of_one_name("models", [*known, *REFERENCE_SYSTEMS], "systems"),
        *_of_one_name("front_ends", config["front_ends"], "front ends"),
        *_of_one_name("pareto.objectives", [each["name"] for each in config["pareto"]["objectives"]], "fronts"),
    ]
    if named != "all":
        if not named:
            faults.append("config key systems: the list is empty; name at least one system, or write all")
        if len(set(named)) < len(named):
            faults.append("config key systems: a system is named twice; name each once")
        faults += [
            f"config key systems: {name!r} is not a system{nearest(name, known)}; allowed: {', '.join(known)}"
            for name in named
            if name not in known
        ]
    for number, objectives in enumerate(config["pareto"]["objectives"]):
        for column in objectives["columns"]:
            if column not in OBJECTIVE_COLUMNS:
                faults.append(
                    f"config key pareto.objectives.{number}.columns: {column!r} is no objective"
                    f"{nearest(column, OBJECTIVE_COLUMNS)}; allowed: {', '.join(OBJECTIVE_COLUMNS)}"
                )
            elif column in METRIC_COLUMNS and column not in ("d_stft", *config["quality"]["metrics"]):
                where = f"config key pareto.objectives.{number}.columns"
                faults.append(f"{where}: {column!r} is not measured; add it to quality.metrics")
            elif column == PREDICTED_MOS and not config["predicted_mos"]["predictor"]:
                where = f"config key pareto.objectives.{number}.columns"
                faults.append(f"{where}: {column!r} is not predicted; set predicted_mos.predictor, as to distillmos")
    return faults + faults_of_front_ends(
        config, [known[name] for name in (known if named == "all" else named) if name in known]
    )


def _of_one_name(key: str, names: Iterable[str], what: str) -> list[str]:
    """Names of files and of places on a page that differ by case alone, or by _ in the place of -."""
    first: dict[str, str] = {}
    faults = []
    for name in names:
        other = first.setdefault(name.casefold().replace("_", "-"), name)
        if other != name:
            faults.append(
                f"config key {key}: the {what} {other} and {name} differ by case alone, or by _ in the place of -, and "
                "would share a file where neither counts; rename one"
            )
    return faults


def _faults_of_system(config: Mapping[str, Any], model: str, size: str) -> list[str]:
    """What is wrong with the settings of one system where their types are known here."""
    if fault := fault_of_weights(config, model, size):
        return [fault]
    try:
        training_settings(config, model, size)
        published_convention(config, model, size)
        family = config["models"][model]
        for where, values in (
            (f"models.{model}.training", family["training"]),
            (f"models.{model}.sizes.{size}.training", family["sizes"][size]["training"]),
        ):
            shared = {key: value for key, value in values.items() if key in keys_of(SharedRecipe)}
            settings_from(SharedRecipe, shared, where)
    except UserError as error:
        return str(error).splitlines()
    return []
