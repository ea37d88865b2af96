"""Which systems of the paper's front stand on cost alone, beside newer ones that nobody has rated in its test.

A system stays on any front as long as nothing is cheaper, whatever the others sound like. One that a newcomer
undercuts stays only if that one sounds worse, which its cost does not tell. How sure that is follows from draws of the
true joules, given the measured ones (`uncertainty.py`): what a device measures wrongly of all systems alike moves none
before another.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from vocoder_pareto.analysis.display_table import DisplayColumn, DisplayTable
from vocoder_pareto.analysis.uncertainty import COMMON_SHARE, uncertainty_of
from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.columns import ENERGY, REFERENCE_FAMILY, label_of_system
from vocoder_pareto.tables.comparability import why_costs_differ

SURE = 0.975
COLUMNS = (
    "system", ENERGY, f"{ENERGY}_ci95", "survival_probability", "cheaper_for_sure", "perhaps_cheaper",
    "cheapest_newcomer", "energy_ratio", "energy_ratio_low", "energy_ratio_high", "energy_source", "device",
)  # fmt: skip


def find_challengers(
    systems: pd.DataFrame,
    published: pd.DataFrame,
    draws: int = 10_000,
    seed: int = 0,
    common_share: float = COMMON_SHARE,
) -> pd.DataFrame:
    """For each system of the paper's front of energy and MOS, which of the newer systems cost less here.

    Args:
        systems: `systems.csv` of a study of both.
        published: `published/systems.csv`, whose systems are the paper's.
        draws: number of draws of the true joules.
        seed: of the draws.
        common_share: see `Uncertainty`.

    Returns:
        Columns `COLUMNS`, a row per system, the cheapest first. `survival_probability` is the share of draws in which
        no newcomer costs less; `cheaper_for_sure` are those that do in 97.5 % of them, `perhaps_cheaper` the others
        that do in 2.5 %; `energy_ratio` is what the cheapest newcomer costs over what the system costs, with its 95 %
        interval.

    Raises:
        UserError: no system of the paper's front was measured, no newer one, or their joules do not compare.
    """
    measured = systems[systems[ENERGY].notna() & (systems["family"] != REFERENCE_FAMILY)].reset_index(drop=True)
    optimal = set(published.loc[published["on_front_energy"].fillna(False).astype(bool), "system"])
    olds = measured[measured["system"].isin(optimal)].sort_values(ENERGY).index
    news = measured.index[~measured["system"].isin(published["system"])]
    if not len(olds) or not len(news):
        missing = "system of the paper's front" if not len(olds) else "system that is not the paper's"
        raise UserError(
            f"systems.csv: the energy of no {missing} is known; run both in one study (presets/modern.yaml)"
        )
    if why := why_costs_differ(measured["energy_source"], measured["device"]):
        raise UserError(f"systems.csv: costs do not compare: {why}")
    uncertainty = uncertainty_of(measured, [ENERGY], common_share=common_share)
    drawn = uncertainty.draws(measured[[ENERGY]].to_numpy(float), draws, np.random.default_rng(seed))[:, :, 0]
    rows = [_row(measured, drawn, old, news) for old in olds]
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _row(measured: pd.DataFrame, drawn: np.ndarray, old: int, news: pd.Index) -> dict[str, Any]:
    ratios = drawn[:, news] / drawn[:, [old]]
    cheaper = pd.Series((ratios < 1).mean(axis=0), index=measured.loc[news, "system"])
    cheapest = int(np.argmin(measured.loc[news, ENERGY].to_numpy()))
    low, high = np.quantile(ratios[:, cheapest], [0.025, 0.975])
    system, newcomer = measured.loc[old], measured.loc[news[cheapest]]
    return {
        "system": system["system"],
        ENERGY: system[ENERGY],
        f"{ENERGY}_ci95": system[f"{ENERGY}_ci95"],
        "survival_probability": float((ratios >= 1).all(axis=1).mean()),
        "cheaper_for_sure": " ".join(cheaper.index[cheaper >= SURE]),
        "perhaps_cheaper": " ".join(cheaper.index[(cheaper < SURE) & (cheaper > 1 - SURE)]),
        "cheapest_newcomer": newcomer["system"],
        "energy_ratio": newcomer[ENERGY] / system[ENERGY],
        "energy_ratio_low": low,
        "energy_ratio_high": high,
        "energy_source": system["energy_source"],
        "device": system["device"],
    }


def challengers_display(challengers: pd.DataFrame, labels: Mapping[str, str]) -> DisplayTable:
    """The same for readers, with the verdict in words."""
    rows = challengers.to_dict("records")

    def named(systems: str) -> str:
        return ", ".join(label_of_system(system, labels) for system in systems.split()) or "none"

    sources = [row["energy_source"] for row in rows]
    return DisplayTable(
        f"What the newer systems leave of the paper's front, by cost alone, on {rows[0]['device']}.",
        [
            DisplayColumn("System", [label_of_system(row["system"], labels) for row in rows]),
            DisplayColumn("J per second of audio", [_with_interval(row) for row in rows], sources),
            DisplayColumn("Cheaper for sure", [named(row["cheaper_for_sure"]) for row in rows]),
            DisplayColumn("Perhaps cheaper", [named(row["perhaps_cheaper"]) for row in rows]),
            DisplayColumn("The cheapest newer one costs", [_ratio(row, labels) for row in rows], sources),
            DisplayColumn("On cost alone", [_verdict(row) for row in rows]),
        ],
        [row["survival_probability"] >= SURE for row in rows],
        (
            "A system survives on cost alone if nothing newer is cheaper: then it is optimal whatever the others sound "
            "like. If something is, it remains optimal only if all cheaper ones sound worse, which cost does not tell.",
        ),
        "tab:challengers",
    )


def _with_interval(row: Mapping[Any, Any]) -> str:
    half_width = row[f"{ENERGY}_ci95"]
    return f"{row[ENERGY]:.3g}" + ("" if pd.isna(half_width) else f" ± {half_width:.2g}")


def _ratio(row: Mapping[Any, Any], labels: Mapping[str, str]) -> str:
    name = label_of_system(row["cheapest_newcomer"], labels)
    return (
        f"{row['energy_ratio']:.2f} times it ({row['energy_ratio_low']:.2f} to {row['energy_ratio_high']:.2f}): {name}"
    )


def _verdict(row: Mapping[Any, Any]) -> str:
    chance = row["survival_probability"]
    if chance >= SURE:
        return "survives"
    return "is undercut" if chance <= 1 - SURE else f"survives with a probability of {chance:.0%}"
