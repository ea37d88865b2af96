"""Emissions: the paper's statement from its inputs, ours beside it, and training next to generation."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from vocoder_pareto.analysis.published import CarbonStatement
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.tables.columns import ENERGY, REFERENCE_FAMILY
from vocoder_pareto.tables.sources import ESTIMATED, PUBLISHED
from vocoder_pareto.units import JOULES_PER_KWH, SECONDS_PER_HOUR

COLUMNS = (
    "study", "system", "training_hours", "training_mean_power_watts", "training_kwh", "training_energy_source",
    "power_usage_effectiveness", "intensity_kg_per_kwh", "training_kg_co2eq", "printed_kwh", "printed_kg_co2eq",
    "generation_joules_per_audio_second", "generation_energy_source", "generation_kwh_per_audio_hour",
    "generation_kg_co2eq_per_audio_hour", "break_even_audio_hours",
)  # fmt: skip
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
    generation is the larger one. Hours, energy and emissions of our trainings hold those of steps that a kill lost.

    Args:
        statement: the paper's inputs, and its printed results to check against.
        printed: `published/systems.csv`.
        carbon: intensity and site of this study.
        systems: `systems.csv` of this study; None for the paper alone.
        training: summaries of training by system, for the source of their energy.
    """
    theirs = CarbonSettings(intensity_kg_per_kwh=statement.intensity_kg_per_kwh)
    rows = [
        _row(THEIRS, system, statement.hours_per_model, statement.kwh_per_model, ESTIMATED.word, theirs)
        | _generation(joules, PUBLISHED.word, statement.kwh_per_model, theirs)
        | {"printed_kwh": statement.printed_kwh_per_model}
        for system, joules in zip(*_generators(printed), strict=True)
    ]
    hours = statement.hours_per_model * statement.models
    total = _row(THEIRS, ALL_SYSTEMS, hours, statement.kwh_per_model * statement.models, ESTIMATED.word, theirs)
    rows.append(total | {"printed_kg_co2eq": statement.printed_kg_co2eq})
    if systems is not None:
        rows += _ours(systems, training or {}, carbon)
    return pd.DataFrame(rows, columns=list(COLUMNS))


def _ours(systems: pd.DataFrame, training: Mapping[str, Mapping[str, Any]], carbon: CarbonSettings) -> list[dict]:
    rows = []
    for system in systems[systems["family"] != REFERENCE_FAMILY].to_dict("records"):
        summary = training.get(system["system"], {})
        kwh = system["training_energy_joules"] / JOULES_PER_KWH
        lost_seconds = summary.get("lost_seconds", 0.0)
        hours = (system["training_seconds"] + (np.nan if lost_seconds is None else lost_seconds)) / SECONDS_PER_HOUR
        source = summary.get("energy_source") or ""
        row = _row(OURS, system["system"], hours, kwh, source, carbon)
        rows.append(row | _generation(system[ENERGY], system["energy_source"], kwh, carbon))
    known = pd.DataFrame(rows, columns=list(COLUMNS))
    measured = known[known["training_kwh"].notna()]
    sources = sorted(set(measured["training_energy_source"]) - {""})
    total = _row(
        OURS,
        ALL_SYSTEMS,
        measured["training_hours"].sum(),
        measured["training_kwh"].sum(),
        "; ".join(sources),
        carbon,
    )
    return [*rows, total] if len(measured) else rows


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


def _generation(joules: float, source: str, training_kwh: float, carbon: CarbonSettings) -> dict[str, Any]:
    kwh_per_hour = joules * SECONDS_PER_HOUR / JOULES_PER_KWH
    return {
        "generation_joules_per_audio_second": joules,
        "generation_energy_source": source if pd.notna(joules) else "",
        "generation_kwh_per_audio_hour": kwh_per_hour,
        "generation_kg_co2eq_per_audio_hour": joules * SECONDS_PER_HOUR * carbon.kg_per_joule,
        "break_even_audio_hours": training_kwh / kwh_per_hour if kwh_per_hour else np.nan,
    }


def _generators(systems: pd.DataFrame) -> tuple[pd.Series, pd.Series]:
    costed = systems[systems[ENERGY].notna()]
    return costed["system"], costed[ENERGY]
