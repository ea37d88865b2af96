"""Stored sets of measurements: all systems measured on one device, in runs, as raw records in a folder.

resources/measured/<device>/run1/melgan-S.json, …
resources/measured/<device>/run2/melgan-S.json, …
resources/measured/<device>/set.json               the runs side by side
"""

import logging
import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from tqdm import tqdm

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.combined_runs import Run, combined_runs
from vocoder_pareto.measurement.digests import system_digest
from vocoder_pareto.measurement.stored_record import require_record
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
    runs = (folder / f"run{number}" for number in count(1))
    earlier, run = next(
        (earlier, run) for earlier, run in enumerate(runs) if not all(_file(run, system).exists() for system in systems)
    )
    order = list(systems)
    random.Random(seed + earlier).shuffle(order)
    for system in tqdm([system for system in order if not _file(run, system).exists()], desc=run.name, unit="system"):
        log.info("%s: measuring %s", run.name, system.name)
        write_json(_file(run, system), measure(system))
    write_json(folder / "set.json", summary(folder))
    return run


def summary(folder: str | Path) -> dict[str, Any]:
    """The device and runs of a set, and for each system its energy in every run and how far the runs are apart."""
    records = [{file.stem: read_json(file) for file in sorted(run.glob("*.json"))} for run in run_folders(Path(folder))]
    names = sorted(set().union(*records))
    first = next(iter(records[0].values()))
    return {
        "device": first["device"],
        "energy_source": first["energy_source"],
        "runs": len(records),
        "systems": {name: _side_by_side([run[name] for run in records if name in run]) for name in names},
    }


def adopted(folder: str | Path, system: SystemSettings, precision: str, batch_size: int) -> dict[str, Any]:
    """The record of `system` in a stored set: of all its runs together, see `combined_runs`.

    Args:
        folder: holds the set.
        system: says which architecture and sampling are wanted.
        precision, batch_size: are those of the study, `energy.precision` and `energy.batch_size`.

    Raises:
        UserError: the set has no such system, its record is damaged or of other settings, or its runs are no
            repetitions of one measurement.
    """
    files = [_file(run, system) for run in run_folders(Path(folder)) if _file(run, system).exists()]
    if not files:
        raise UserError(
            f"config key measurements.from: {folder} has no run1/{system.name}.json; "
            "measure it (docs/measurement.md), leave it out of `systems`, or set measurements.from: null"
        )
    records = [require_record(file, read_json(file), system.name) for file in files]
    for file, record in zip(files, records, strict=True):
        _check(file, record, system)
        require_repetition(file, record, files[0], records[0])
    for key, wanted in (("precision", precision), ("batch_size", batch_size)):
        found = records[0]["protocol"].get(key)
        if found != wanted:
            raise UserError(
                f"{files[0]}: measured with {key} {found}, config key energy.{key} is {wanted}; "
                f"set energy.{key}: {found}, or take another set in measurements.from"
            )
    return _together(records) | {"stored_in": Path(folder).as_posix(), "runs": _side_by_side(records)}


def combined_records(folder: str | Path) -> dict[str, dict[str, Any]]:
    """The records of all systems of a set by name, each of all its runs together, with `runs` side by side.

    Raises:
        UserError: a record is damaged, or runs are no repetitions of one measurement.
    """
    of_system: dict[str, dict[Path, Mapping[str, Any]]] = {}
    for file in sorted(file for run in run_folders(Path(folder)) for file in run.glob("*.json")):
        of_system.setdefault(file.stem, {})[file] = require_record(file, read_json(file), file.stem)
    result = {}
    for name, records in sorted(of_system.items()):
        first = next(iter(records))
        for file, record in records.items():
            require_repetition(file, record, first, records[first])
        several = list(records.values())
        result[name] = _together(several) | {"runs": _side_by_side(several)}
    return result


