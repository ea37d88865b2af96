"""Quality against the energy of training: the validations of all systems in one table, and which of them are optimal.

A validation is on this front if no other one, of any system at any time, had the same quality or better for fewer
joules: the front tells what the best quality is that so many joules of training buy, and from which architecture.
"""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vocoder_pareto.analysis.estimates import restated
from vocoder_pareto.analysis.pareto import optimal
from vocoder_pareto.analysis.replicates import groups_of_replicates
from vocoder_pareto.files import read_json
from vocoder_pareto.tables.columns import Column, column_of
from vocoder_pareto.tables.csv_files import read_csv
from vocoder_pareto.tables.csv_tables import typed
from vocoder_pareto.training.bands import BAND_COLUMNS, BOUNDS
from vocoder_pareto.training.budget import Budget, Used

# A validation is that of a share if it comes so many steps behind it, or this part of the share, and no later.
_STEPS_BEHIND, _PART_BEHIND = 2, 0.05
METRICS = ("d_stft", "estoi")  # of validations, as `training.validation` measures them
_WATTS = "watts_per_core"  # the column of what an estimate took a busy core to draw
CURVE_COLUMNS = (
    Column("system", "System", kind="text"),
    Column("model", "Model", kind="text"),
    Column("size", "Size", kind="text"),
    Column("replicates_of", "First of its replicates", kind="text"),
    *(Column(f"budget_{name}", f"Budget, {name}") for name in BOUNDS),
    Column("budget_share", "Used share of the budget"),
    Column("step", "Training steps", kind="integer"),
    Column("seconds", "Training time", "s"),
    Column("joules", "Energy of training", "J", direction="min", scale="log"),
    Column("energy_source", "Source of the energy", kind="text"),
    Column("device", "Device", kind="text"),
    *(column_of(name) for name in METRICS),
    *(Column(f"on_front_{name}", f"On the front of {column_of(name).label}", kind="flag") for name in METRICS),
)


def training_curves(curves: Sequence[Path], summaries: Sequence[Path], watts_per_core: float | None) -> pd.DataFrame:
    """All validations of all systems, a row each, with the columns `CURVE_COLUMNS`, in the order of the files.

    Args:
        curves: `training/{system}/metrics.csv` of each system.
        summaries: `training/{system}/summary.json` of each, in the same order.
        watts_per_core: What a busy core is taken to draw, where joules are estimated; None leaves them.

    Raises:
        UserError: A file is missing or malformed.
    """
    records = {path: read_json(path) for path in summaries}
    groups = groups_of_replicates({record["system"]: record for record in records.values()})
    first_of = {system: first for first, members in groups.items() for system in members}
    rows = [
        row | {"replicates_of": first_of.get(row["system"], "")}
        for curve, record in zip(curves, records.values(), strict=True)
        for row in _rows(curve, record, watts_per_core)
    ]
    table = typed(pd.DataFrame(rows), CURVE_COLUMNS, "the training curves")
    return table.assign(**{f"on_front_{name}": _on_front(table, name) for name in METRICS})


def _rows(curve: Path, summary: Mapping[str, Any], watts_per_core: float | None) -> list[dict[str, Any]]:
    """The validations of one training; none of weights that were not trained here."""
    settings, joules = summary.get("settings"), summary.get("energy_joules")
    if not settings or not summary.get("steps") or summary.get("checkpoint"):
        return []
    factor = restated(summary, watts_per_core)["energy_joules"] / joules if joules else 1.0
    told = read_csv(curve, ["step", "seconds", "joules", "d_stft"])
    names = ("step", "seconds", "joules", _WATTS, *METRICS)
    columns = {name: told.numbers(name) for name in names if name in told.columns}
    bounds = {name: settings["run"].get(name) for name in BOUNDS}
    rows = []
    for cells in (dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)):
        if any(not math.isnan(cells.get(name, math.nan)) for name in METRICS):
            cells["joules"] *= _in_watts_of(summary, cells.pop(_WATTS, math.nan))
            used = Used(int(cells["step"]), cells["seconds"], None if math.isnan(cells["joules"]) else cells["joules"])
            rows.append({
                "system": summary["system"], "model": settings["system"]["model"], "size": settings["system"]["size"],
                **{f"budget_{name}": bound for name, bound in bounds.items()},
                "budget_share": Budget(**bounds).share(used), **cells, "joules": cells["joules"] * factor,
                "energy_source": summary.get("energy_source"), "device": summary.get("device"),
            })  # fmt: skip
    return rows


def _in_watts_of(summary: Mapping[str, Any], watts_per_core: float) -> float:
    """The factor from joules of a row, estimated with so many watts, to those of the summary: pieces may differ."""
    of_summary = summary.get("estimated_watts_per_core")
    return of_summary / watts_per_core if of_summary and watts_per_core > 0 else 1.0


def _on_front(table: pd.DataFrame, metric: str) -> pd.Series:
    """Which validations are optimal in joules and `metric`; empty where one is not known, or joules do not compare.

    Further seeds of a system, which do not compete, are empty, too.
    """
    competes = (table["replicates_of"] == "") | (table["replicates_of"] == table["system"])  # one seed has one try
    known = table[["joules", metric]].notna().all(axis=1) & competes
    found = pd.Series(pd.NA, index=table.index, dtype="boolean")
    sources = table.loc[known, ["energy_source", "device"]].drop_duplicates()
    if len(sources) == 1:
        values = table.loc[known, ["joules", metric]].to_numpy()
        found[known] = optimal(values, ["min", column_of(metric).direction or "min"])
    return found


def bands_of(table: pd.DataFrame, shares: Sequence[float], margin: float, least: float) -> pd.DataFrame:
    """The bands that later trainings of these systems are compared with, see `training.bands`.

    Around the mean of replicates, a band reaches as far as the largest of three standard deviations between them,
    `margin` times that mean, and `least`.

    Args:
        table: What `training_curves` gave.
        shares: The shares of the budget that have bands, where the system was validated there (`validations_at`).
        margin: The least half-width as a share of the mean, at least 0.
        least: The least half-width, at least 0.

    Returns:
        Rows of `training.bands.BAND_COLUMNS`; none where nothing was validated.
    """
    leader = table["replicates_of"].where(table["replicates_of"] != "", table["system"])
    rows: list[dict[str, Any]] = []
    for system, first in dict(zip(table["system"], leader, strict=True)).items():
        group = table[leader == first]
        bounds = {name: group[f"budget_{name}"].iloc[0] for name in BOUNDS}
        for share in shares:
            for metric in METRICS:
                values = validations_at(group, share)[metric].dropna().to_numpy()
                if len(values):
                    spread = 3 * float(np.std(values, ddof=1)) if len(values) > 1 else 0.0
                    mean = float(np.mean(values))
                    half = max(spread, margin * abs(mean), least)
                    ends = {"low": mean - half, "high": mean + half}
                    rows.append({"system": system, **bounds, "budget_share": share, "metric": metric, **ends})
    return pd.DataFrame(rows, columns=list(BAND_COLUMNS))


def validations_at(table: pd.DataFrame, share: float) -> pd.DataFrame:
    """The rows of `training_curves` that were validated at a share of the budget, at most one of each system.

    A system that was not validated there has none: what it was later on does not stand for it.
    """
    used = table["budget_share"]
    behind = np.maximum(_PART_BEHIND * share, _STEPS_BEHIND * used / table["step"].astype(float))
    there = (used >= share * (1 - 1e-9)) & (used <= (share + behind) * (1 + 1e-9))
    return table[there].groupby("system", sort=False).head(1)
