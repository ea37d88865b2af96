"""Stored sets of measurements: all systems measured on one device, in runs, as raw records in a folder.

resources/measured/<device>/run1/melgan-S.json, …
resources/measured/<device>/run2/melgan-S.json, …
resources/measured/<device>/set.json               the runs side by side
"""

import logging
import random
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.digests import system_digest
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.tables.columns import ENERGY

log = logging.getLogger(__name__)


def folder_of(device_name: str) -> str:
    """The name of a device's folder: `nvidia-rtx-a5000`."""
    return re.sub(r"[^a-z0-9]+", "-", device_name.lower()).strip("-")


def measure_run(
    folder: str | Path,
    systems: Sequence[SystemSettings],
    measure: Callable[[SystemSettings], Mapping[str, Any]],
    seed: int,
) -> Path:
    """Measure `systems` in random order as the next run in `folder`; a run that was broken off goes on.

    Args:
        folder: holds the set.
        systems: are those of the study.
        measure: gives the record of one system.
        seed: decides the order, together with the number of the run.

    Returns:
        The folder of the run.
    """
    folder = Path(folder)
    runs = [run for run in _runs(folder) if all(_file(run, system).exists() for system in systems)]
    run = folder / f"run{len(runs) + 1}"
    order = list(systems)
    random.Random(seed + len(runs)).shuffle(order)
    for system in tqdm([system for system in order if not _file(run, system).exists()], desc=run.name, unit="system"):
        log.info("%s: measuring %s", run.name, system.name)
        write_json(_file(run, system), measure(system))
    write_json(folder / "set.json", summary(folder))
    return run


def summary(folder: str | Path) -> dict[str, Any]:
    """The device and runs of a set, and for each system its energy in every run and how far the runs are apart."""
    records = [{file.stem: read_json(file) for file in sorted(run.glob("*.json"))} for run in _runs(Path(folder))]
    names = sorted(set().union(*records))
    first = next(iter(records[0].values()))
    return {
        "device": first["device"],
        "energy_source": first["energy_source"],
        "runs": len(records),
        "systems": {name: _side_by_side([run[name] for run in records if name in run]) for name in names},
    }


def adopted(folder: str | Path, system: SystemSettings) -> dict[str, Any]:
    """The record of `system` in a stored set: that of its first run, with the spread between runs.

    Raises:
        UserError: the set has no such system, its record is damaged, or it is of other settings.
    """
    files = [_file(run, system) for run in _runs(Path(folder)) if _file(run, system).exists()]
    if not files:
        raise UserError(
            f"config key measurements.from: {folder} has no run1/{system.name}.json; "
            "measure it (docs/measurement.md), leave it out of `systems`, or set measurements.from: null"
        )
    records = [read_json(file) for file in files]
    for file, record in zip(files, records, strict=True):
        _check(file, record, system)
    return records[0] | {"stored_in": Path(folder).as_posix(), "runs": _side_by_side(records)}


def _is_word(source: Any) -> bool:
    return isinstance(source, str) and bool(source)


def _check(file: Path, record: Mapping[str, Any], system: SystemSettings) -> None:
    if record.get("system") != system.name or not _is_word(record.get("energy_source")) or ENERGY not in record:
        raise UserError(f"{file}: not a record of the energy of {system.name}; restore or delete it")
    if record["settings"]["digest"] != system_digest(system):
        raise UserError(
            f"{file}: measured with architecture {record['settings']['architecture']} and sampling "
            f"{record['settings']['sampling']}, {system.config_key} is {dict(system.architecture)} and "
            f"{dict(system.sampling)}; measure it anew, or set measurements.from: null"
        )


def _side_by_side(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The energies of one system in all runs; the spread is their range over their mean, None from one run."""
    energies = [record[ENERGY] for record in records]
    known = [energy for energy in energies if energy is not None]
    spread = (max(known) - min(known)) / (sum(known) / len(known)) if len(known) > 1 else None
    return {ENERGY: energies, "relative_spread": spread, "publishable": [record["publishable"] for record in records]}


def _runs(folder: Path) -> list[Path]:
    found = [run for run in folder.glob("run*") if run.is_dir() and run.name[3:].isdigit()]
    return sorted(found, key=lambda run: int(run.name[3:]))


def _file(run: Path, system: SystemSettings) -> Path:
    return run / f"{system.name}.json"
