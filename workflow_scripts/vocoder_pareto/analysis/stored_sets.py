"""Stored sets of measurements as tables: what every system of a set costs, for tables and figures."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.combined_runs import Run, combined_runs
from vocoder_pareto.measurement.stored_record import require_record
from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.tables.comparability import why_costs_differ


@dataclass(frozen=True)
class StoredSet:
    """The systems of a stored set.

    Attributes:
        device: The name of the hardware.
        source: Where the joules come from.
        protocol: How the first of them was measured.
        joules: Energy per second of audio by system, the mean of all runs.
        half_widths: Half the widths of their 95 % intervals; None where none is known.
        gflops: Operations per second of audio by system, of those of which the records tell.
    """

    device: str
    source: str
    protocol: Mapping[str, Any]
    joules: Mapping[str, float]
    half_widths: Mapping[str, float | None]
    gflops: Mapping[str, float]


def read_stored_set(folder: str | Path) -> StoredSet:
    """Read the records of all runs in `folder`, such as resources/measured/nvidia-h100-80gb-hbm3.

    Raises:
        UserError: There is no record, one is damaged, or they are of several devices or sources.
    """
    files = sorted(Path(folder).glob("run*/*.json"))
    if not files:
        raise UserError(f"{folder}: holds no record such as run1/melgan-S.json; name a folder of measure_set.py")
    records: dict[str, list[Mapping[str, Any]]] = {}
    for file in files:
        record = require_record(file, read_json(file), file.stem)
        if record[ENERGY] is not None:
            records.setdefault(file.stem, []).append(record)
    every = [record for several in records.values() for record in several]
    if not every:
        raise UserError(f"{folder}: none of its records has an energy; measure the set anew")
    if why := why_costs_differ([each["energy_source"] for each in every], [each["device"] for each in every]):
        raise UserError(f"{folder}: {why}; move each to a set of its own")
    found = {system: _of_runs(several) for system, several in records.items()}
    return StoredSet(
        every[0]["device"],
        every[0]["energy_source"],
        every[0]["protocol"],
        {system: joules for system, (joules, _) in found.items()},
        {system: half_width for system, (_, half_width) in found.items()},
        {system: count for system, several in records.items() if (count := _gflops(several[0])) is not None},
    )


def _of_runs(records: Sequence[Mapping[str, Any]]) -> tuple[float, float | None]:
    """The mean of one system, and half the width of its interval."""
    if len(records) == 1:
        return records[0][ENERGY], records[0].get(f"{ENERGY}_ci95")
    runs = [Run(each[ENERGY], each.get(f"{ENERGY}_ci95"), each.get(f"{ENERGY}_degrees_of_freedom")) for each in records]
    found = combined_runs(runs)
    return found.mean, found.half_width


def _gflops(record: Mapping[str, Any]) -> float | None:
    per_joule = (record.get("bounds") or {}).get("flops_per_joule")
    return None if per_joule is None else per_joule * record[ENERGY] * 1e-9
