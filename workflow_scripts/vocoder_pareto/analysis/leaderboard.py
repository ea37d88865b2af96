"""All measured sets side by side: what each system costs on each device, absolute and relative, and in which order.

Energies of several devices stand beside each other; they are divided by each other within one device alone. What two
devices may be asked in common is the order of the systems.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

import pandas as pd
from scipy.stats import kendalltau

from vocoder_pareto.analysis.published import DEVICE
from vocoder_pareto.analysis.relative_energy import relative_energies
from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.measured_set import combined_records, run_folders
from vocoder_pareto.tables.columns import ENERGY, REFERENCE_FAMILY
from vocoder_pareto.tables.sources import PUBLISHED

FEWEST_SYSTEMS = 3  # in common, for a rank correlation
TOLD_OF_PROTOCOL = (
    "clips", "clip_seconds", "batch_size", "precision", "compile", "processes", "windows", "min_window_seconds",
)  # fmt: skip
COLUMNS = (
    "set", "device", "energy_source", "system", ENERGY, f"{ENERGY}_ci95", "rank", "relative_energy",
    "relative_energy_ci95", "publishable", "flags",
)  # fmt: skip


@dataclass(frozen=True)
class MeasuredSet:
    """One device and all that was measured on it.

    Attributes:
        name: of its folder; `published` for the paper's.
        device, energy_source: as in records.
        driver: of the GPU; None where there is none, or where it is not known.
        measured: first and last day (YYYY-MM-DD, UTC); None where not known.
        runs: how often it was repeated; None where not known.
        protocol: what of it a reader asks first; None where not known.
        systems: a row per system: system, configuration (digest of architecture and sampling, "" where not known),
            energy with its interval, publishable, flags (separated by ;).
    """

    name: str
    device: str
    energy_source: str
    driver: str | None
    measured: tuple[str, str] | None
    runs: int | None
    protocol: Mapping[str, Any] | None
    systems: pd.DataFrame


def read_stored_set(folder: str | Path) -> MeasuredSet:
    """A set of `resources/measured`, with all runs of a system as one number, see `combined_runs`.

    Raises:
        UserError: a record is damaged, or runs are no repetitions of one measurement.
    """
    folder = Path(folder)
    records = combined_records(folder)
    rows = [
        {
            "system": name,
            "configuration": record["settings"]["digest"],
            ENERGY: record[ENERGY],
            f"{ENERGY}_ci95": record.get(f"{ENERGY}_ci95"),
            "publishable": record["publishable"],
            "flags": ";".join(record["flags"]),
        }
        for name, record in records.items()
    ]
    first = next(iter(records.values()))
    gpu = first.get("hardware", {}).get("gpu") or {}
    protocol = {key: first["protocol"][key] for key in TOLD_OF_PROTOCOL if key in first["protocol"]}
    days = sorted(day for run in run_folders(folder) for file in run.glob("*.json") for day in _days(read_json(file)))
    return MeasuredSet(
        folder.name,
        first["device"],
        first["energy_source"],
        gpu.get("driver"),
        (days[0], days[-1]) if days else None,
        len(run_folders(folder)),
        protocol,
        _typed(rows),
    )


def published_set(systems: pd.DataFrame) -> MeasuredSet:
    """The paper's column of energies, from its `systems.csv`."""
    known = systems[systems[ENERGY].notna() & (systems["family"] != REFERENCE_FAMILY)]
    rows = [
        {
            "system": row["system"], "configuration": "", ENERGY: row[ENERGY], f"{ENERGY}_ci95": row[f"{ENERGY}_ci95"],
            "publishable": None, "flags": "",
        }
        for row in known.to_dict("records")
    ]  # fmt: skip
    return MeasuredSet("published", DEVICE, PUBLISHED.word, None, None, None, None, _typed(rows))


def one_name_per_configuration(sets: Sequence[MeasuredSet]) -> list[MeasuredSet]:
    """The sets, with another name for a system whose configuration is not that of the first set which tells one.

    `hifigan-S` of 32 channels becomes `hifigan-S (1a2b3c4d)`, so that no two systems are taken for one.
    """
    known: dict[str, str] = {}
    named = []
    for each in sets:
        names = []
        for system, configuration in zip(each.systems["system"], each.systems["configuration"], strict=True):
            first = known.setdefault(system, configuration) if configuration else ""
            names.append(system if configuration == first else f"{system} ({configuration[:8]})")
        named.append(MeasuredSet(**{**vars(each), "systems": each.systems.assign(system=names)}))
    return named


def leaderboard_table(sets: Sequence[MeasuredSet], reference: str) -> pd.DataFrame:
    """A row per set and system: its energy, its rank on that device (1 costs least), and its energy by the reference's.

    Args:
        sets: with one name per configuration.
        reference: the system whose energy is 1 on each device; where it is missing, there are no relative energies.
    """
    tables = []
    for each in sets:
        rows = each.systems.assign(device=each.device, energy_source=each.energy_source)
        relative = [relative_energies(rows, reference)[system] for system in rows["system"]]
        rows = rows.assign(
            set=each.name,
            rank=rows[ENERGY].rank(method="min").astype("Int64"),
            relative_energy=pd.Series([one.ratio for one in relative], rows.index, dtype=float),
            relative_energy_ci95=pd.Series([one.ratio_ci95 for one in relative], rows.index, dtype=float),
        )
        tables.append(rows.sort_values([ENERGY, "system"])[list(COLUMNS)])
    return pd.concat(tables, ignore_index=True)


def rank_agreement(sets: Sequence[MeasuredSet]) -> list[dict[str, Any]]:
    """Kendall's τ-b of the energies on each pair of devices, over the systems that both have.

    1 is the same order, −1 the reverse; None for fewer than three systems, or where all energies of one are equal.
    """
    found = []
    for one, other in combinations(sets, 2):
        both = one.systems.merge(other.systems, on="system", suffixes=("", "_other"))
        both = both.dropna(subset=[ENERGY, f"{ENERGY}_other"])
        tau = None
        if len(both) >= FEWEST_SYSTEMS:
            tau = float(kendalltau(both[ENERGY], both[f"{ENERGY}_other"]).statistic)
        found.append(
            {
                "sets": [one.name, other.name],
                "systems": len(both),
                "kendall_tau": None if tau is None or pd.isna(tau) else tau,
            }
        )
    return found


def order_of_systems(table: pd.DataFrame) -> list[str]:
    """Systems from the least to the largest energy: by the median of what they cost relative to the reference.

    One without any relative energy stands at the end.
    """
    medians = table.groupby("system")["relative_energy"].median()
    return list(medians.sort_values(kind="stable", na_position="last").index)


def _days(record: Mapping[str, Any]) -> list[str]:
    windows = record.get("windows") or []
    return [str(moment)[:10] for window in windows if (moment := window.get("start", {}).get("utc"))]


def _typed(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    table = pd.DataFrame(rows, columns=["system", "configuration", ENERGY, f"{ENERGY}_ci95", "publishable", "flags"])
    return table.astype(
        {"system": "str", "configuration": "str", ENERGY: float, f"{ENERGY}_ci95": float, "publishable": "boolean"}
    )
