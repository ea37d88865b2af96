"""Our numbers beside the printed ones: by the paper's convention, exact, their ratio, and why they differ."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from vocoder_pareto.analysis.pareto import dominators, optimal
from vocoder_pareto.analysis.published import CarbonStatement, Conventions
from vocoder_pareto.analysis.untrained import not_judged, why_not_judged
from vocoder_pareto.tables.columns import ENERGY, EXACT_GFLOPS, PRINTED_GFLOPS, system_label
from vocoder_pareto.tables.comparability import (
    why_costs_differ,
    why_distances_differ,
    why_no_finding,
    why_not_beside_published,
)
from vocoder_pareto.tables.sources import COUNTED, MEASURED, source_of

AGREEMENT = 0.01  # relative difference that counts as agreement
OTHER_CONFIGURATION = "Not the configuration of the paper."
QUANTITIES = ("parameters", "gflops", "energy", "d_stft")
TITLES = {
    "parameters": "Parameters",
    "gflops": "GFLOPs (exact: per second of audio)",
    "energy": "Energy (joules per second of audio)",
    "d_stft": "Spectral distance (D_STFT)",
}


def compare_with_published(
    systems: pd.DataFrame, printed: pd.DataFrame, conventions: Conventions, statement: CarbonStatement
) -> pd.DataFrame:
    """A row per system and quantity, for the systems that the paper has too.

    Args:
        systems: `systems.csv` of this study.
        printed: `published/systems.csv`.
        conventions: what the printed numbers counted, and the reasons for differences.
        statement: holds the paper's hours of training.

    Returns:
        Columns quantity, system, model, size, printed, ours_same_convention (empty where no number of ours is on
        comparable terms), ours_exact, ratio (ours by the same convention / printed), agrees (within 1 %), our_source,
        reason.
    """
    ours = systems.assign(not_judged=not_judged(systems)).set_index("system")
    rows = []
    for quantity in QUANTITIES:
        for paper in printed[printed["system"].isin(ours.index)].to_dict("records"):
            own = ours.loc[paper["system"]].to_dict()
            found = _COMPARE[quantity](own, paper, conventions, statement)
            if found is not None:
                identity = {key: paper[key] for key in ("system", "model", "size")}
                rows.append({"quantity": quantity} | identity | found)
    names = ["quantity", "system", "model", "size", "printed", "ours_same_convention", "ours_exact", "ratio", "agrees"]
    table = pd.DataFrame(rows, columns=[*names, "our_source", "reason"])
    table["ratio"] = table["ours_same_convention"].astype("float64") / table["printed"].replace(0.0, np.nan)
    table["agrees"] = (table["ratio"] - 1).abs().le(AGREEMENT).astype("boolean").where(table["ratio"].notna())
    unexplained = ~table["agrees"].fillna(True).astype(bool) & (table["reason"] == "")
    table.loc[unexplained, "reason"] = OTHER_CONFIGURATION
    return table


def agreement(systems: pd.DataFrame, printed: pd.DataFrame) -> dict[str, Any]:
    """How far the costs here order the systems as the printed ones do, and what that does to the front.

    For energy and for GFLOPs: how many systems compare, and which do not and why (`not_compared`, systems by reason);
    rank correlations with the printed column (null for fewer than three systems); each system's ratio to its printed
    value relative to the median ratio; and, among the rated systems, both fronts, who joins and who leaves, and by whom
    they are (or no longer are) dominated. Where our MOS are no finding, the fronts are null and `no_fronts` says why.
    """
    together = systems.merge(printed, on="system", suffixes=("", "_printed"))
    costs = {"energy": (ENERGY, f"{ENERGY}_printed"), "gflops": (EXACT_GFLOPS, f"{PRINTED_GFLOPS}_printed")}
    compared = {}
    for name, (ours, theirs) in costs.items():
        known = together[together[[ours, theirs]].notna().all(axis=1)]
        reasons = _why_energies_are_not_ranked(known) if name == "energy" else pd.Series("", index=known.index)
        left_out = known["system"].groupby(reasons[reasons != ""]).agg(list).to_dict()
        compared[name] = _agreement_of(known[reasons == ""], ours, theirs) | {"not_compared": left_out}
    return {
        "mos_source": sorted(set(together["mos_source"]) - {""}),
        "energy_source": sorted(set(together["energy_source"]) - {""}),
        "device": sorted(set(together["device"]) - {""}),
        **compared,
    }


def _why_energies_are_not_ranked(known: pd.DataFrame) -> pd.Series:
    """For each system why its energy does not compare with printed ones, or with those of the other systems."""
    reasons = known["energy_source"].map(why_not_beside_published)
    rest = known[reasons == ""]
    return reasons.where(reasons != "", why_costs_differ(rest["energy_source"], rest["device"]))


def to_markdown(
    table: pd.DataFrame, agreed: Mapping[str, Any], conventions: Conventions, labels: Mapping[str, str]
) -> str:
    """The comparison for readers: a table per quantity, then ranks and fronts, then what the authors' code does."""
    lines = ["# Our numbers beside the published ones", ""]
    lines.append("Printed: Douwes et al. 2023, tables 1 and 2. Ratio: ours by the paper's convention / printed.")
    for quantity in QUANTITIES:
        part = table[table["quantity"] == quantity]
        if not len(part):
            continue
        known = part["ratio"].notna().sum()
        lines += ["", f"## {TITLES[quantity]}", ""]
        if known:
            lines += [f"{part['agrees'].sum()} of {known} agree within 1 %.", ""]
        lines += [
            "| System | printed | ours, same convention | ours, exact | ratio | source of ours | why they differ |"
        ]
        lines += ["| :-- | --: | --: | --: | --: | :-- | :-- |"]
        for row in part.to_dict("records"):
            keys = ("printed", "ours_same_convention", "ours_exact")
            numbers = ["" if pd.isna(row[key]) else _number(row[key], quantity) for key in keys]
            ratio = "" if pd.isna(row["ratio"]) else f"{row['ratio']:.3f}"
            name = system_label(row["model"], row["size"], labels)
            lines.append(f"| {' | '.join([name, *numbers, ratio, row['our_source'], row['reason']])} |")
    lines += ["", "## Ranks and fronts", ""]
    names = {row["system"]: system_label(row["model"], row["size"], labels) for row in table.to_dict("records")}
    for cost in ("energy", "gflops"):
        lines += _agreement_lines(cost, agreed, names)
    lines += _authors_code_lines(table, conventions, labels)
    return "\n".join(lines) + "\n"


