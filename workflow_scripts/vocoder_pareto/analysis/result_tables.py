"""Tables 1 and 2 of the paper, for its numbers or for ours: quality, and cost."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Literal

import pandas as pd

from vocoder_pareto.analysis.display_table import DisplayColumn, DisplayTable
from vocoder_pareto.analysis.doubts import MARK, explanation
from vocoder_pareto.analysis.figure_captions import NOT_PUBLISHABLE
from vocoder_pareto.analysis.predictions import not_told_apart
from vocoder_pareto.analysis.untrained import sentence
from vocoder_pareto.tables.columns import (
    CLIPS_LEFT_OUT,
    ENERGY,
    EXACT_GFLOPS,
    PREDICTED_MOS,
    PRINTED_GFLOPS,
    REFERENCE_FAMILY,
    model_label,
)
from vocoder_pareto.tables.comparability import why_costs_differ
from vocoder_pareto.tables.sources import CONVERTED, COUNTED, INFERRED, MEASURED, PUBLISHED, Source

Origin = Literal["published", "measured"]

# What the sources of columns without a column of their own are, by the origin of the table.
COUNTS = {"published": PUBLISHED, "measured": COUNTED}
EXACT_COUNTS = {"published": CONVERTED, "measured": COUNTED}
DISTANCES = {"published": PUBLISHED, "measured": MEASURED}


def quality_table(
    systems: pd.DataFrame, origin: Origin, suggested: Sequence[str], labels: Mapping[str, str]
) -> pd.DataFrame:
    """Table 1 as data: MOS, spectral distance and predicted MOS of every system, each with its source."""
    interval_source = systems["mos_source"].replace({PUBLISHED.word: INFERRED.word})
    return _named(systems, suggested, labels).assign(
        mos=systems["mos"],
        mos_source=systems["mos_source"],
        mos_ci95=systems["mos_ci95"],
        mos_ci95_source=interval_source.where(systems["mos_ci95"].notna(), ""),
        d_stft=systems["d_stft"],
        d_stft_source=_where_known(systems["d_stft"], DISTANCES[origin]),
        d_stft_ci95=systems["d_stft_ci95"],
        predicted_mos=systems[PREDICTED_MOS],
        predicted_mos_source=[f"predicted:{word}" if word else "" for word in systems[f"{PREDICTED_MOS}_source"]],
        predicted_mos_ci95=systems[f"{PREDICTED_MOS}_ci95"],
    )


def cost_table(
    systems: pd.DataFrame,
    origin: Origin,
    suggested: Sequence[str],
    labels: Mapping[str, str],
    doubts: Mapping[str, Sequence[str]] = MappingProxyType({}),
) -> pd.DataFrame:
    """Table 2 as data: parameters, FLOPs and energy of every system but the references, each with its source.

    `energy_doubts` says what speaks against an energy, see `doubts.doubts_of`.
    """
    systems = systems[systems["family"] != REFERENCE_FAMILY]
    energy_source = systems["energy_source"].replace({PUBLISHED.word: CONVERTED.word})
    return _named(systems, suggested, labels).assign(
        parameters=systems["parameters"],
        parameters_source=_where_known(systems["parameters"], COUNTS[origin]),
        **{
            EXACT_GFLOPS: systems[EXACT_GFLOPS],
            f"{EXACT_GFLOPS}_source": _where_known(systems[EXACT_GFLOPS], EXACT_COUNTS[origin]),
            PRINTED_GFLOPS: systems[PRINTED_GFLOPS],
            f"{PRINTED_GFLOPS}_source": _where_known(systems[PRINTED_GFLOPS], COUNTS[origin]),
            ENERGY: systems[ENERGY],
            f"{ENERGY}_source": energy_source.where(systems[ENERGY].notna(), ""),
            f"{ENERGY}_ci95": systems[f"{ENERGY}_ci95"],
        },
        energy_doubts=["; ".join(doubts.get(system, ())) for system in systems["system"]],
        real_time_factor=systems["real_time_factor"],
        real_time_factor_source=_where_known(systems["real_time_factor"], MEASURED),
        device=systems["device"],
    )


def quality_display(
    table: pd.DataFrame,
    systems: pd.DataFrame,
    ratings: str = "",
    predicted: Mapping[str, Any] = MappingProxyType({}),
) -> DisplayTable:
    """Table 1 for readers.

    Args:
        table: see `quality_table`.
        systems: what it was made of.
        ratings: a sentence on those of a listening test.
        predicted: of predicted MOS, why it is `withheld` and its `resolution`, see `predictions`.
    """
    scores = dict(zip(_names(table), table[PREDICTED_MOS], strict=True))
    predictions = [predicted["withheld"], not_told_apart(scores, predicted["resolution"])] if predicted else []
    return DisplayTable(
        caption="Quality of the systems: mean opinion score (MOS) and spectral distance.",
        columns=[
            DisplayColumn("Model", _names(table)),
            DisplayColumn("MOS", _formatted(table["mos"], ".2f"), list(table["mos_source"])),
            DisplayColumn("± (95 %)", _formatted(table["mos_ci95"], ".2f"), list(table["mos_ci95_source"])),
            DisplayColumn(
                "D_STFT", _formatted(table["d_stft"], ".4f"), list(table["d_stft_source"]), r"$\mathcal{D}_{STFT}$"
            ),
            DisplayColumn("± (95 %)", _formatted(table["d_stft_ci95"], ".4f"), list(table["d_stft_source"])),
            DisplayColumn(
                "Predicted MOS", _formatted(table[PREDICTED_MOS], ".2f"), list(table["predicted_mos_source"])
            ),
            DisplayColumn(
                "± (95 %)", _formatted(table["predicted_mos_ci95"], ".2f"), list(table["predicted_mos_source"])
            ),
        ],
        emphasised=_on_front(table, systems),
        notes=[*_notes(table, systems), *filter(None, [_left_out(table, systems), ratings, *predictions])],
        label="tab:quality",
    )


def _left_out(table: pd.DataFrame, systems: pd.DataFrame) -> str:
    """A sentence on the utterances without a spectral distance, which means leave out; empty if all have one."""
    cells = dict(zip(systems["system"], systems[CLIPS_LEFT_OUT], strict=True))
    of_systems: dict[str, list[str]] = {}
    for system, name in zip(table["system"], _names(table), strict=True):
        for part in cells.get(system, "").split("; "):
            if part.startswith("d_stft: "):
                of_systems.setdefault(part.removeprefix("d_stft: "), []).append(name)
    counts = ", ".join(f"{count} ({', '.join(names)})" for count, names in of_systems.items())
    return (
        f"Utterances without a spectral distance, as of a silent recording, are left out: {counts}." if counts else ""
    )


def cost_display(table: pd.DataFrame, systems: pd.DataFrame, not_publishable: Sequence[str] = ()) -> DisplayTable:
    """Table 2 for readers; `not_publishable` are systems whose energy is an estimate or of a quick protocol."""
    devices = sorted(set(table["device"]) - {""})
    notes = _notes(table, systems)
    doubtful = table["energy_doubts"] != ""
    doubts = {row["system"]: row["energy_doubts"].split("; ") for row in table[doubtful].to_dict("records")}
    notes += filter(None, [explanation(doubts, dict(zip(table["system"], _names(table), strict=True)))])
    if devices:
        notes.append(f"Energy on {', '.join(devices)}.")
    if set(not_publishable) & set(table["system"]):
        notes.append(NOT_PUBLISHABLE)
    return DisplayTable(
        caption="Cost of the systems: parameters, floating-point operations and energy per second of generated audio.",
        columns=[
            DisplayColumn("Model", _names(table)),
            DisplayColumn("Param. (M)", _millions(table["parameters"]), list(table["parameters_source"])),
            DisplayColumn("GFLOPs/s", _formatted(table[EXACT_GFLOPS], ",.2f"), list(table[f"{EXACT_GFLOPS}_source"])),
            DisplayColumn(
                "GFLOPs (paper's count)",
                _formatted(table[PRINTED_GFLOPS], ",.2f"),
                list(table[f"{PRINTED_GFLOPS}_source"]),
            ),
            DisplayColumn(
                "J per s of audio", _marked(table[ENERGY], "#.4g", doubtful), list(table[f"{ENERGY}_source"])
            ),
            DisplayColumn("± (95 %)", _formatted(table[f"{ENERGY}_ci95"], ".2g"), list(table[f"{ENERGY}_source"])),
            DisplayColumn(
                "Real-time factor",
                _marked(table["real_time_factor"], "#.3g", doubtful),
                list(table["real_time_factor_source"]),
            ),
        ],
        emphasised=_on_front(table, systems),
        notes=notes,
        label="tab:cost",
    )


def _named(systems: pd.DataFrame, suggested: Sequence[str], labels: Mapping[str, str]) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "system": systems["system"],
            "model": [model_label(model, labels) for model in systems["model"]],
            "size": systems["size"],
            "suggested_by_authors": systems["system"].isin(list(suggested)),
        }
    )


def _names(table: pd.DataFrame) -> list[str]:
    stars = table["suggested_by_authors"].map({True: "*", False: ""})
    return [
        f"{name}{star} {size}".rstrip() for name, star, size in zip(table["model"], stars, table["size"], strict=True)
    ]


def _where_known(cells: pd.Series, source: Source) -> pd.Series:
    return cells.notna().map({True: source.word, False: ""})


def _formatted(cells: pd.Series, pattern: str) -> list[str]:
    return ["" if pd.isna(cell) else format(float(cell), pattern) for cell in cells]


def _marked(cells: pd.Series, pattern: str, doubtful: pd.Series) -> list[str]:
    """The cells, with a mark where they are doubtful."""
    return [
        f"{cell}{MARK}" if cell and doubt else cell
        for cell, doubt in zip(_formatted(cells, pattern), doubtful, strict=True)
    ]


def _millions(cells: pd.Series) -> list[str]:
    """With the digits of the paper: two decimals, three below a million."""
    return ["" if pd.isna(cell) else format(cell / 1e6, ".2f" if cell >= 1e6 else ".3f") for cell in cells]


def _on_front(table: pd.DataFrame, systems: pd.DataFrame) -> list[bool]:
    front = set(systems.loc[systems["on_front_energy"].fillna(False), "system"])
    return [system in front for system in table["system"]]


def _notes(table: pd.DataFrame, systems: pd.DataFrame) -> list[str]:
    notes = []
    named = dict(zip(table["system"], _names(table), strict=True))
    costed = systems[systems[[ENERGY, "mos"]].notna().all(axis=1)]
    if any(_on_front(table, systems)):
        notes.append("Bold: Pareto optimal in energy and MOS.")
    elif why := why_costs_differ(costed["energy_source"], costed["device"]):
        notes.append(f"No front of energy and MOS: {why}.")
    if table["suggested_by_authors"].any():
        notes.append("* sizes that the authors added to those of the original papers.")
    if untrained := sentence(systems, systems["system"].map(named)):
        notes.append(untrained)
    steps = systems["training_steps"].dropna()
    steps = steps[steps > 0]
    if len(steps):
        counts = f"{steps.min():,}" if steps.min() == steps.max() else f"{steps.min():,} to {steps.max():,}"
        notes.append(f"Trained for {counts} steps.")
    return notes
