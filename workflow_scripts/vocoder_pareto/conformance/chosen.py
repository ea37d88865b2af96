"""The vocoder that a command line asks to be checked: a class by its import path, or a system of a configuration."""

from collections.abc import Sequence
from pathlib import Path

from vocoder_pareto.conformance.candidate import Candidate
from vocoder_pareto.errors import UserError
from vocoder_pareto.study.configuration import read_configuration
from vocoder_pareto.study.front_ends import front_end_of, front_end_settings
from vocoder_pareto.study.sections.front_ends import PAPER
from vocoder_pareto.study.settings_faults import nearest
from vocoder_pareto.study.studied_systems import chosen_systems
from vocoder_pareto.study.systems import SystemSettings

SIZE = "checked"  # the second half of the name of what no configuration names


def chosen_candidate(
    config_files: Sequence[str | Path],
    vocoder: str | None,
    system_name: str | None,
    front_end: str | None,
    objective: str | None,
) -> Candidate:
    """The vocoder at the import path `vocoder` with the settings that its class has, or a system by its name.

    Args:
        config_files: The configuration, whose systems and front ends are known.
        vocoder: The import path of a class, or None.
        system_name: The name of a system, or None.
        front_end: The name of what makes the input of `vocoder`; None for `paper`.
        objective: The import path of what trains `vocoder`, or None.

    Raises:
        UserError: Neither or both are given, or a name is not known.
    """
    config = read_configuration(config_files)
    if (vocoder is None) == (system_name is None):
        raise UserError("name what is checked: either path/to/file.py:Class, or a system by --system-name")
    if system_name is not None:
        (system,) = chosen_systems(config, [system_name], "--system-name")
        return Candidate(system, front_end_settings(config, front_end_of(config, system.model, system.size)))
    name, known = front_end or PAPER, config["front_ends"]
    if name not in known:
        raise UserError(f"--front-end: {name!r} is none{nearest(name, known)}; allowed: {', '.join(known)}")
    settings = front_end_settings(config, name)
    if fault := settings.fault_of_use:
        raise UserError(f"--front-end: config key front_ends.{name}.{fault}")
    system = SystemSettings(
        model=str(vocoder).rpartition(":" if ":" in str(vocoder) else ".")[2],
        size=SIZE,
        vocoder=str(vocoder),
        objective=objective,
        n_mels=settings.bands,
        hop_length=settings.hop_length,
        sample_rate=settings.sample_rate,
    )
    return Candidate(system, settings)
