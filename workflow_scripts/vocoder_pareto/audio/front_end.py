"""The front end of a vocoder: what makes mel-spectrograms of audio, as checkpoints keep it and messages tell it."""

import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.study.sections.front_ends import FrontEndSettings
from vocoder_pareto.study.settings_faults import keys_of

_RANGE = ("log_mel_minimum", "log_mel_maximum")
_RANGE_TOLERANCE = 0.01  # nats; rounding on another machine stays far below it


def front_end_of(mel_stats: str | Path) -> dict[str, Any]:
    """Return the front end of the mel-spectrograms that `mel_stats` was written beside, as plain values.

    Those are its settings, and the range that became 0 to 1 where that is one for the whole dataset.

    Args:
        mel_stats: mel_stats.json of `compute_mels`.

    Raises:
        UserError: The file is missing or damaged.
    """
    stats = read_json(mel_stats)
    try:
        known = dict(stats["front_end"])
        return known | ({name: stats[name] for name in _RANGE} if known["normalization"] == "dataset" else {})
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{mel_stats}: damaged; delete it and rerun the rule `compute_mels`") from error


def require_same_front_end(made_for: Mapping[str, Any], here: Mapping[str, Any], path: str | Path) -> None:
    """Refuse the weights in `path` if they were made for another front end than they would be used with.

    Args:
        made_for, here: The front ends, as of `front_end_of`; what only one of them tells is taken as the same.
        path: The file that the message names.

    Raises:
        UserError: They differ; the message tells each difference, and what to set where the configuration has it.
    """
    differing = [name for name in here if name in made_for and not _equal(name, made_for[name], here[name])]
    if not differing:
        return
    told = ", ".join(f"{name} {made_for[name]} (here {here[name]})" for name in differing)
    known = keys_of(FrontEndSettings)
    mends = ", ".join(f"{name}: {made_for[name]}" for name in differing if name in known)
    mend = f"name one of front_ends with {mends} as the front_end of its model, or take" if mends else "take"
    raise UserError(
        f"{path}: its weights are for another front end: {told}; {mend} weights made for that of this system"
    )


def _equal(name: str, one: Any, other: Any) -> bool:
    if name in _RANGE:
        return math.isclose(one, other, abs_tol=_RANGE_TOLERANCE)
    return one == other
