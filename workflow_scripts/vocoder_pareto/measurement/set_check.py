"""The check of a measured set before it is sent to others: its form, its arithmetic, and what it claims of itself.

What stands twice in a set must agree: energies with windows, windows with counters, flags with protocol, `set.json`
with the runs. It cannot tell whether the numbers are true.
"""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import pydantic

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.measured_set import folder_of, require_repetition, run_folders, summary
from vocoder_pareto.measurement.set_schema import SetRecord, SetSummary, Window
from vocoder_pareto.measurement.stored_record import Part, first_fault, require_record
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import settings_from
from vocoder_pareto.tables.sources import ESTIMATED

_SUMMARY = "set.json"
_BESIDE = (".yaml", ".md")  # a set may also hold the protocol and remarks
_TOLERANCE = 1e-6  # relative; numbers are written with all their digits


def faults_of_set(folder: str | Path) -> list[str]:
    """What is wrong with a measured set, a line for each fault with file, key, value and mend; empty if nothing is.

    Args:
        folder: `resources/measured/<device>`.
    """
    folder = Path(folder)
    if not folder.is_dir():
        return [f"{folder}: no such folder; name that of one device, such as resources/measured/nvidia-rtx-a5000"]
    runs = run_folders(folder)
    if not runs:
        return [f"{folder}: holds no run1; measure one (measure_set.py --output {folder.parent})"]
    faults = [
        f"{path}: does not belong to a set; keep run1, run2, …, {_SUMMARY}, and files that end in "
        f"{' or '.join(_BESIDE)}, and remove it"
        for path in sorted(folder.iterdir())
        if path not in runs and path.name != _SUMMARY and path.suffix not in _BESIDE
    ]
    records: dict[Path, Mapping[str, Any]] = {}
    for file in sorted(file for run in runs for file in run.iterdir()):
        faults += _faults_of_file(file, records)
    faults += _faults_between(folder, records)
    return faults or list(_faults_of_summary(folder))


def require_sound_set(folder: str | Path) -> None:
    """Refuse a set that `faults_of_set` finds fault with.

    Raises:
        UserError: a line per fault.
    """
    if faults := faults_of_set(folder):
        raise UserError("\n".join(faults))


def _faults_of_file(file: Path, records: dict[Path, Mapping[str, Any]]) -> list[str]:
    """Faults of one record; one that can be read is added to `records`."""
    if file.suffix != ".json":
        return [f"{file}: does not belong to a run, which holds {{model}}-{{size}}.json alone; remove it"]
    try:
        content = require_record(file, read_json(file), file.stem)
    except UserError as error:
        return [str(error)]
    record, fault = _parsed(SetRecord, content)
    if record is None:
        return [f"{file}: {fault}; measure it anew (measure_set.py), or restore what was measured"]
    records[file] = content
    return [f"{file}: {fault}" for fault in _faults_of_record(record)]


def _parsed(kind: type[Part], content: Any) -> tuple[Any, str]:
    try:
        return kind.model_validate(content), ""
    except pydantic.ValidationError as error:
        return None, first_fault(error)


def _faults_of_record(record: SetRecord) -> Iterator[str]:
    """What of a record contradicts itself."""
    energy = record.energy_joules_per_audio_second
    for number, window in enumerate(record.windows):
        yield from (f"windows.{number}.{fault}" for fault in _faults_of_window(window, record))
    counted = [
        window.joules_per_audio_second
        for window in record.windows
        if window.counted and window.valid and window.joules_per_audio_second is not None
    ]
    if (energy is None) != (not counted):
        yield f"energy_joules_per_audio_second is {energy}, but {len(counted)} valid windows are counted; restore it"
    elif energy is not None and not min(counted) * (1 - _TOLERANCE) <= energy <= max(counted) * (1 + _TOLERANCE):
        yield (
            f"energy_joules_per_audio_second {energy:.6g} lies outside of its counted windows, {min(counted):.6g} to "
            f"{max(counted):.6g}; restore what was measured"
        )
    if record.meter.source != record.energy_source:
        yield f"meter.source {record.meter.source} is not energy_source {record.energy_source}; restore it"
    if record.publishable == bool(record.flags):
        yield f"publishable is {str(record.publishable).lower()} with flags {record.flags}; restore both"
    yield from _faults_of_flags(record)


