"""The check of a measured set before it is sent to others: its form, its arithmetic, and what it claims of itself.

Whatever can be worked out from what stands beside it is worked out anew: windows from counters (`window_check`),
energies, intervals, bounds and flags from windows (`recomputed`), limits and digests from descriptions
(`origin_check`), FLOPs from architectures (`flops_check`), `set.json` from the runs. The rest is held to its unit and
range. It cannot tell whether the numbers are true (docs/measured_sets.md).
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pydantic

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json
from vocoder_pareto.measurement.flops_check import faults_of_flops
from vocoder_pareto.measurement.measured_set import folder_of, require_repetition, run_folders, summary
from vocoder_pareto.measurement.origin_check import faults_of_origin
from vocoder_pareto.measurement.recomputed import faults_of_conclusions, faults_of_counting
from vocoder_pareto.measurement.set_schema import SetRecord, SetSummary
from vocoder_pareto.measurement.stored_record import Part, first_fault, require_record
from vocoder_pareto.measurement.window_check import faults_of_windows
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.settings import settings_from

_SUMMARY = "set.json"
_BESIDE = (".yaml", ".md")  # a set may also hold the protocol and remarks


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


def faults_of_record(content: Any, name: str) -> list[str]:
    """What is wrong with the record of the system `name`, as it was read: each fault names a key and the mend."""
    record, fault = _parsed(SetRecord, content)
    if record is None:
        return [f"{fault}; measure it anew (measure_set.py), or restore what was measured"]
    if record.system != name:
        return [f"system is {record.system}, and the file is called {name}; rename it, or restore what was measured"]
    faults = [*faults_of_origin(record), *faults_of_counting(record), *faults_of_windows(record)]
    try:
        settings = settings_from(EnergySettings, _energy_settings(record), "protocol")
    except UserError as error:
        return [*faults, f"{str(error).splitlines()[0].removeprefix('config key ')}; restore what was measured"]
    # Conclusions are drawn from windows that hold together.
    return faults or [*faults_of_conclusions(record, settings), *faults_of_flops(record)]


def _energy_settings(record: SetRecord) -> dict[str, Any]:
    keys = EnergySettings.__dataclass_fields__
    return {key: value for key, value in record.protocol.model_dump().items() if key in keys}


def _faults_of_file(file: Path, records: dict[Path, Mapping[str, Any]]) -> list[str]:
    """Faults of one record; one that can be read is added to `records`."""
    if file.suffix != ".json":
        return [f"{file}: does not belong to a run, which holds {{model}}-{{size}}.json alone; remove it"]
    try:
        content = require_record(file, read_json(file), file.stem)
    except UserError as error:
        return [str(error)]
    if not _parsed(SetRecord, content)[1]:
        records[file] = content
    return [f"{file}: {fault}" for fault in faults_of_record(content, file.stem)]


def _parsed(kind: type[Part], content: Any) -> tuple[Any, str]:
    try:
        return kind.model_validate(content), ""
    except pydantic.ValidationError as error:
        return None, first_fault(error)


def _faults_between(folder: Path, records: Mapping[Path, Mapping[str, Any]]) -> Iterator[str]:
    """What does not fit together: devices and protocols of records, repetitions, and the folder's name."""
    first_of: dict[str, Path] = {}
    first = next(iter(records), None)
    for file, record in records.items():
        yield from (f"{file}: {fault}" for fault in faults_of_pair(record, records[first or file], str(first)))
        origin = first_of.setdefault(file.stem, file)
        try:
            require_repetition(file, record, origin, records[origin])
        except UserError as error:
            yield str(error)
    if first is not None and folder.resolve().name != folder_of(records[first]["device"]):
        yield (
            f"{folder}: a set of {records[first]['device']} is called {folder_of(records[first]['device'])}; rename it"
        )


def faults_of_pair(record: Mapping[str, Any], other: Mapping[str, Any], name: str) -> list[str]:
    """In what a record is not of the device and the protocol of another one of its set, which is called `name`."""
    mine, others = _in_common(record), _in_common(other)
    return [
        f"{key} is {mine.get(key)}, in {name} it is {others.get(key)}; a set is of one device, by one protocol: "
        "move it to its own"
        for key in sorted(mine.keys() | others.keys())
        if mine.get(key) != others.get(key)
    ]


def _in_common(record: Mapping[str, Any]) -> dict[str, Any]:
    """What all records of a set have in common: the machine, its driver and PyTorch, and how it was measured."""
    gpu, cpu = _section(record, "hardware", "gpu"), _section(record, "hardware", "cpu")
    hardware = {name: value for name, value in _section(record, "hardware").items() if name not in ("gpu", "cpu")}
    if isinstance(memory := hardware.get("memory_bytes"), int):  # which differs by what a kernel keeps for itself
        hardware["memory_bytes"] = round(memory / 2**30) * 2**30
    described = {f"hardware.{name}": value for name, value in hardware.items()}
    described |= {f"hardware.gpu.{name}": value for name, value in gpu.items()}
    described |= {f"hardware.cpu.{name}": value for name, value in cpu.items() if name != "max_mhz"}
    protocol, packages = _section(record, "protocol"), _section(record, "software", "packages")
    return {
        "device": record.get("device"),
        "energy_source": record.get("energy_source"),
        "meter.boundary": _section(record, "meter").get("boundary"),
        "software.packages": sorted(packages),
        "software.packages.torch": packages.get("torch"),
        **described,
        **{f"protocol.{name}": value for name, value in protocol.items() if name in _OF_ALL_RECORDS},
    }


_OF_ALL_RECORDS = {*EnergySettings.__dataclass_fields__, "seed", "weights_dtype"}


def _section(record: Any, *keys: str) -> Mapping[str, Any]:
    """A section of a record that may be damaged; empty where there is none."""
    for key in keys:
        record = record.get(key) if isinstance(record, Mapping) else None
    return record if isinstance(record, Mapping) else {}


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
