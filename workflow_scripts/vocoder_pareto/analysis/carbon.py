"""Emissions: the paper's statement from its inputs, ours beside it, and training next to generation."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vocoder_pareto.analysis.published import CarbonStatement
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.tables.columns import ENERGY, REFERENCE_FAMILY
from vocoder_pareto.tables.comparability import why_sources_differ
from vocoder_pareto.tables.csv_tables import read_table
from vocoder_pareto.tables.sources import PUBLISHED, UNTRAINED
from vocoder_pareto.units import JOULES_PER_KWH, SECONDS_PER_HOUR

COLUMNS = (
    "study", "system", "training_hours", "training_mean_power_watts", "training_kwh", "training_energy_source",
    "power_usage_effectiveness", "intensity_kg_per_kwh", "training_kg_co2eq", "printed_kwh", "printed_kg_co2eq",
    "generation_joules_per_audio_second", "generation_energy_source", "generation_kwh_per_audio_hour",
    "generation_kg_co2eq_per_audio_hour", "break_even_audio_hours",
)  # fmt: skip
_TEXTS = ("study", "system", "training_energy_source", "generation_energy_source")
THEIRS, OURS = "published", "here"  # studies
ALL_SYSTEMS = "all"


def carbon_table(
    statement: CarbonStatement,
    printed: pd.DataFrame,
    carbon: CarbonSettings,
    systems: pd.DataFrame | None = None,
    training: Mapping[str, Mapping[str, Any]] | None = None,
) -> pd.DataFrame:
    """A row per system and study (`published`, `here`), and one for all systems of each.

    `break_even_audio_hours` is the audio whose generation costs as much as the training did: above it, the cost of
    generation is the larger one. It is empty where the two energies do not compare. The paper's is an upper bound: its
    training energy, as it prints it, is the power limit of its board × time. The row of all systems has no energy where
    one is not known, or where measurements would be added to estimates. Hours, energy and emissions of our trainings
    hold those of steps that a kill lost. A system that was not trained has none of them, its source says `untrained`,
    and it is no part of the row of all.

    Args:
        statement: the paper's inputs, and its printed results to check against.
        printed: `published/systems.csv`.
        carbon: intensity and site of this study.
        systems: `systems.csv` of this study; None for the paper alone.
        training: summaries of training by system, for the source of their energy.
    """
    theirs = CarbonSettings(intensity_kg_per_kwh=statement.intensity_kg_per_kwh)
    rows = []
    for system, joules in zip(*_generators(printed), strict=True):
        row = _row(THEIRS, system, statement.hours_per_model, statement.kwh_per_model, PUBLISHED.word, theirs)
        row |= _generation(joules, PUBLISHED.word, row, theirs)
        rows.append(row | {"printed_kwh": statement.printed_kwh_per_model})
    hours = statement.hours_per_model * statement.models
    total = _row(THEIRS, ALL_SYSTEMS, hours, statement.kwh_per_model * statement.models, PUBLISHED.word, theirs)
    rows.append(total | {"printed_kg_co2eq": statement.printed_kg_co2eq})
    if systems is not None:
        rows += _ours(systems, training or {}, carbon)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def read_carbon(path: str | Path) -> pd.DataFrame:
    """Read `carbon.csv`: "" for unknown text, missing values elsewhere.

    Raises:
        UserError: as `read_table`.
    """
    return read_table(path, {name: "text" if name in _TEXTS else "number" for name in COLUMNS})


def _ours(systems: pd.DataFrame, training: Mapping[str, Mapping[str, Any]], carbon: CarbonSettings) -> list[dict]:
    rows = []
    for system in systems[systems["family"] != REFERENCE_FAMILY].to_dict("records"):
        summary = training.get(system["system"], {})
        kwh = system["training_energy_joules"] / JOULES_PER_KWH
        lost_seconds = summary.get("lost_seconds", 0.0)
        hours = (system["training_seconds"] + (np.nan if lost_seconds is None else lost_seconds)) / SECONDS_PER_HOUR
        source = (summary.get("energy_source") or "") if pd.notna(kwh) else ""
        is_untrained = pd.notna(system["training_steps"]) and system["training_steps"] == 0
        row = _row(OURS, system["system"], hours, kwh, UNTRAINED.word if is_untrained else source, carbon)
        rows.append(row | _generation(system[ENERGY], system["energy_source"], row, carbon))
    return [*rows, _total(pd.DataFrame(rows, columns=list(COLUMNS)), carbon)] if rows else []


def _total(rows: pd.DataFrame, carbon: CarbonSettings) -> dict[str, Any]:
    """All trainings together: empty without any, where one is not known, or where their energies do not compare."""
    rows = rows[rows["training_energy_source"] != UNTRAINED.word]
    if rows.empty:
        return _row(OURS, ALL_SYSTEMS, np.nan, np.nan, UNTRAINED.word, carbon)
    sources = list(rows["training_energy_source"])
    kwh = np.nan if why_sources_differ(sources) else rows["training_kwh"].sum(skipna=False)
    hours = rows["training_hours"].sum(skipna=False)
    return _row(OURS, ALL_SYSTEMS, hours, kwh, "; ".join(sorted(set(sources) - {""})), carbon)


def _row(study: str, system: str, hours: float, kwh: float, source: str, carbon: CarbonSettings) -> dict[str, Any]:
    return {
        "study": study,
        "system": system,
        "training_hours": hours,
        "training_mean_power_watts": 1000 * kwh / hours if hours else np.nan,
        "training_kwh": kwh,
        "training_energy_source": source,
        "power_usage_effectiveness": carbon.power_usage_effectiveness,
        "intensity_kg_per_kwh": carbon.intensity_kg_per_kwh,
        "training_kg_co2eq": kwh * JOULES_PER_KWH * carbon.kg_per_joule,
    }


def _generation(joules: float, source: str, training: Mapping[str, Any], carbon: CarbonSettings) -> dict[str, Any]:
    kwh_per_hour = joules * SECONDS_PER_HOUR / JOULES_PER_KWH
    compares = not why_sources_differ([source, training["training_energy_source"]])
    return {
        "generation_joules_per_audio_second": joules,
        "generation_energy_source": source if pd.notna(joules) else "",
        "generation_kwh_per_audio_hour": kwh_per_hour,
        "generation_kg_co2eq_per_audio_hour": joules * SECONDS_PER_HOUR * carbon.kg_per_joule,
        "break_even_audio_hours": training["training_kwh"] / kwh_per_hour if compares and kwh_per_hour else np.nan,
    }


def _generators(systems: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    costed = systems[systems[ENERGY].notna()]
    return costed["system"], costed[ENERGY]
