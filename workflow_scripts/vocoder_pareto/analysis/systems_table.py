"""`systems.csv`: one row per system, all measurements joined, each with its source."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from vocoder_pareto.analysis import published
from vocoder_pareto.analysis.doubts import doubts_of
from vocoder_pareto.analysis.estimates import restated, with_systematic
from vocoder_pareto.analysis.pareto import optimal
from vocoder_pareto.analysis.partly_known import competitors
from vocoder_pareto.analysis.predictions import resolution_of, withheld_sentence
from vocoder_pareto.analysis.printed_mos import Study, withheld_mos
from vocoder_pareto.analysis.replicates import groups_of_replicates, spreads_of_training, widen_by_training
from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.intervals import mean_with_interval
from vocoder_pareto.study.sections.measurement import MeterSettings
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.systems import REFERENCE_SYSTEMS
from vocoder_pareto.tables.columns import (
    CLIPS_LEFT_OUT,
    ENERGY,
    EXACT_GFLOPS,
    FRONT_END_ENERGY,
    METRIC_COLUMNS,
    PREDICTED_MOS,
    PRINTED_GFLOPS,
    REFERENCE_FAMILY,
    REPLICATE_OF,
    SYSTEMS_COLUMNS,
    column_of,
)
from vocoder_pareto.tables.comparability import why_costs_differ
from vocoder_pareto.tables.csv_files import read_csv
from vocoder_pareto.tables.csv_tables import read_table, typed
from vocoder_pareto.tables.sources import LISTENER_WORDS, PUBLISHED
from vocoder_pareto.tables.text_table import TextTable
from vocoder_pareto.units import JOULES_PER_KWH, SECONDS_PER_HOUR

_MOS_COLUMNS = tuple(column.name for column in SYSTEMS_COLUMNS if column.name.split("_")[0] == "mos")
FRONTS = {"on_front_energy": ENERGY, "on_front_gflops": EXACT_GFLOPS}
PUBLISHED_FRONTS = {"on_front_energy": ENERGY, "on_front_gflops": PRINTED_GFLOPS}


@dataclass(frozen=True)
class Measurements:
    """The files that the stages before left, read.

    Attributes:
        complexity: one mapping per system, in the order of the study.
        energy, training: mappings by system.
        quality: by system, what its clips have in each metric: (clips with a value,) by the metric's name.
        front_ends: mappings by front end.
        predictions: mappings by system.
        clips: how many clips each system has in `quality`.
    """

    complexity: Sequence[Mapping[str, Any]]
    energy: Mapping[str, Mapping[str, Any]]
    training: Mapping[str, Mapping[str, Any]]
    quality: Mapping[str, Mapping[str, np.ndarray]]
    front_ends: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    predictions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    clips: Mapping[str, int] = field(default_factory=dict)

    @property
    def sampling(self) -> dict[str, Any]:
        """How each system was sampled, by system, where its energy was measured."""
        return {system: record.get("settings", {}).get("sampling") or {} for system, record in self.energy.items()}


def read_measurements(
    complexity: Sequence[str | Path],
    energy: Sequence[str | Path],
    training: Sequence[str | Path],
    quality: Sequence[str | Path],
    meter: MeterSettings | None = None,
    front_ends: Sequence[str | Path] = (),
    predictions: Sequence[str | Path] = (),
) -> Measurements:
    """Read the JSON files of complexity, energy, training, front ends and predicted MOS, and the CSV files of quality.

    Estimated joules are restated for what `meter` says that a busy core draws; None leaves them alone. Each record of
    energy gets the systematic uncertainty that `meter`, or its defaults, have for its source.

    Raises:
        UserError: a file is missing or malformed.
    """
    watts_per_core = meter.cpu_watts_per_core if meter else None
    uncertainty = (meter or MeterSettings()).systematic_uncertainty
    energies = {
        system: with_systematic(restated(record, watts_per_core), uncertainty)
        for system, record in _by_system(energy).items()
    }
    clips = {Path(path).stem: read_csv(path, ["d_stft"]) for path in quality}
    return Measurements(
        complexity=[read_json(path) for path in complexity],
        energy=energies,
        training={system: restated(record, watts_per_core) for system, record in _by_system(training).items()},
        quality={system: _values_of_metrics(table) for system, table in clips.items()},
        front_ends={record["front_end"]: restated(record, watts_per_core) for record in map(read_json, front_ends)},
        predictions=_by_system(predictions),
        clips={system: len(table.rows) for system, table in clips.items()},
    )


def systems_measured(
    measurements: Measurements,
    mos: pd.DataFrame,
    families: Mapping[str, str],
    carbon: CarbonSettings,
    study: Study | None = None,
) -> pd.DataFrame:
    """Join the measurements with the MOS of one source, see `mos_of_listening_test` and `mos_of_paper`.

    References stand first: natural speech with its quality alone, those that compute with their cost. A system without
    MOS keeps an empty cell: it is left out of fronts, never filled in from another test. Nor does a system that is not
    the paper's get the printed MOS of its name, see `printed_mos`.
    """
    study = study or Study()
    others = withheld_mos(list(measurements.complexity), study)
    rated = mos[~((mos["mos_source"] == PUBLISHED.word) & mos["system"].isin(others))].set_index("system")
    references = [name for name in REFERENCE_SYSTEMS if name in measurements.quality or name in rated.index]
    rows: list[dict[str, Any]] = [
        _cells({"energy": measurements.energy.get(name, {})})
        | {"system": name, "model": name, "size": "", "family": REFERENCE_FAMILY}
        for name in references
    ]
    for counts in measurements.complexity:
        system = counts["system"]
        energy = measurements.energy.get(system, {})
        row = {
            "system": system,
            "family": families.get(counts["model"], ""),
            **_of_front_end(system, study.front_ends, measurements),
            **_of_weights(measurements.training.get(system, {})),
        }
        training = measurements.training.get(system, {})
        records = {"complexity": counts, "energy": energy, "training": training}
        row |= _cells(records)
        joules = training.get("energy_joules")
        rows.append(row | {"co2eq_kg_training": None if joules is None else joules * carbon.kg_per_joule})
    for row in rows:
        quality = measurements.quality.get(row["system"], {})
        for name, values in quality.items():
            row |= _with_interval(name, values.tolist())
        row[CLIPS_LEFT_OUT] = _left_out(quality, measurements.clips.get(row["system"], 0))
        row |= _predicted(measurements.predictions.get(row["system"], {}))
        if row["system"] in rated.index:
            row |= {name: rated.loc[row["system"], name] for name in _MOS_COLUMNS if name in rated}
    widen_by_training(rows, measurements.training, measurements.sampling)
    groups = groups_of_replicates(measurements.training, measurements.sampling)
    first_of = {system: first for first, members in groups.items() for system in members if system != first}
    rows = [row | {REPLICATE_OF: first_of.get(row["system"], "")} for row in rows]
    return with_fronts(_as_table(rows), FRONTS)


def _predicted(prediction: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of a predicted MOS; they stay empty where it is withheld."""
    if prediction.get(PREDICTED_MOS) is None:
        return {}
    names = (PREDICTED_MOS, f"{PREDICTED_MOS}_ci95", f"{PREDICTED_MOS}_degrees_of_freedom")
    return {name: prediction[name] for name in names} | {f"{PREDICTED_MOS}_source": prediction["predictor"]}


