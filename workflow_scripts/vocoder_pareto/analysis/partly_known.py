"""Who has some of the values of a front and not all, and which reference systems belong on it.

A reference system that computes has a cost. It competes where quality is a distance from the recording, and is measured
on the device of the others; natural speech has no cost, and anchors of a listening test never compete for its scores.
Of trainings that differ in their seed alone the first one competes: three seeds would be three tries.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from vocoder_pareto.tables.columns import ENERGY, REFERENCE_FAMILY, REPLICATE_OF, SYSTEMS_COLUMNS
from vocoder_pareto.tables.comparability import why_costs_differ

ENERGY_COLUMNS = (ENERGY, "mean_power_watts")
DEVICE_COLUMNS = tuple(column.name for column in SYSTEMS_COLUMNS if column.record == "energy" and column.direction)
MOS_COLUMNS = ("mos",)


def further_seeds(systems: pd.DataFrame) -> pd.Series:
    """Which rows are further trainings of a system by other seeds: a system has one try, that of its first seed."""
    return systems.get(REPLICATE_OF, pd.Series("", systems.index)).fillna("").astype(bool)


def competitors(systems: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Which rows of `systems` compete in the objectives `names`, whether or not they have all of them."""
    others = _vocoders(systems)
    if set(names) & set(MOS_COLUMNS):
        return others
    complete = _known(systems, names).all(axis=1)
    computing = (systems["family"] == REFERENCE_FAMILY) & complete & _computes(systems, names)
    return others | (computing & _compares(systems, names, others & complete))


def partly_known(systems: pd.DataFrame, names: Sequence[str], shown: pd.Series) -> pd.Series:
    """Which rows have some of the objectives `names`, not all, and belong on an axis with the `shown` ones.

    A cost on another device than those of the systems that are shown has no place on their axis.
    """
    known = _known(systems, names)
    references = (systems["family"] == REFERENCE_FAMILY) & _computes(systems, names)
    belongs = _vocoders(systems) | references
    return ~shown & belongs & known.any(axis=1) & ~known.all(axis=1) & _compares(systems, names, shown)


def computed_elsewhere(systems: pd.DataFrame, names: Sequence[str], shown: pd.Series) -> pd.Series:
    """Which rows are of reference systems whose cost does not compare with those of the systems that are shown."""
    reference = (systems["family"] == REFERENCE_FAMILY) & _computes(systems, names)
    return reference & ~shown & ~_compares(systems, names, shown)


def _vocoders(systems: pd.DataFrame) -> pd.Series:
    """Which rows are of a vocoder in its first training."""
    return (systems["family"] != REFERENCE_FAMILY) & ~further_seeds(systems)


def _known(systems: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    return pd.DataFrame({name: np.isfinite(systems[name].to_numpy(dtype=float)) for name in names}, systems.index)


def _computes(systems: pd.DataFrame, names: Sequence[str]) -> pd.Series:
    """Which rows have a cost that was measured on a device, among the objectives."""
    costs = [name for name in names if name in DEVICE_COLUMNS]
    return _known(systems, costs).any(axis=1) if costs else pd.Series(False, systems.index)


def _compares(systems: pd.DataFrame, names: Sequence[str], shown: pd.Series) -> pd.Series:
    """Which rows have costs that compare with those of the rows that are `shown`; all, where none was measured."""
    nothing = pd.Series("", systems.index)
    devices = systems.get("device", nothing) if set(names) & set(DEVICE_COLUMNS) else nothing
    sources = systems.get("energy_source", nothing) if set(names) & set(ENERGY_COLUMNS) else nothing
    pairs = list(zip(sources, devices, strict=True))
    theirs = {pair for pair, is_shown in zip(pairs, shown, strict=True) if is_shown}
    like = [not theirs or pair in theirs or not _why_differ({pair, *theirs}) for pair in pairs]
    return pd.Series(like, systems.index, dtype=bool)


def _why_differ(pairs: set[tuple[str, str]]) -> str:
    words, devices = zip(*pairs, strict=True)
    return why_costs_differ(words, devices)
