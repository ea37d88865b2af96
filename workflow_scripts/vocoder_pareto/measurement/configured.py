"""The systems of a configuration file, for programs that run without Snakemake."""

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

from vocoder_pareto.configuration import configured_systems, system_settings
from vocoder_pareto.settings import settings_from
from vocoder_pareto.systems import SystemSettings


def systems_of(config: Mapping[str, Any]) -> list[SystemSettings]:
    """The systems that `config`, a checked configuration, studies, in its order."""
    names = {field.name for field in fields(SystemSettings)}
    found = [system_settings(config, *pair) for pair in configured_systems(config).values()]
    return [
        settings_from(SystemSettings, {key: value for key, value in each.items() if key in names}, "models")
        for each in found
    ]
