"""One measurement beside those that are known, the paper's printed ones and stored sets, where they may share an axis.

The rules are those of `tables.comparability`: joules of another device, of another kind of source or of another
protocol stand on an axis of their own. Operations are counted on the model, so that they compare across devices.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from vocoder_pareto.analysis.published import DEVICE, GENERATED_SECONDS
from vocoder_pareto.analysis.stored_sets import StoredSet
from vocoder_pareto.tables.columns import ENERGY, EXACT_GFLOPS
from vocoder_pareto.tables.comparability import why_costs_differ, why_protocols_differ
from vocoder_pareto.tables.sources import PUBLISHED, source_of

PUBLISHED_PROTOCOL = {"precision": "float32", "batch_size": 1, "clip_seconds": GENERATED_SECONDS / 10}


@dataclass(frozen=True)
class Comparison:
    """Numbers of one quantity that may be compared with each other.

    Attributes:
        column: The column of systems.csv that they belong to.
        title: The device, or what else tells the axis from others.
        known: The number of each known system.
        own: That of the measurement; None where it is not known or may not stand here.
        why_not: Why it may not, in words; empty where it stands here.
        sentence: Where the numbers come from.
        half_widths: Half the widths of the 95 % intervals of `known`; None where none is known.
        own_half_width: That of `own`.
    """

    column: str
    title: str
    known: Mapping[str, float]
    own: float | None
    why_not: str
    sentence: str
    half_widths: Mapping[str, float | None] = field(default_factory=dict)
    own_half_width: float | None = None

    def cheaper(self) -> list[str]:
        """The known systems that need less than the measured one; none where it does not stand here."""
        return [] if self.own is None else [system for system, value in self.known.items() if value < self.own]


def comparisons(
    record: Mapping[str, Any], gflops: float | None, published: pd.DataFrame, sets: Sequence[StoredSet]
) -> list[Comparison]:
    """The measurement of `record` beside the printed energies, each of `sets`, and by operations.

    Args:
        record: What `measure_energy` returns.
        gflops: Its operations per second of audio; None where they could not be counted.
        published: Table 2, see `read_cost`.
        sets: The stored sets.
    """
    word, device = record["energy_source"], record["device"]
    printed = dict(zip(published["system"], published[ENERGY], strict=True))
    found = [
        _of_energy(record, f"{DEVICE} (published)", DEVICE, PUBLISHED.word, PUBLISHED_PROTOCOL, printed, {}),
        *(_of_energy(record, each.device, each.device, each.source, each.protocol, each.joules, each.half_widths)
          for each in sets),
    ]  # fmt: skip
    if record[ENERGY] is not None and all(each.why_not for each in found):
        own, half_width = record[ENERGY], record[f"{ENERGY}_ci95"]
        sentence = f"Here: {source_of(word).label}, {device}."
        title = f"{device} (here{f', {word}' if source_of(word).stands_in else ''})"
        found.append(Comparison(ENERGY, title, {}, own, "", sentence, {}, half_width))
    counted = {system: count for each in sets for system, count in each.gflops.items()}
    why = "" if gflops is not None else "nothing was counted"
    found.append(Comparison(EXACT_GFLOPS, "Any device", counted, gflops, why, "GFLOPs: counted on the models."))
    return found


def _of_energy(
    record: Mapping[str, Any],
    title: str,
    device: str,
    word: str,
    protocol: Mapping[str, Any],
    joules: Mapping[str, float],
    half_widths: Mapping[str, float | None],
) -> Comparison:
    why = "its energy could not be measured" if record[ENERGY] is None else (
        why_costs_differ([record["energy_source"], word], [record["device"], device])
        or why_protocols_differ(record["protocol"], protocol)
    )  # fmt: skip
    own, half_width = (None, None) if why else (record[ENERGY], record[f"{ENERGY}_ci95"])
    return Comparison(
        ENERGY, title, joules, own, why, f"{title}: {source_of(word).described(ENERGY)}.", half_widths, half_width
    )
