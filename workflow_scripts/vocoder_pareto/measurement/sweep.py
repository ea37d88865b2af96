"""Energy of one system against batch size and precision."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from vocoder_pareto.measurement.energy import Bench, measure_energy
from vocoder_pareto.measurement.records import kept_or_measured, look_up
from vocoder_pareto.measurement.workload import OutOfMemory, UnsupportedPrecision
from vocoder_pareto.study.sections.measurement import EnergySettings, SweepSettings
from vocoder_pareto.tables.csv_files import write_csv

log = logging.getLogger(__name__)

RESULT_COLUMNS = (
    "energy_joules_per_audio_second", "energy_joules_per_audio_second_ci95", "net_energy_joules_per_audio_second",
    "mean_power_watts", "real_time_factor", "peak_memory_bytes", "energy_source", "device", "publishable",
    "measured_at",
)  # fmt: skip
COLUMNS = (
    "system", "model", "size", "precision", "batch_size", *RESULT_COLUMNS, "estimated_watts_per_core", "flags",
)  # fmt: skip


def sweep_energy(
    bench: Bench, settings: EnergySettings, sweep: SweepSettings, seed: int, records: Path | None = None
) -> list[dict[str, Any]]:
    """Measure the subject on `bench` for every precision and batch size, in the columns `COLUMNS`.

    The clips of a measurement are at least as many as a batch holds. Where the device has no such precision, or not
    enough memory, the row has a flag and no numbers. `records` is the folder of earlier measurements, see
    `look_up`. An estimate says what it took a busy core to draw (`estimated_watts_per_core`).
    """
    rows = []
    for precision in sweep.precisions:
        for batch_size in sweep.batch_sizes:
            changed = replace(
                settings,
                precision=precision,
                batch_size=batch_size,
                clips=_whole_batches(settings.clips, batch_size),
                processes=1,  # this one, so a sweep is never as sure as a measurement
            )
            rows.append(_row(records, bench, changed, seed))
    return rows


def write_sweep(path: str | Path, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write `measurements/sweeps/{system}.csv`; what was not measured is an empty cell."""
    write_csv(path, COLUMNS, ([row.get(name) for name in COLUMNS] for row in rows))


def _whole_batches(clips: int, batch_size: int) -> int:
    return -(-clips // batch_size) * batch_size


def _row(records: Path | None, bench: Bench, settings: EnergySettings, seed: int) -> dict[str, Any]:
    system = bench.subject.system
    row = {
        "system": system.name,
        "model": system.model,
        "size": system.size,
        "precision": settings.precision,
        "batch_size": settings.batch_size,
    }
    try:
        place = look_up(records, bench, settings, seed)
        record = kept_or_measured(
            place, lambda: measure_energy(bench.subject, settings, bench.meter, bench.device, seed)
        )
    except (OutOfMemory, UnsupportedPrecision) as error:
        log.warning("%s, batch size %d, %s: %s", system.name, settings.batch_size, settings.precision, error)
        return row | {"flags": "out_of_memory" if isinstance(error, OutOfMemory) else "unsupported_precision"}
    results = {name: record[name] for name in RESULT_COLUMNS}
    if bench.meter.is_estimate:  # as the record took it, which may be an earlier one
        (counter,) = record["meter"]["domains"].values()
        results["estimated_watts_per_core"] = counter["joules_per_unit"]
    return row | results | {"flags": " ".join(record["flags"])}