def _faults_of_window(window: Window, record: SetRecord) -> Iterator[str]:
    """What of a window contradicts its counters; one that is not valid claims nothing."""
    try:
        is_in_order = datetime.fromisoformat(window.start.utc) < datetime.fromisoformat(window.end.utc)
    except ValueError:
        yield f"start.utc {window.start.utc} or end.utc {window.end.utc} is no time; restore what was measured"
        return
    if not is_in_order:
        yield f"end.utc {window.end.utc} is not after start.utc {window.start.utc}; restore what was measured"
    if not window.valid or window.joules is None:
        return
    domains = record.meter.domains
    for name, joules in window.joules_by_domain.items():
        if name not in domains:
            yield f"joules_by_domain.{name} is no counter of meter.domains; restore what was measured"
        elif joules is not None and domains[name].wraps_at is None:
            counted = window.end.counters.get(name, math.nan) - window.start.counters.get(name, math.nan)
            yield from _unequal(f"joules_by_domain.{name}", joules, counted * domains[name].joules_per_unit)
    headline = [window.joules_by_domain.get(name) for name in record.meter.headline]
    yield from _unequal("joules", window.joules, sum(math.nan if each is None else each for each in headline))
    if window.joules_per_audio_second is not None:
        rate = window.joules / window.audio_seconds
        yield from _unequal("joules_per_audio_second", window.joules_per_audio_second, rate)
    if window.mean_power_watts is not None:
        yield from _unequal("mean_power_watts", window.mean_power_watts, window.joules / window.seconds)


def _unequal(key: str, found: float, expected: float) -> Iterator[str]:
    if not math.isclose(found, expected, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE):
        yield f"{key} {found:.8g} does not follow from what it is made of, {expected:.8g}; restore what was measured"


def _faults_of_flags(record: SetRecord) -> Iterator[str]:
    """Flags that the protocol and the source ask for, and that are missing."""
    keys = EnergySettings.__dataclass_fields__
    protocol = {key: value for key, value in record.protocol.model_dump().items() if key in keys}
    try:
        shortfalls = settings_from(EnergySettings, protocol, "energy").shortfalls()
    except UserError as error:
        yield f"protocol: {str(error).splitlines()[0]}; restore what was measured"
        return
    if shortfalls and "short_protocol" not in record.flags:
        yield f"flags lack short_protocol, though {shortfalls[0]}; restore what was measured"
    if record.energy_source == ESTIMATED.word and "energy_estimated" not in record.flags:
        yield "flags lack energy_estimated, though energy_source is estimated; restore what was measured"


def _faults_between(folder: Path, records: Mapping[Path, Mapping[str, Any]]) -> Iterator[str]:
    """What does not fit together: devices of records, drivers, repetitions, and the folder's name."""
    first_of: dict[str, Path] = {}
    first = next(iter(records), None)
    for file, record in records.items():
        for key, mine, others in _of_one_machine(record, records[first] if first else record):
            if mine != others:
                yield f"{file}: {key} is {mine}, in {first} it is {others}; a set is of one device: move it to its own"
        origin = first_of.setdefault(file.stem, file)
        try:
            require_repetition(file, record, origin, records[origin])
        except UserError as error:
            yield str(error)
    if first is not None and folder.resolve().name != folder_of(records[first]["device"]):
        yield (
            f"{folder}: a set of {records[first]['device']} is called {folder_of(records[first]['device'])}; rename it"
        )


def _of_one_machine(record: Mapping[str, Any], other: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    def of(each: Mapping[str, Any]) -> dict[str, Any]:
        gpu = each.get("hardware", {}).get("gpu") or {}
        return {"device": each["device"], "energy_source": each["energy_source"], "driver": gpu.get("driver")}

    mine, others = of(record), of(other)
    return [(key, mine[key], others[key]) for key in mine]


def _faults_of_summary(folder: Path) -> Iterator[str]:
    """Whether `set.json` says what the runs say."""
    file = folder / _SUMMARY
    try:
        content = read_json(file)
    except UserError as error:
        yield str(error)
        return
    _, fault = _parsed(SetSummary, content)
    if fault:
        yield f"{file}: {fault}; restore it (measure_set.py writes it after each run)"
    elif content != summary(folder):
        wrong = sorted(
            name for name, found in summary(folder)["systems"].items() if content["systems"].get(name) != found
        )
        yield (
            f"{file}: does not agree with the runs ({', '.join(wrong) or 'device, source or number of runs'}); restore "
            "both (measure_set.py writes it after each run)"
        )
