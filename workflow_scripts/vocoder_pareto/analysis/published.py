"""The paper's printed numbers, and how they are read: kept verbatim in `resources/published`, converted here alone.

Source: Douwes et al. 2023, tables 1 and 2 and section 4.2.3. `docs/analysis.md` derives each reading.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.columns import Kind
from vocoder_pareto.tables.csv_tables import read_table

DEVICE = "NVIDIA RTX A5000"
_IDENTITY: Mapping[str, Kind] = {"model": "text", "size": "text", "suggested_by_authors": "flag"}
GENERATED_SECONDS = 100.0  # 10 clips of 10 s (section 4.3.2)
STUDENT_QUANTILE_95 = 2.02  # of 41 participants: 40 degrees of freedom


@dataclass(frozen=True)
class CarbonStatement:
    """Inputs and results of the paper's statement on emissions (section 4.2.3 and its last paragraph).

    Watts, hours, kWh, kgCO2eq per kWh, kgCO2eq; `printed_…` are the results as printed.
    """

    source: str
    device: str
    power_watts: float
    hours_per_model: float
    models: int
    intensity_kg_per_kwh: float
    printed_kwh_per_model: float
    printed_hours: float
    printed_kg_co2eq: float

    @property
    def kwh_per_model(self) -> float:
        """Training energy of one model: power × time."""
        return self.power_watts * self.hours_per_model / 1000

    @property
    def kg_co2eq_per_model(self) -> float:
        """Emissions of training one model."""
        return self.kwh_per_model * self.intensity_kg_per_kwh


@dataclass(frozen=True)
class Convention:
    """What a printed number of Table 2 counted, and why an exact count differs.

    Attributes:
        audio_seconds: seconds of audio that the printed GFLOPs generate; None where not known.
        exact_count: whether the printed GFLOPs are 2 per multiply-accumulate of the model as it runs.
        parameters, gflops, energy, d_stft: reasons for a difference, in words for readers; empty where there is none.
        authors_code: what the code of the paper's authors does otherwise than that of the model's paper or ours, so
            that trained systems differ; sentences for readers.
    """

    audio_seconds: float | None = None
    exact_count: bool = False
    parameters: str = ""
    gflops: str = ""
    energy: str = ""
    d_stft: str = ""
    authors_code: tuple[str, ...] = ()


@dataclass(frozen=True)
class Conventions:
    """The conventions of Table 2 by model and size, and the reasons that hold for all systems."""

    gflops: str
    energy: Mapping[str, str]
    d_stft: Mapping[str, str]
    models: Mapping[str, Any]
    source: str = ""

    def of(self, model: str, size: str) -> Convention:
        """The convention for one system: what holds for its size over what holds for its model."""
        family = dict(self.models.get(model, {}))
        own = family.pop("sizes", {}).get(size, {})
        return settings_from(Convention, {**family, **own}, f"conventions.models.{model}")


def read_conventions(path: str | Path) -> Conventions:
    """Read `resources/published/conventions.json`."""
    return settings_from(Conventions, read_json(path), str(path))


def read_carbon_statement(path: str | Path) -> CarbonStatement:
    """Read `resources/published/carbon_statement.json`."""
    return settings_from(CarbonStatement, read_json(path), str(path))


def read_quality(path: str | Path) -> pd.DataFrame:
    """Table 1 as printed, a row per system, with `system` and the inferred `mos_ci95` added."""
    numbers: dict[str, Kind] = dict.fromkeys(("mos", "mos_plus_minus", "d_stft"), "number")
    table = _with_system(read_table(path, {**_IDENTITY, **numbers}), path)
    return table.assign(mos_ci95=table["mos_plus_minus"].map(inferred_half_width))


def read_cost(path: str | Path) -> pd.DataFrame:
    """Table 2 as printed, a row per system, with `system`, `parameters` and joules per audio second added."""
    numbers: dict[str, Kind] = dict.fromkeys(("parameters_millions", "gflops", "e_gen_as_printed_mj"), "number")
    table = _with_system(read_table(path, {**_IDENTITY, **numbers}), path)
    return table.assign(
        parameters=(table["parameters_millions"] * 1e6).round().astype("Int64"),
        energy_joules_per_audio_second=table["e_gen_as_printed_mj"].map(joules_per_audio_second),
    )


def inferred_half_width(plus_minus: float) -> float:
    """Half-width of the 95 % interval of a MOS, given the printed ± read as the variance of the mean.

    Two other readings fit integer ratings from 1 to 5 as well: SD / N, which gives about the same intervals but needs
    to know N, and SE / 5, which gives less than half of them (docs/analysis.md). So the result counts as inferred.
    """
    return STUDENT_QUANTILE_95 * math.sqrt(plus_minus)


def joules_per_audio_second(printed: float) -> float:
    """Generation energy from the printed E_gen, whose unit is read as joules for 10 clips of 10 s, not millijoules.

    As millijoules, 8,522 GFLOPs per 1.024 s would be computed at 10^14 FLOPs per joule, hundreds of times what the
    A5000 can do at its limits.
    """
    return printed / GENERATED_SECONDS


def gflops_per_audio_second(printed: float, convention: Convention) -> float:
    """Exact GFLOPs per second of audio where the printed number holds them, NaN where it counted something else."""
    if not convention.exact_count or convention.audio_seconds is None:
        return math.nan
    return printed / convention.audio_seconds


def _with_system(table: pd.DataFrame, path: str | Path) -> pd.DataFrame:
    names = [f"{model}-{size}" if size else model for model, size in zip(table["model"], table["size"], strict=True)]
    repeated = pd.Series(names)[pd.Series(names).duplicated()]
    if len(repeated):
        raise UserError(f"{path}: system {repeated.iloc[0]} has two rows; keep one")
    return table.assign(system=names)
