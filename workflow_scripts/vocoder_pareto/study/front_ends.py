"""Which system takes which front end, and what is wrong with front ends that are named or used."""

from collections.abc import Iterable, Mapping
from typing import Any

from vocoder_pareto.study.sections.front_ends import PAPER, FrontEndSettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.study.settings_faults import nearest


def front_end_of(config: Mapping[str, Any], model: str, size: str) -> str:
    """The name of the front end of a system. `config` is a checked one."""
    family = config["models"][model]
    return family["sizes"][size]["front_end"] or family["front_end"] or PAPER


def front_end_settings(config: Mapping[str, Any], name: str) -> FrontEndSettings:
    """The front end `name` of `config`, a checked configuration."""
    return settings_from(FrontEndSettings, config["front_ends"][name], f"front_ends.{name}")


def faults_of_front_ends(config: Mapping[str, Any], studied: Iterable[tuple[str, str]]) -> list[str]:
    """Names of front ends that there are not, and front ends in use that still lack something."""
    known, faults = config["front_ends"], []
    for model, family in config["models"].items():
        owners = {f"models.{model}": family}
        owners |= {f"models.{model}.sizes.{size}": own for size, own in family["sizes"].items()}
        faults += [
            f"config key {place}.front_end: {owner['front_end']!r} is not a front end"
            f"{nearest(owner['front_end'], known)}; allowed: {', '.join(known)}"
            for place, owner in owners.items()
            if owner["front_end"] not in (None, *known)
        ]
    used = dict.fromkeys([PAPER, *(front_end_of(config, *pair) for pair in studied)])
    if known[PAPER]["representation"] != "mel":
        faults.append(
            f"config key front_ends.{PAPER}.representation: {known[PAPER]['representation']!r} is not allowed, since "
            "Griffin-Lim inverts its mel-spectrograms; write mel, and give the other front end a name of its own"
        )
    for name in filter(known.__contains__, used):
        if fault := front_end_settings(config, name).fault_of_use:
            faults.append(f"config key front_ends.{name}.{fault}")
    return faults
