"""Estimated joules, restated for what a busy core is taken to draw today: CPU seconds were measured, that was not."""

from collections.abc import Mapping
from typing import Any

from vocoder_pareto.tables.columns import ENERGY
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


def _assumed_watts(record: Mapping[str, Any]) -> float | None:
    """What the estimate of a record was made with: a summary of training says it, a measurement has it in its meter."""
    if "estimated_watts_per_core" in record:
        return record["estimated_watts_per_core"]
    domains = record.get("meter", {}).get("domains", {})
    return next((domain["joules_per_unit"] for domain in domains.values()), None)
