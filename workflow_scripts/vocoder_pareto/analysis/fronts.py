"""The front of a table of systems in chosen columns: members, probabilities, knee, hypervolume, and who is left out."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np
import pandas as pd

from vocoder_pareto.analysis.front_measures import hypervolume, hypervolume_contributions, knee
from vocoder_pareto.analysis.front_probability import front_probability
from vocoder_pareto.analysis.pareto import DIRECTIONS, dominators, optimal, optimal_within
from vocoder_pareto.analysis.partly_known import (
    DEVICE_COLUMNS,
    ENERGY_COLUMNS,
    MOS_COLUMNS,
    competitors,
    computed_elsewhere,
    further_seeds,
    partly_known,
)
from vocoder_pareto.analysis.uncertainty import COMMON_SHARE, EXACT_COLUMNS, SUFFIXES, Uncertainty, uncertainty_of
from vocoder_pareto.analysis.untrained import not_judged
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.tables.columns import (
    METRIC_COLUMNS,
    PREDICTED_MOS,
    REFERENCE_FAMILY,
    SYSTEMS_COLUMNS,
    Kind,
    column_of,
)
from vocoder_pareto.tables.comparability import why_costs_differ, why_ratings_differ
from vocoder_pareto.tables.csv_tables import read_table, write_table
from vocoder_pareto.tables.sources import PUBLISHED

IDENTITY = ("system", "label", "model", "size", "family")
_FLAGS = ("on_front", "on_family_front", "is_knee")
_MARKS = ("energy_doubts", "not_publishable", "not_comparable", "untrained")
COLUMNS_OF_FRONTS = (*IDENTITY, *_FLAGS, "front_probability", "hypervolume_share", "dominated_by", *_MARKS)
QUALITY_COLUMNS = ("mos", PREDICTED_MOS, *METRIC_COLUMNS)
MAX_LISTED = 200  # systems; in longer tables, `dominated_by` lists the first of the optimal systems only
MOST_DOMINATORS = 10  # that it lists there
MAX_SHARES = 10_000  # (systems on the front)^(objectives - 1), beyond which their shares of the volume are left empty
MARGIN = 0.1  # of the range of each scaled objective: how far beyond the worst value the reference point lies


@dataclass(frozen=True)
class Objectives:
    """Two or three columns to optimise at once.

    Attributes:
        name: names the files.
        columns: column names with `min` or `max`, in the order of the axes.
    """

    name: str
    columns: Mapping[str, str]

    def __post_init__(self):
        if not 2 <= len(self.columns) <= 3:
            raise ValueError(f"objectives {self.name!r} have {len(self.columns)} columns; allowed are 2 or 3")
        for column, direction in self.columns.items():
            if direction not in DIRECTIONS:
                raise ValueError(f"objective {column!r} has direction {direction!r}; allowed: {', '.join(DIRECTIONS)}")

    def in_order_of_systems(self) -> Self:
        """The same with costs before quality, as `systems.csv` orders them: sorted JSON has lost the order."""
        order = [column.name for column in SYSTEMS_COLUMNS if column.direction]
        unknown = [name for name in self.columns if name not in order]
        if unknown:
            allowed = ", ".join(order)
            raise UserError(f"config key pareto.objectives: {unknown[0]!r} is no objective; allowed: {allowed}")
        return type(self)(self.name, {name: self.columns[name] for name in sorted(self.columns, key=order.index)})


@dataclass(frozen=True)
class Front:
    """The systems that have all objectives, a row each, and what holds for the front as a whole.

    Attributes:
        objectives: what was optimised.
        table: `system`, `model`, `size`, `family`; each objective and what stands beside it of its uncertainty;
            `on_front`, `on_family_front`, `front_probability` (empty where an uncertainty is not known), `is_knee`,
            `hypervolume_share`, `dominated_by` (names joined by `;`; of more than 200 systems, ten optimal ones at
            most); sources; what the figure marks: `energy_doubts`, `not_publishable`, `not_comparable` (why the costs
            of the table do not compare), `untrained`.
        summary: plain JSON: front, knee, hypervolume, sources, systems left out and why (`not_judged`, and of these the
            `briefly_trained`), what is known of systems without all values (`partly_known`), reference systems that
            another device computes (`computed_elsewhere`), further trainings of a system by other seeds, which do not
            compete (`further_seeds`), values of references.
    """

    objectives: Objectives
    table: pd.DataFrame
    summary: Mapping[str, Any]

    @property
    def names(self) -> list[str]:
        """Column names of the objectives."""
        return list(self.objectives.columns)

    def write(self, table: str | Path, summary: str | Path) -> None:
        """Write the table as CSV and the summary as JSON."""
        write_table(self.table, table)
        write_json(summary, self.summary)


def read_front(table: str | Path, summary: str | Path) -> Front:
    """Read what `Front.write` wrote.

    Raises:
        UserError: a file is missing or is not a front's.
    """
    content = read_json(summary)
    objectives = Objectives(content["name"], content["objectives"])
    kinds = _kinds_of_columns(list(objectives.columns))
    rows = read_table(table, kinds, ["system", *objectives.columns, *_FLAGS])
    return Front(objectives, rows.astype(dict.fromkeys(_FLAGS, "bool")), content)


def find_front(
    systems: pd.DataFrame,
    objectives: Objectives,
    draws: int = 10_000,
    seed: int = 0,
    not_publishable: Sequence[str] = (),
    common_share: float = COMMON_SHARE,
    exact: Collection[str] = EXACT_COLUMNS,
    doubts: Mapping[str, Sequence[str]] = MappingProxyType({}),
    ratings: str = "",
    predicted: Mapping[str, Any] = MappingProxyType({}),
) -> Front:
    """The front of `systems` in `objectives`.

    Columns: `system`, the objectives, and, where known, how uncertain these are (see `uncertainty_of`), `model` (groups
    of sub-fronts), `size`, `family`, `label` (a name to show instead of model and size) and the sources. Systems with
    an empty objective are left out and listed; which reference systems compete, `analysis.partly_known` says.

    Args:
        systems: a row per system.
        objectives: columns to optimise.
        draws, seed: of the probabilities, see `front_probability`.
        not_publishable: systems measured with a shortened protocol.
        common_share, exact: see `uncertainty_of`.
        ratings: what became of the ratings that the MOS is made of, in a sentence.
        predicted: of predicted MOS, why it is `withheld`, in a sentence, and its `resolution`, see `predictions`.

    Raises:
        UserError: an objective is no numeric column, its uncertainty is negative, or MOS of several listening tests
            would share an axis.
    """
    names = list(objectives.columns)
    everyone = _checked(systems, names)
    competing = everyone[competitors(everyone, names)]
    complete = np.isfinite(competing[names].to_numpy(dtype=float)).all(axis=1)
    table = competing[complete].reset_index(drop=True)
    if "mos" in names and (why := why_ratings_differ(table["mos_source"])):
        found = ", ".join(sorted(set(table["mos_source"])))
        raise UserError(f"column mos_source has {found}: {why}; they are relative to the stimuli of one test; keep one")
    try:
        uncertainty = uncertainty_of(table, names, exact, common_share)
    except ValueError as error:
        raise UserError(f"columns {', '.join(f'…{suffix}' for suffix in SUFFIXES)}: {error}") from error
    volume, members = _members(table, uncertainty, objectives, draws, seed)
    shown = pd.Series(everyone.index.isin(competing.index[complete]), everyone.index)
    sources = _sources(table, names)
    on_device = bool(set(DEVICE_COLUMNS) & set(names))
    on_quality = bool(set(QUALITY_COLUMNS) & set(names))
    short = set(not_publishable) if on_device else set()
    unjudged = competing[~complete & not_judged(competing)] if on_quality else competing[:0]
    summary = {
        "name": objectives.name,
        "objectives": dict(objectives.columns),
        "systems": len(table),
        "front": list(table["system"][members["on_front"]]),
        "knee": next(iter(table["system"][members["is_knee"]]), None),
        "hypervolume": volume,
        "left_out": {
            row["system"]: [name for name in names if not np.isfinite(row[name])]
            for row in competing[~complete].to_dict("records")
        },
        "not_judged": list(unjudged["system"]),
        "briefly_trained": list(unjudged["system"][unjudged["training_steps"] > 0]) if len(unjudged) else [],
        "partly_known": _values(everyone[partly_known(everyone, names, shown)], names),
        "computed_elsewhere": list(everyone["system"][computed_elsewhere(everyone, names, shown)]),
        "further_seeds": list(everyone["system"][further_seeds(everyone)]),
        "sources": {name: sorted(set(cells)) for name, cells in sources.items()},
        "references": _values(everyone[everyone["family"] == REFERENCE_FAMILY], names),
        "not_publishable": [name for name in table["system"] if name in short],
        "doubts": {name: list(doubts[name]) for name in table["system"] if on_device and name in doubts},
        "ratings": ratings if set(MOS_COLUMNS) & set(names) else "",
        "predicted_mos": dict(predicted) if PREDICTED_MOS in names else {},
        "training_steps": _training_steps(table, names),
        "is_uncertain": uncertainty.is_uncertain,
        "uncertainty_unknown": _columns_where(uncertainty.unknown, table, names),
        "systematic_unknown": _columns_where(
            np.isnan(uncertainty.systematic) & [name in ENERGY_COLUMNS for name in names], table, names
        ),
        "systematic_common_share": common_share,
        "draws": draws,
        "seed": seed,
    }
    beside = [f"{name}{suffix}" for name in names for suffix in SUFFIXES if f"{name}{suffix}" in table]
    columns = table[[name for name in IDENTITY if name in table] + names + beside]
    marks = _marks(table, sources, doubts if on_device else {}, short)
    return Front(objectives, pd.concat([columns, members], axis=1).assign(**sources, **marks), summary)


def _kinds_of_columns(names: Sequence[str]) -> dict[str, Kind]:
    """What the columns of the table of a front in the objectives `names` hold."""
    sources = ("mos_source", f"{PREDICTED_MOS}_source", "energy_source", "device")
    texts: dict[str, Kind] = dict.fromkeys([*IDENTITY, "dominated_by", *sources], "text")
    flags: dict[str, Kind] = dict.fromkeys(_FLAGS, "flag")
    beside = [f"{name}{suffix}" for name in names for suffix in SUFFIXES]
    numbers: dict[str, Kind] = dict.fromkeys([*names, *beside, "front_probability", "hypervolume_share"], "number")
    return texts | flags | numbers


def scaled_costs(values: np.ndarray, objectives: Objectives) -> np.ndarray:
    """Objectives (N, K) as costs from 0 (best of all systems) to 1 (worst), costs on logarithmic axes by logarithm.

    The knee and the hypervolume are taken here, so that neither depends on units.
    """
    scaled = np.empty_like(values, dtype=float)
    for index, (name, direction) in enumerate(objectives.columns.items()):
        column = values[:, index]
        column = np.log10(column) if is_logarithmic(name, direction, column) else column
        column = -column if direction == "max" else column
        span = np.ptp(column) if len(column) else 0.0
        scaled[:, index] = (column - column.min(initial=np.inf)) / span if span else 0.0
    return scaled


def is_logarithmic(name: str, direction: str, values: np.ndarray) -> bool:
    """Whether a column belongs on a logarithmic axis: one that is known to, or an unknown cost that is positive."""
    if len(values) == 0 or values.min() <= 0:
        return False
    known = any(column.name == name for column in SYSTEMS_COLUMNS)
    return column_of(name).scale == "log" if known else direction == "min"


def _members(
    table: pd.DataFrame, uncertainty: Uncertainty, objectives: Objectives, draws: int, seed: int
) -> tuple[float, pd.DataFrame]:
    """Hypervolume of the front as a share of the box up to the reference point, and what holds for each system."""
    values = table[list(objectives.columns)].to_numpy(dtype=float)
    directions = list(objectives.columns.values())
    minimised = ["min"] * len(directions)
    reference = np.full(len(directions), 1 + MARGIN)
    scaled = scaled_costs(values, objectives)
    front = optimal(values, directions)
    volume = hypervolume(scaled, minimised, reference)
    shares = np.full(len(table), np.nan)
    if front.sum() ** (len(directions) - 1) <= MAX_SHARES:
        shares = hypervolume_contributions(scaled, minimised, reference) / (volume or 1.0)
    listed, most = (None, None) if len(table) <= MAX_LISTED else (front, MOST_DOMINATORS)
    names = table["system"].to_numpy(dtype=object)
    knee_index = knee(scaled, minimised)
    members = {
        "on_front": front,
        "on_family_front": optimal_within(values, directions, table["model"]),
        "front_probability": front_probability(values, uncertainty, directions, draws, seed),
        "is_knee": [index == knee_index for index in range(len(table))],
        "hypervolume_share": shares,
        "dominated_by": [";".join(names[found]) for found in dominators(values, directions, listed, most)],
    }
    return volume / float(reference.prod()), pd.DataFrame(members, index=table.index).astype({"is_knee": bool})


def _checked(systems: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    for name in names:
        if name not in systems:
            raise UserError(f"column {name!r} is missing; the table has {', '.join(map(str, systems.columns))}")
        if not pd.api.types.is_numeric_dtype(systems[name]) and systems[name].notna().any():
            raise UserError(f"column {name!r} is not numeric; it holds {systems[name].dropna().iloc[0]!r}")
    systems = systems.reset_index(drop=True)
    systems = systems.assign(**{name: pd.to_numeric(systems[name]).astype("float64") for name in names})
    defaults: dict[str, pd.Series | str] = {"model": systems["system"], "size": "", "family": "", "mos_source": ""}
    return systems.assign(**{name: value for name, value in defaults.items() if name not in systems})


def _values(systems: pd.DataFrame, names: Sequence[str]) -> dict[str, dict[str, float]]:
    """The objectives that each system has."""
    rows = systems.to_dict("records")
    return {row["system"]: {name: row[name] for name in names if np.isfinite(row[name])} for row in rows}


def _columns_where(mask: np.ndarray, table: pd.DataFrame, names: Sequence[str]) -> dict[str, list[str]]:
    """The systems that `mask` (N, K) marks, by objective."""
    return {name: list(table["system"][mask[:, index]]) for index, name in enumerate(names) if mask[:, index].any()}


def _training_steps(table: pd.DataFrame, names: Sequence[str]) -> list[int]:
    """Fewest and most steps of the models whose quality is shown; none where it is the paper's, or not known."""
    if "training_steps" not in table or not set(QUALITY_COLUMNS) & set(names):
        return []
    is_ours = (table["mos_source"] != PUBLISHED.word) | bool({PREDICTED_MOS, *METRIC_COLUMNS} & set(names))
    ours = table["training_steps"][is_ours]
    return [int(ours.min()), int(ours.max())] if ours.notna().any() else []