def _together(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """One record of all runs: what each run has of its own is left out, the rest is that of the first run."""
    if len(records) == 1:
        return dict(records[0])
    result = {key: value for key, value in records[0].items() if key not in _OF_ONE_RUN}
    result |= {key: _mean([record.get(key) for record in records]) for key in _MEANS}
    result |= {key: _largest([record.get(key) for record in records]) for key in _LARGEST}
    runs = [_run(record) for record in records if record[ENERGY] is not None]
    reasons: dict[str, str] = {}
    for record in records:
        reasons |= {flag: record.get("reasons", {}).get(flag, flag) for flag in record.get("flags", [])}
    for flag in ("wide_interval", "not_publishable"):  # of one run; what holds of all together follows
        reasons.pop(flag, None)
    if runs:
        found = combined_runs(runs)
        result |= {
            ENERGY: found.mean,
            f"{ENERGY}_ci95": found.half_width,
            f"{ENERGY}_degrees_of_freedom": found.degrees_of_freedom,
            f"{ENERGY}_between_runs": found.between_runs,
        }
        accepted = records[0]["protocol"].get("max_relative_interval")
        if accepted and found.half_width is not None and found.half_width > accepted * found.mean:
            reasons["wide_interval"] = (
                f"the 95 % interval of {len(runs)} runs is ±{found.half_width / found.mean:.1%} of the mean, "
                f"wanted ±{accepted:.1%}"
            )
    publishable = not reasons and all(record["publishable"] for record in records)
    if reasons:
        reasons["not_publishable"] = "; ".join(reasons.values())
    return result | {"publishable": publishable, "flags": list(reasons), "reasons": reasons}


def _run(record: Mapping[str, Any]) -> Run:
    return Run(record[ENERGY], record.get(f"{ENERGY}_ci95"), record.get(f"{ENERGY}_degrees_of_freedom"))


# What a record of all runs takes from them, and what only a record of one run has.
_MEANS = (f"net_{ENERGY}", "mean_power_watts", "idle_power_watts", "real_time_factor")
_LARGEST = ("peak_memory_bytes", f"{ENERGY}_systematic")
_OF_ONE_RUN = (
    "windows", "idle", "bounds", "latency_seconds", "cross_check", "energy_combined_by",
    "energy_relative_process_spread",
)  # fmt: skip
# What may differ between repetitions of one protocol.
_OF_ONE_TRY = ("seed", "warmup_passes_done", "warmup_stable", "warmup_power_stable")


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if len(known) == len(values) else None


def _largest(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return max(known) if len(known) == len(values) else None


def require_repetition(file: Path, record: Mapping[str, Any], first_file: Path, first: Mapping[str, Any]) -> None:
    """Refuse a run that measured something else, or otherwise, than the first.

    Raises:
        UserError: it names the file, what differs, and where to put the run.
    """
    found, expected = _terms(record), _terms(first)
    for name in sorted(found.keys() | expected.keys()):
        if found.get(name) != expected.get(name):
            raise UserError(
                f"{file}: {name} is {found.get(name)}, in {first_file} it is {expected.get(name)}; runs of a set "
                "repeat one measurement: move the run to a set of its own, or measure it anew"
            )


def _terms(record: Mapping[str, Any]) -> dict[str, Any]:
    """All that repetitions have in common: device and its settings, source and domains of the meter, protocol."""
    domains = record.get("meter", {}).get("domains", {})
    kinds = sorted((re.sub(r"[0-9]+", "#", name), domain.get("joules_per_unit")) for name, domain in domains.items())
    protocol = {name: value for name, value in record["protocol"].items() if name not in _OF_ONE_TRY}
    hardware = record.get("hardware", {})
    gpu, cpu = hardware.get("gpu") or {}, hardware.get("cpu") or {}
    return protocol | {
        "device": record.get("device"),
        "energy_source": record.get("energy_source"),
        "domains of the meter": kinds,
        "enforced_power_limit_watts": gpu.get("enforced_power_limit_watts"),
        "torch_threads": cpu.get("torch_threads"),
        "version of torch": record.get("software", {}).get("packages", {}).get("torch"),
    }


def _check(file: Path, record: Mapping[str, Any], system: SystemSettings) -> None:
    if record["settings"]["digest"] != system_digest(system):
        raise UserError(
            f"{file}: measured with architecture {record['settings']['architecture']} and sampling "
            f"{record['settings']['sampling']}, {system.config_key} is {dict(system.architecture)} and "
            f"{dict(system.sampling)}; measure it anew, or set measurements.from: null"
        )
    _check_front_end(file, record, system)


def _check_front_end(file: Path, record: Mapping[str, Any], system: SystemSettings) -> None:
    """Refuse a record of other input: joules per second of audio depend on how much audio a frame stands for."""
    found = record["protocol"]["audio_seconds_per_clip"] / record["protocol"]["batch_frames"]
    wanted = system.hop_length / system.sample_rate
    if not math.isclose(found, wanted, rel_tol=1e-9):
        raise UserError(
            f"{file}: measured with frames of {found:.6g} s, the front end of {system.name} has hop_length "
            f"{system.hop_length} at sample_rate {system.sample_rate}, {wanted:.6g} s; measure it anew, or set "
            "measurements.from: null"
        )
    bands = record["settings"].get("n_mels", system.n_mels)  # early records do not tell
    if bands != system.n_mels:
        raise UserError(
            f"{file}: measured with n_mels {bands}, the front end of {system.name} has {system.n_mels}; "
            "measure it anew, or set measurements.from: null"
        )


def _side_by_side(records: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The energies of one system in all runs; the spread is their range over their mean, None from one run."""
    energies = [record[ENERGY] for record in records]
    known = [energy for energy in energies if energy is not None]
    spread = (max(known) - min(known)) / (sum(known) / len(known)) if len(known) > 1 else None
    return {ENERGY: energies, "relative_spread": spread, "publishable": [record["publishable"] for record in records]}


def run_folders(folder: Path) -> list[Path]:
    """`run1`, `run2`, … of a set, in the order of their numbers."""
    found = [run for run in folder.glob("run*") if run.is_dir() and run.name[3:].isdigit()]
    return sorted(found, key=lambda run: int(run.name[3:]))


def _file(run: Path, system: SystemSettings) -> Path:
    return run / f"{system.name}.json"
