"""The energy of systems as a multiple of that of one reference system on the same device, where the two compare."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.tables.comparability import why_costs_differ


@dataclass(frozen=True)
class RelativeEnergy:
    """One energy divided by that of the reference system.

    Attributes:
        reference: the reference system.
        ratio: 1 for the reference itself; None where the two do not compare.
        ratio_ci95: half-width of its 95 % interval; None where either interval is not known.
        why_not: why there is no ratio, in words for readers; empty where there is one.
    """

    reference: str
    ratio: float | None
    ratio_ci95: float | None
    why_not: str = ""


def relative_energies(systems: pd.DataFrame, reference: str) -> dict[str, RelativeEnergy]:
    """The energy of every row of `systems` relative to that of the row `reference`, by system.

    The interval joins those of both energies, taken to be independent. It is of repetitions alone: the systematic error
    of a meter is for the most part the same for all systems on its device, and cancels.

    Args:
        systems: `systems.csv`, or its columns system, device, energy_source and those of the energy.
        reference: name of a system.
    """
    rows = {row["system"]: row for row in systems.to_dict("records")}
    if reference not in rows:
        return {name: _without(reference, f"{reference} was not measured beside it") for name in rows}
    base = rows[reference]
    if pd.isna(base[ENERGY]):
        return {name: _without(reference, f"the energy of {reference} is not known") for name in rows}
    return {name: _relative(row, base) for name, row in rows.items()}


def ratio_with_interval(
    energy: float, half_width: float | None, base: float, base_half_width: float | None
) -> tuple[float, float | None]:
    """`energy` / `base`, and the half-width of its 95 % interval, to first order: relative ones add as squares."""
    ratio = energy / base
    if half_width is None or base_half_width is None or math.isnan(half_width) or math.isnan(base_half_width):
        return ratio, None
    return ratio, ratio * math.hypot(half_width / energy, base_half_width / base)


def _relative(row: Mapping[Any, Any], base: Mapping[Any, Any]) -> RelativeEnergy:
    reference = base["system"]
    if row["system"] == reference:
        return RelativeEnergy(reference, 1.0, 0.0)
    if pd.isna(row[ENERGY]):
        return _without(reference, "its energy is not known")
    if why := why_costs_differ([row["energy_source"], base["energy_source"]], [row["device"], base["device"]]):
        return _without(reference, why)
    widths = row[f"{ENERGY}_ci95"], base[f"{ENERGY}_ci95"]
    return RelativeEnergy(reference, *ratio_with_interval(row[ENERGY], widths[0], base[ENERGY], widths[1]))


def _without(reference: str, why: str) -> RelativeEnergy:
    return RelativeEnergy(reference, None, None, why)
