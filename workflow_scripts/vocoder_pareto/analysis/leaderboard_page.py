"""The page of the leaderboard: sets, energies of all systems on all devices, and how far the orders agree."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import jinja2
import pandas as pd
from markupsafe import Markup

from vocoder_pareto.analysis.doubts import MARK, doubts_of
from vocoder_pareto.analysis.leaderboard import MeasuredSet, order_of_systems
from vocoder_pareto.tables.columns import ENERGY, label_of_system
from vocoder_pareto.tables.sources import source_of

NOT_KNOWN = "not known"
TITLE = "Energy of neural vocoders by device"


def leaderboard_html(
    sets: Sequence[MeasuredSet],
    table: pd.DataFrame,
    agreement: Sequence[Mapping[str, Any]],
    reference: str,
    labels: Mapping[str, str],
    template: Path,
    figure: str,
) -> str:
    """The page, from the file of its template.

    Args:
        sets, table, agreement: see `leaderboard`.
        reference: the system whose energy is 1.
        labels: what readers see for a model.
        template: an HTML file.
        figure: the SVG of `leaderboard_figure`, which stands in the page.
    """
    environment = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined)
    cells = {(row["set"], row["system"]): row for row in table.to_dict("records")}
    return environment.from_string(template.read_text(encoding="utf-8")).render(
        title=TITLE,
        reference=label_of_system(reference, labels),
        mark=MARK,
        sets=[_set(each, labels) for each in sets],
        rows=[
            {
                "name": label_of_system(system, labels),
                "cells": [_cell(cells.get((each.name, system))) for each in sets],
            }
            for system in order_of_systems(table)
        ],
        agreement=_matrix(sets, agreement),
        figure=Markup(figure[figure.index("<svg") :]),
    )


def _set(each: MeasuredSet, labels: Mapping[str, str]) -> dict[str, Any]:
    source = source_of(each.energy_source)
    protocol = each.protocol and ", ".join(f"{key} {value}" for key, value in each.protocol.items())
    days = each.measured and (each.measured[0] if len(set(each.measured)) == 1 else " to ".join(each.measured))
    return {
        "name": each.name,
        "device": each.device,
        "source": source.label,
        "word": source.word,
        "stands_in": source.stands_in,
        "driver": each.driver or NOT_KNOWN,
        "measured": days or NOT_KNOWN,
        "runs": each.runs or NOT_KNOWN,
        "protocol": protocol or NOT_KNOWN,
        "flags": _flags(each.systems, labels),
        "systems": len(each.systems),
    }


def _flags(systems: pd.DataFrame, labels: Mapping[str, str]) -> str:
    """Each flag with the systems that have it."""
    systems_of: dict[str, list[str]] = {}
    for system, flags in zip(systems["system"], systems["flags"], strict=True):
        for flag in filter(None, flags.split(";")):
            systems_of.setdefault(flag, []).append(label_of_system(system, labels))
    texts = (
        f"{flag}: {'all' if len(names) == len(systems) else ', '.join(names)}" for flag, names in systems_of.items()
    )
    return "; ".join(texts) or "none"


def _cell(row: Mapping[Any, Any] | None) -> dict[str, str]:
    """What stands of one system on one device; empty where it was not measured."""
    if row is None or pd.isna(row[ENERGY]):
        return {"joules": "", "relative": "", "rank": "", "doubt": ""}
    half = row[f"{ENERGY}_ci95"]
    doubts = doubts_of({"it": row["flags"].split(";")}).get("it", [])
    return {
        "joules": _digits(row[ENERGY], 3) + ("" if pd.isna(half) else f" ± {_digits(half, 2)}"),
        "relative": "" if pd.isna(row["relative_energy"]) else _digits(row["relative_energy"], 3),
        "rank": str(row["rank"]),
        "doubt": ", ".join(doubts),
    }


def _digits(value: float, count: int) -> str:
    """A number with so many digits, of which the last may be zeros: 0.0800, 106."""
    return format(value, f"#.{count}g").removesuffix(".")


def _matrix(sets: Sequence[MeasuredSet], agreement: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Rows of the table of rank agreement: τ of each pair, and over how many systems."""
    found = {frozenset(each["sets"]): each for each in agreement}

    def cell(one: MeasuredSet, other: MeasuredSet) -> str:
        if one is other:
            return ""
        pair = found[frozenset((one.name, other.name))]
        if pair["kendall_tau"] is None:
            return f"– ({pair['systems']})"
        return f"{pair['kendall_tau']:.2f} ({pair['systems']})".replace("-", "−")

    return [{"name": one.device, "cells": [cell(one, other) for other in sets]} for one in sets]
