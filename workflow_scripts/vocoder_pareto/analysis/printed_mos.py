"""To which systems of a study the printed MOS belong: to those that are the paper's, whatever their names."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from vocoder_pareto.study.sections.front_ends import BUILT_IN, PAPER
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS
from vocoder_pareto.tables.columns import PRINTED_GFLOPS

CORPUS = "ljspeech"
PAPER_RATE = BUILT_IN[PAPER].sample_rate
# Of all 18 systems, parameters and GFLOPs agree with Table 2 within 1 %, but for the GFLOPs of WaveGrad L, whose
# configuration was not published: ours has the parameters, and four fifths of the GFLOPs.
_PARAMETERS_WITHIN, _GFLOPS_WITHIN = 0.01, 0.25
_SHOWN = 2


@dataclass(frozen=True)
class Study:
    """What a study says of itself.

    Attributes:
        front_ends: names the front end of each system; a system that is not named has the paper's.
        corpus: is its `dataset.source`; None where it is not known, and the recordings are taken to be the paper's.
        printed_cost: Table 2 as `published.read_cost` gives it; None leaves the counts alone.
    """

    front_ends: Mapping[str, str] = field(default_factory=dict)
    corpus: str | None = None
    printed_cost: pd.DataFrame | None = None


def withheld_mos(complexity: list[Mapping[str, Any]], study: Study) -> dict[str, str]:
    """The systems, and references, that the printed MOS of their name does not belong to, each with the reason.

    A system has the paper's front end, rate and architecture or it is another one. Of the architecture the counts
    speak: parameters and, by the paper's convention, operations, which depend on the number of sampling steps, too.

    Args:
        complexity: holds the records of `measure_complexity`.
        study: says the rest.
    """
    found = {counts["system"]: _why_another(counts, study) for counts in complexity}
    if study.corpus not in (None, CORPUS):
        recordings = f"dataset.source is {study.corpus}, the paper's recordings are LJSpeech"
        found |= dict.fromkeys(REFERENCE_SYSTEMS, recordings)
    return {system: why for system, why in found.items() if why}


def sentence(withheld: Mapping[str, str]) -> str:
    """Which systems lack the printed MOS of their name, for readers; "" if none. References stand in no figure."""
    told = [f"{system} ({why})" for system, why in withheld.items() if system not in REFERENCE_SYSTEMS]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return f"The printed MOS is of another network than {', '.join(told[:_SHOWN])}{more}." if told else ""


def _why_another(counts: Mapping[str, Any], study: Study) -> str:
    system = counts["system"]
    front_end = study.front_ends.get(system, PAPER)
    if front_end != PAPER:
        return f"its front end is {front_end}, the paper's is {PAPER}"
    rate = counts.get("sample_rate", PAPER_RATE)
    if rate != PAPER_RATE:
        return f"its rate is {rate} Hz, the paper's is {PAPER_RATE} Hz"
    if study.printed_cost is None or system not in set(study.printed_cost["system"]):
        return ""
    printed = study.printed_cost.set_index("system").loc[system]
    for name, ours, theirs, within in (
        ("parameters", counts["parameters"], printed["parameters"], _PARAMETERS_WITHIN),
        ("GFLOPs by the paper's convention", counts[PRINTED_GFLOPS], printed["gflops"], _GFLOPS_WITHIN),
    ):
        if abs(ours / theirs - 1) > within:
            return f"it has {ours:.4g} {name}, the paper's has {theirs:.4g}"
    return ""
