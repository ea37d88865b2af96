"""All checks of a vocoder, one after the other, and what is to be said of each."""

import traceback
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from vocoder_pareto.conformance.candidate import Candidate, LeftOut, Mend
from vocoder_pareto.conformance.checks import CHECKS, FIRST, Check
from vocoder_pareto.conformance.training_check import check_training
from vocoder_pareto.errors import UserError, first_line

LIBRARY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Attributes:
        check: The name of the check.
        verdict: ok, or mend where the vocoder must be, or left out where the check says nothing about it.
        words: What to mend, why it was left out, or a remark; empty where there is none.
    """

    check: str
    verdict: Literal["ok", "mend", "left out"]
    words: str = ""

    def __str__(self) -> str:
        return f"{self.verdict:<8}  {self.check:<10}  {self.words}".rstrip()


def check_vocoder(candidate: Candidate) -> Iterator[Finding]:
    """Yield what each check finds of `candidate`; what cannot be built is checked no further."""
    for name, check in FIRST:
        yield _finding(name, check, candidate)
    if not _can_be_built(candidate):
        return
    for name, check in (*CHECKS, ("training", check_training)):
        yield _finding(name, check, candidate)


def _can_be_built(candidate: Candidate) -> bool:
    try:
        candidate.built()
    except Exception:  # which the check of building has told
        return False
    return True


def _finding(name: str, check: Check, candidate: Candidate) -> Finding:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return Finding(name, "ok", check(candidate))
    except LeftOut as reason:
        return Finding(name, "left out", str(reason))
    except (Mend, UserError) as fault:
        return Finding(name, "mend", str(fault))
    except Exception as error:
        return Finding(name, "mend", f"{type(error).__name__}: {first_line(error)}{_place(error)}")


def _place(error: Exception) -> str:
    """Where in the code of the user it happened, or else where it did."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if not _is_ours_or_installed(Path(frame.filename))]
    frame = (own or frames)[-1]
    return f" ({Path(frame.filename).name}, line {frame.lineno})"


def _is_ours_or_installed(file: Path) -> bool:
    is_ours = file.is_relative_to(LIBRARY) and not file.is_relative_to(LIBRARY / "models")
    return is_ours or bool({"site-packages", "dist-packages"} & set(file.parts)) or file.name.startswith("<")