def _authors_code_lines(table: pd.DataFrame, conventions: Conventions, labels: Mapping[str, str]) -> list[str]:
    """What sets trained systems of the paper apart from ours, for the models of the table."""
    systems = table[["model", "size"]].drop_duplicates("model").to_dict("records")
    facts = {row["model"]: conventions.of(row["model"], row["size"]).authors_code for row in systems}
    lines = [f"- {labels.get(model, model)}: {fact}" for model, own in facts.items() for fact in own]
    if not lines:
        return []
    return [
        "",
        "## What the authors' code does otherwise",
        "",
        "The code behind the printed numbers (ConstanceDws/neural-audio-energy) differs from the papers of the models, "
        "or from ours. Where a setting of ours does as it does, the docstring of the model's module names it.",
        "",
        *lines,
    ]


def _parameters(own, paper, conventions, statement):
    reason = conventions.of(paper["model"], paper["size"]).parameters
    return _row(paper["parameters"], own["parameters"], own["parameters"], COUNTED.word, reason)


def _gflops(own, paper, conventions, statement):
    reasons = (conventions.gflops, conventions.of(paper["model"], paper["size"]).gflops)
    reason = " ".join(filter(None, reasons))
    return _row(paper[PRINTED_GFLOPS], own[PRINTED_GFLOPS], own[EXACT_GFLOPS], COUNTED.word, reason)


def _energy(own, paper, conventions, statement):
    source = own["energy_source"]
    why = why_not_beside_published(source)
    reasons = (conventions.energy.get(source, why), "" if why else conventions.of(paper["model"], paper["size"]).energy)
    reason = " ".join(filter(None, reasons))
    return _row(paper[ENERGY], None if why else own[ENERGY], own[ENERGY], source, reason)


def _distance(own, paper, conventions, statement):
    if own["not_judged"] and paper["d_stft"]:
        return {"printed": paper["d_stft"], "our_source": "", "reason": why_not_judged(own["training_steps"])}
    why = why_distances_differ(own["training_seconds"], statement.hours_per_model)
    reasons = (conventions.d_stft["short" if why else "full"], conventions.of(paper["model"], paper["size"]).d_stft)
    reason = " ".join(filter(None, reasons))
    return _row(paper["d_stft"], None if why else own["d_stft"], own["d_stft"], MEASURED.word, reason)


_COMPARE = {"parameters": _parameters, "gflops": _gflops, "energy": _energy, "d_stft": _distance}


