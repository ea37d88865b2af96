"""The parts of a configuration that programs get, each named as the flag that takes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vocoder_pareto.study.front_ends import front_end_of, front_end_settings
from vocoder_pareto.study.given_weights import weights_of
from vocoder_pareto.study.settings import plain
from vocoder_pareto.study.studied_systems import chosen_systems, published_convention, training_settings

LISTENING_TEST_PARTS = ("design", "loudness", "page", "screening", "statistics", "paired")


def settings_of_system(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """What programs get of the system `name`; `config` is a checked one.

    Raises:
        UserError: The configuration does not study such a system.
    """
    (system,) = chosen_systems(config, [name], "--system-name")
    weights = weights_of(config, system.model, system.size)
    return {
        "system": plain(system),
        "sampling-settings": plain(system)["sampling"],
        "weights-settings": None if weights is None else plain(weights),
        "training-settings": plain(training_settings(config, system.model, system.size)),
        "convention-settings": plain(published_convention(config, system.model, system.size)),
        "front-end-settings": plain(front_end_settings(config, front_end_of(config, system.model, system.size))),
    }


def settings_of_study(config: Mapping[str, Any]) -> dict[str, Any]:
    """What programs get whichever system they work on; `config` is a checked one."""
    return {
        "dataset-settings": dataset_settings(config),
        "meter-settings": config["meter"],
        "carbon-settings": config["carbon"],
        "energy-settings": config["energy"],
        "sweep-settings": config["measurements"]["sweep"],
        "deployment-settings": config["measurements"]["deployment"],
        "quality-settings": config["quality"],
        "predicted-mos-settings": config["predicted_mos"],
        "figure-settings": config["figures"],
        "report-settings": config["report"],
        **{f"{name}-settings": config["listening_test"][name] for name in LISTENING_TEST_PARTS},
    }


def dataset_settings(config: Mapping[str, Any]) -> dict[str, Any]:
    """What clips depend on beside the recordings: the section `dataset` but for where the corpus and a list lie."""
    settings = {key: value for key, value in config["dataset"].items() if key != "path"}
    if isinstance(settings.get("split"), Mapping):
        settings["split"] = {"file": Path(settings["split"]["file"]).name}
    return settings
