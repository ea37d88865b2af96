"""What of a record of energy is not measured but taken to be so, and may be taken otherwise without measuring again.

Estimated joules are CPU seconds, which were measured, times what a busy core draws, which was not; and of no source of
energy do the measurements themselves show how far it is off.
"""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from vocoder_pareto.study.sections.measurement import SystematicUncertainty
from vocoder_pareto.tables.columns import ENERGY, ENERGY_SYSTEMATIC
from vocoder_pareto.tables.sources import ESTIMATED

# What of a record is proportional to the watts of a core.
_PROPORTIONAL = (
    "energy_joules", "lost_energy_joules", ENERGY, f"{ENERGY}_ci95", f"{ENERGY}_between_runs", f"net_{ENERGY}",
    "mean_power_watts",
)  # fmt: skip


def restated(record: Mapping[str, Any], watts_per_core: float | None) -> dict[str, Any]:
    """A record of energy, of generation or training, as if a busy core had been taken to draw `watts_per_core`.

    A record of measured energy stays as it is, and so does every record where `watts_per_core` is None.
    """
    assumed = _assumed_watts(record)
    if watts_per_core is None or record.get("energy_source") != ESTIMATED.word or not assumed:
        return dict(record)
    factor = watts_per_core / assumed
    changed = {name: record[name] * factor for name in _PROPORTIONAL if record.get(name) is not None}
    return {**record, **changed}


def restated_rows(rows: pd.DataFrame, watts_per_core: float) -> pd.DataFrame:
    """Rows of sweeps as if a busy core had been taken to draw `watts_per_core` in all that are estimated."""
    estimated = rows["energy_source"] == ESTIMATED.word
    factors = (watts_per_core / rows["estimated_watts_per_core"]).where(estimated, 1.0)
    return rows.assign(**{name: rows[name] * factors for name in rows if name in _PROPORTIONAL})


def with_systematic(record: Mapping[str, Any], systematic: SystematicUncertainty) -> dict[str, Any]:
    """A record of the energy of generation with the relative systematic uncertainty of its source, or None."""
    source = record.get("energy_source")
    relative = None if source is None or record.get(ENERGY) is None else systematic.of(source)
    return {**record, ENERGY_SYSTEMATIC: relative}


def _assumed_watts(record: Mapping[str, Any]) -> float | None:
    """What the estimate of a record was made with: a summary of training says it, a measurement has it in its meter."""
    if "estimated_watts_per_core" in record:
        return record["estimated_watts_per_core"]
    domains = record.get("meter", {}).get("domains", {})
    return next((domain["joules_per_unit"] for domain in domains.values()), None)