def _row(printed, same, exact, source: str, reason: str) -> dict[str, Any] | None:
    """None where the paper or this study has no number at all, or for natural speech, whose distance is 0 by nature."""
    if pd.isna(printed) or printed == 0 or pd.isna(exact):
        return None
    same = np.nan if same is None or pd.isna(same) else float(same)
    row = {"printed": float(printed), "ours_same_convention": same, "ours_exact": float(exact)}
    return row | {"our_source": source, "reason": reason}


def _agreement_of(costed: pd.DataFrame, ours: str, printed: str) -> dict[str, Any]:
    ratios = costed[ours] / costed[printed]
    relative = dict(zip(costed["system"], (ratios / ratios.median()).round(4), strict=True))
    rated = costed[costed[["mos", "mos_printed"]].notna().all(axis=1)]
    why = why_no_finding(rated["mos_source"])
    return {
        "systems": len(costed),
        "spearman": _correlation(stats.spearmanr, costed[ours], costed[printed]),
        "kendall": _correlation(stats.kendalltau, costed[ours], costed[printed]),
        "ratio_to_median_ratio": relative,
        "no_fronts": why,
        **(dict.fromkeys(_FRONTS) if why or rated.empty else _fronts_of(rated, ours, printed)),
    }


_FRONTS = ("front_published", "front_here", "joined", "left")


def _fronts_of(rated: pd.DataFrame, ours: str, printed: str) -> dict[str, Any]:
    names = rated["system"].to_numpy()
    here = rated[[ours, "mos"]].to_numpy(dtype=float)
    there = rated[[printed, "mos_printed"]].to_numpy(dtype=float)
    directions = ["min", "max"]
    on_front_here, on_front_there = optimal(here, directions), optimal(there, directions)
    over_here, over_there = dominators(here, directions), dominators(there, directions)
    joined = np.flatnonzero(on_front_here & ~on_front_there)
    left = np.flatnonzero(on_front_there & ~on_front_here)
    return {
        "front_published": list(names[on_front_there]),
        "front_here": list(names[on_front_here]),
        "joined": {names[index]: {"was_dominated_by": list(names[over_there[index]])} for index in joined},
        "left": {names[index]: {"is_dominated_by": list(names[over_here[index]])} for index in left},
    }


def _correlation(function, one: pd.Series, other: pd.Series) -> float | None:
    if len(one) < 3 or one.nunique() < 2 or other.nunique() < 2:
        return None
    return float(function(one, other).statistic)


def _agreement_lines(cost: str, agreed: Mapping[str, Any], names: Mapping[str, str]) -> list[str]:
    found = agreed[cost]
    what = "Energy here against the printed E_gen" if cost == "energy" else "Exact GFLOPs against the printed ones"
    left_out = [f"  Not compared: {_listed(systems, names)}, {why}." for why, systems in found["not_compared"].items()]
    if not found["systems"]:
        return [f"- {what}: {'no system compares' if left_out else 'no system has both'}.", *left_out]
    ranks = [
        f"{word} {found[key]:.3f}"
        for word, key in (("Spearman", "spearman"), ("Kendall", "kendall"))
        if found[key] is not None
    ]
    lines = [f"- {what}, {found['systems']} systems: {', '.join(ranks) or 'too few systems for ranks'}.", *left_out]
    if found["no_fronts"]:
        return [*lines, f"  Fronts are not compared: {found['no_fronts']}."]
    return lines if found["front_here"] is None else lines + _front_lines(found, agreed["mos_source"], names)


def _front_lines(found: Mapping[str, Any], mos_source: Sequence[str], names: Mapping[str, str]) -> list[str]:
    rated_by = ", ".join(source_of(word).label for word in mos_source)
    here = f"Here (MOS {rated_by}): {_listed(found['front_here'], names)}."
    lines = [f"  Front published: {_listed(found['front_published'], names)}. {here}"]
    for system, why in found["joined"].items():
        lines.append(
            f"  {_listed([system], names)} joins the front: no longer dominated by "
            f"{_listed(why['was_dominated_by'], names)}; {_shift(found, system)}."
        )
    for system, why in found["left"].items():
        lines.append(
            f"  {_listed([system], names)} leaves the front: now dominated by "
            f"{_listed(why['is_dominated_by'], names)}; {_shift(found, system)}."
        )
    return lines


def _shift(found: Mapping[str, Any], system: str) -> str:
    return f"its cost relative to the others is {found['ratio_to_median_ratio'][system]:.2f} times the published one"


def _listed(systems: Sequence[str], names: Mapping[str, str]) -> str:
    return ", ".join(names.get(system, system) for system in systems) or "none"


def _number(value: float, quantity: str) -> str:
    if quantity == "parameters":
        return f"{value:,.0f}"
    return f"{value:,.1f}" if value >= 1000 else f"{value:#.4g}"