def _marks(
    table: pd.DataFrame, sources: Mapping[str, list[str]], doubts: Mapping[str, Sequence[str]], short: Collection[str]
) -> dict[str, list[str] | list[bool]]:
    """What the figure says of its numbers, row by row; a table that knows no source or training has none of it."""
    systems = list(table["system"])
    marks: dict[str, list[str] | list[bool]] = {}
    if "energy_source" in sources or "device" in sources:
        words, devices = (list(filter(None, sources.get(name, []))) for name in ("energy_source", "device"))
        why = why_costs_differ(words, devices)
        marks["energy_doubts"] = ["; ".join(doubts.get(system, ())) for system in systems]
        marks["not_publishable"] = [system in short for system in systems]
        marks["not_comparable"] = [why] * len(systems)
    if "training_steps" in table:
        marks["untrained"] = [bool(steps == 0) for steps in table["training_steps"].fillna(-1)]
    return marks


def _sources(table: pd.DataFrame, names: Sequence[str]) -> dict[str, list[str]]:
    wanted = [
        ("mos_source", MOS_COLUMNS),
        (f"{PREDICTED_MOS}_source", (PREDICTED_MOS,)),
        ("energy_source", ENERGY_COLUMNS),
        ("device", DEVICE_COLUMNS),
    ]
    return {source: list(table[source]) for source, columns in wanted if set(columns) & set(names) and source in table}
