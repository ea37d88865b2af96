"""What is wrong with a configuration where the section of a key cannot tell it alone: sections held side by side."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.front_ends import faults_of_front_ends
from vocoder_pareto.study.given_weights import fault_of_weights
from vocoder_pareto.study.sections.models import SharedRecipe
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.settings_faults import keys_of, nearest
from vocoder_pareto.study.studied_systems import known_systems, published_convention, training_settings
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS
from vocoder_pareto.tables.columns import METRIC_COLUMNS, PREDICTED_MOS, SYSTEMS_COLUMNS

OBJECTIVE_COLUMNS = tuple(column.name for column in SYSTEMS_COLUMNS if column.direction)


def faults_between_sections(config: Mapping[str, Any]) -> list[str]:
    """What is wrong with the systems, the objectives and the front ends that `config` names."""
    known, named = known_systems(config), config["systems"]
    studied = [known[name] for name in (known if named == "all" else named) if name in known]
    return [
        *_of_one_name("models", [*known, *REFERENCE_SYSTEMS], "systems"),
        *_of_one_name("front_ends", config["front_ends"], "front ends"),
        *_of_one_name("pareto.objectives", [each["name"] for each in config["pareto"]["objectives"]], "fronts"),
        *_faults_of_names(named, known),
        *_faults_of_objectives(config),
        *faults_of_front_ends(config, studied),
    ]


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


def _faults_of_names(named: str | Sequence[str], known: Mapping[str, object]) -> list[str]:
    if named == "all":
        return []
    faults = []
    if not named:
        faults.append("config key systems: the list is empty; name at least one system, or write all")
    if len(set(named)) < len(named):
        faults.append("config key systems: a system is named twice; name each once")
    return faults + [
        f"config key systems: {name!r} is not a system{nearest(name, known)}; allowed: {', '.join(known)}"
        for name in named
        if name not in known
    ]


def _faults_of_objectives(config: Mapping[str, Any]) -> list[str]:
    """Objectives of fronts that are no columns, or columns that this study leaves empty."""
    faults = []
    for number, objectives in enumerate(config["pareto"]["objectives"]):
        where = f"config key pareto.objectives.{number}.columns"
        for column in objectives["columns"]:
            if column not in OBJECTIVE_COLUMNS:
                faults.append(
                    f"{where}: {column!r} is no objective{nearest(column, OBJECTIVE_COLUMNS)}; allowed: "
                    f"{', '.join(OBJECTIVE_COLUMNS)}"
                )
            elif column in METRIC_COLUMNS and column not in ("d_stft", *config["quality"]["metrics"]):
                faults.append(f"{where}: {column!r} is not measured; add it to quality.metrics")
            elif column == PREDICTED_MOS and not config["predicted_mos"]["predictor"]:
                faults.append(f"{where}: {column!r} is not predicted; set predicted_mos.predictor, as to distillmos")
    return faults


def faults_of_system(config: Mapping[str, Any], model: str, size: str) -> list[str]:
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
