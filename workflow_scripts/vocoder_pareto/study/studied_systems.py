"""Which systems a configuration studies, what it says of each of them, and whose audio it judges."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.class_settings import brings_weights
from vocoder_pareto.study.front_ends import front_end_of, front_end_settings
from vocoder_pareto.study.given_weights import file_of_weights
from vocoder_pareto.study.sections.evaluation import EvaluationSettings
from vocoder_pareto.study.sections.measurement import PublishedConvention
from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.settings_faults import keys_of, nearest
from vocoder_pareto.study.systems import SystemSettings


def systems_of(config: Mapping[str, Any]) -> list[SystemSettings]:
    """The systems that `config`, a checked configuration, studies, in its order."""
    return chosen_systems(config, [], "systems")


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
    known = known_systems(config)
    return known if config["systems"] == "all" else {name: known[name] for name in config["systems"]}


def known_systems(config: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    """All systems of `models`, studied or not, in the configuration's order: `{"melgan-S": ("melgan", "S"), …}`."""
    return {f"{model}-{size}": (model, size) for model, family in config["models"].items() for size in family["sizes"]}


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


def published_convention(config: Mapping[str, Any], model: str, size: str) -> PublishedConvention:
    """What the paper's FLOPs of a system counted."""
    family = config["models"][model]
    values = {**family["published_convention"], **family["sizes"][size]["published_convention"]}
    return settings_from(PublishedConvention, values, f"models.{model}.published_convention")


def used_front_ends(config: Mapping[str, Any]) -> list[str]:
    """The front ends of the studied systems, in their order."""
    return list(dict.fromkeys(front_ends_of_systems(config).values()))


def front_ends_of_systems(config: Mapping[str, Any]) -> dict[str, str]:
    """The name of the front end of each studied system."""
    return {system: front_end_of(config, *pair) for system, pair in configured_systems(config).items()}


def judged_systems(config: Mapping[str, Any]) -> list[str]:
    """The systems whose audio is generated and judged, in the configuration's order.

    What a system costs does not depend on its training; what weights generate that were hardly trained is noise.
    """
    least = settings_from(EvaluationSettings, config["evaluation"], "evaluation")
    return [name for name, pair in configured_systems(config).items() if _is_judged(config, *pair, least)]


def _is_judged(config: Mapping[str, Any], model: str, size: str, least: EvaluationSettings) -> bool:
    """Whether the weights of a system are given, or brought by it, or no bound of its training is below the `least`."""
    settings = training_settings(config, model, size)
    if settings.checkpoint is not None or brings_weights(config["models"][model]["vocoder"]):
        return True
    bounds = ((settings.steps, least.least_training_steps), (settings.hours, least.least_training_hours))
    return all(bound is None or bound >= enough for bound, enough in bounds)


def systems_of_random_weights(config: Mapping[str, Any]) -> list[str]:
    """The systems that nobody can train: without an objective, and without weights that are given or brought."""
    return [
        name
        for name, (model, size) in configured_systems(config).items()
        if training_settings(config, model, size).is_untrained
        and config["models"][model]["objective"] is None
        and not brings_weights(config["models"][model]["vocoder"])
    ]