def _cells(records: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """What `records`, by their kind, tell of a system."""
    told = [column for column in SYSTEMS_COLUMNS if column.record in records]
    return {column.name: records[column.record or ""].get(column.key or column.name) for column in told}


def _with_interval(name: str, values: list[float]) -> dict[str, Any]:
    """The cells of a metric; they stay empty where no clip has a value of it."""
    if not values:
        return {}
    interval = mean_with_interval(values)
    cells = {name: interval.mean, f"{name}_ci95": interval.half_width}
    return cells | {f"{name}_degrees_of_freedom": len(values) - 1 or None}


def _left_out(quality: Mapping[str, np.ndarray], clips: int) -> str:
    """How many of a system's clips have no value in each metric where some have none: `d_stft: 1 of 8; mcd: 1 of 8`."""
    lacking = {name: clips - len(values) for name, values in quality.items()}
    return "; ".join(f"{name}: {count} of {clips}" for name, count in lacking.items() if count)


def _values_of_metrics(clips: TextTable) -> dict[str, np.ndarray]:
    """What the clips of a system have in each metric of the library; a value without bound says nothing of a mean."""
    found = {
        name: np.array(clips.numbers(name, allow_infinite=True)) for name in METRIC_COLUMNS if name in clips.columns
    }
    return {name: values[np.isfinite(values)] for name, values in found.items()}


def _of_front_end(system: str, front_ends: Mapping[str, str], measurements: Measurements) -> dict[str, Any]:
    """The cells of a system's front end, and of what it costs beside the vocoder."""
    name = front_ends.get(system)
    cost = measurements.front_ends.get(name or "", {})
    return {
        "front_end": name,
        FRONT_END_ENERGY: cost.get(ENERGY),
        "front_end_real_time_factor": cost.get("real_time_factor"),
    }


def _of_weights(training: Mapping[str, Any]) -> dict[str, Any]:
    """The cells of how a system came to its weights: trained here, given, or as they are initialised; and from whom."""
    if not training:
        return {}
    told = training.get("weights")
    if told is None:
        return {"weights": "untrained" if training.get("steps") == 0 else "trained"}
    place = next(filter(None, (told.get(key) for key in ("source", "url", "package", "path"))), None)
    return {"weights": "given", "weights_source": ", ".join(filter(None, (place, told.get("licence")))) or None}


def systems_published(
    quality: pd.DataFrame,
    cost: pd.DataFrame,
    conventions: published.Conventions,
    statement: published.CarbonStatement,
    families: Mapping[str, str],
) -> pd.DataFrame:
    """The paper's own numbers as a `systems.csv`: see `published` for how they are read.

    Exact GFLOPs are left empty where the printed count holds something else than the operations of the model as it
    runs. Training time, energy and emissions are those of the paper's statement, an estimate from power × time.
    """
    table = quality.merge(cost, on=["system", "model", "size"], how="left", suffixes=("", "_cost"))
    reference = table["size"] == ""
    exact = [
        published.gflops_per_audio_second(printed, conventions.of(model, size)) if size else math.nan
        for model, size, printed in zip(table["model"], table["size"], table["gflops"], strict=True)
    ]
    table = table.assign(
        family=table["model"].map(families).where(~reference, REFERENCE_FAMILY),
        gflops_per_audio_second=exact,
        gflops_published_convention=table["gflops"],
        energy_source=PUBLISHED.word,
        device=published.DEVICE,
        mos_source=PUBLISHED.word,
        training_seconds=statement.hours_per_model * SECONDS_PER_HOUR,
        training_energy_joules=statement.kwh_per_model * JOULES_PER_KWH,
        co2eq_kg_training=statement.kg_co2eq_per_model,
    )
    costs = ["energy_source", "device", "training_seconds", "training_energy_joules", "co2eq_kg_training"]
    table[costs] = table[costs].astype("object").where(~reference, None)
    return with_fronts(typed(table, SYSTEMS_COLUMNS, "the published tables"), PUBLISHED_FRONTS)


def with_fronts(table: pd.DataFrame, fronts: Mapping[str, str]) -> pd.DataFrame:
    """`table` with its front columns filled: true or false for rated systems with that cost, else empty.

    References never compete, nor do further seeds of a system. A front of energies that do not compare is empty for all
    systems.
    """
    found = {}
    for name, cost in fronts.items():
        complete = table[[cost, "mos"]].notna().all(axis=1) & competitors(table, [cost, "mos"])
        found[name] = pd.Series(pd.NA, index=table.index, dtype="boolean")
        if cost == ENERGY and why_costs_differ(table["energy_source"][complete], table["device"][complete]):
            continue
        found[name][complete] = optimal(table.loc[complete, [cost, "mos"]].to_numpy(), ["min", "max"])
    return table.assign(**found)


def mos_of_study(mos_table: str | Path | None, published_quality: str | Path) -> pd.DataFrame:
    """The MOS of a listening test, `mos.csv`, or, where there was none, those of the paper's Table 1.

    Raises:
        UserError: as `mos_of_listening_test`, or as `published.read_quality`.
    """
    if mos_table:
        return mos_of_listening_test(mos_table)
    return mos_of_paper(published.read_quality(published_quality))


def mos_of_paper(quality: pd.DataFrame) -> pd.DataFrame:
    """The printed MOS with inferred intervals, as rows of `mos.csv`."""
    return quality[["system", "mos", "mos_ci95"]].assign(mos_source=PUBLISHED.word)


def mos_of_listening_test(path: str | Path) -> pd.DataFrame:
    """Read `mos.csv`.

    Raises:
        UserError: as `read_table`; more than one source, or one that is not a listening test's; a system twice.
    """
    kinds = {name: column_of(name).kind for name in ("system", *_MOS_COLUMNS)}
    mos = read_table(path, kinds, ["system", "mos", "mos_ci95", "mos_source"])
    sources = sorted(set(mos["mos_source"]))
    if len(sources) > 1 or not set(sources) <= set(LISTENER_WORDS):
        raise UserError(f"{path}: mos_source is {', '.join(sources)}; allowed is one of {', '.join(LISTENER_WORDS)}")
    if mos["system"].duplicated().any():
        raise UserError(f"{path}: system {mos['system'][mos['system'].duplicated()].iloc[0]} has two rows; keep one")
    return mos


def measurement_flags(measurements: Measurements) -> dict[str, Any]:
    """What `systems.csv` has no column for.

    Systems measured with a shortened protocol, flags, what of these speaks against an energy, clips per system, how far
    training alone moves quality where replicates tell, why predicted MOS is withheld, and by how much it must differ.
    """
    qualities = [
        {"system": system, **{name: np.mean(values) for name, values in metrics.items() if len(values)}}
        | _predicted(measurements.predictions.get(system, {}))
        for system, metrics in measurements.quality.items()
    ]
    flags = {
        system: [*energy.get("flags", []), *measurements.training.get(system, {}).get("flags", [])]
        for system, energy in measurements.energy.items()
    }
    return {
        "not_publishable": [system for system, energy in measurements.energy.items() if not energy.get("publishable")],
        "flags": {system: found for system, found in flags.items() if found},
        "doubts": doubts_of({system: energy.get("flags", []) for system, energy in measurements.energy.items()}),
        "d_stft_clips": {system: len(values["d_stft"]) for system, values in measurements.quality.items()},
        "training_spread": {
            name: {"standard_deviation": spread.variance**0.5, "degrees_of_freedom": spread.degrees_of_freedom}
            for name, spread in spreads_of_training(qualities, measurements.training, measurements.sampling).items()
        },
        "predicted_mos": {
            "withheld": withheld_sentence(measurements.predictions),
            "resolution": resolution_of(measurements.predictions),
        },
    }


def _by_system(paths: Sequence[str | Path]) -> dict[str, dict[str, Any]]:
    return {content["system"]: content for content in map(read_json, paths)}


def _as_table(rows: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    return typed(pd.DataFrame(rows), SYSTEMS_COLUMNS, "the measurements")
