"""Measurements that are kept, so that weights which are only trained anew are not measured again.

A file for each measurement, `records/{system}/{digest}.json`, named by a digest of all that energy depends on: the
system but for its training, the protocol, input and seed, the meter, the device, versions, and the code. A system has a
folder of its own: two of one architecture are two measurements.
"""

import hashlib
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from vocoder_pareto.errors import UserError
from vocoder_pareto.files import read_json, write_json
from vocoder_pareto.measurement.digests import digest
from vocoder_pareto.measurement.energy import Bench, FirstPart, Subject, measure_first, measure_in_processes, weights_of
from vocoder_pareto.measurement.hardware import device_identity, software_description
from vocoder_pareto.measurement.meter import Meter
from vocoder_pareto.measurement.own_process import in_own_process
from vocoder_pareto.study.code_version import code_version, module_file
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.tables.columns import ENERGY

log = logging.getLogger(__name__)

PROGRAMS = Path(__file__).parents[2]
# Flags of settings, environment and meter (with its notes): another measurement would have them too.
_LASTING_FLAGS = {"short_protocol", "energy_estimated", "threads_spin", "not_publishable"}


@dataclass(frozen=True)
class Place:
    """Where a measurement is kept.

    Attributes:
        file: holds it, or will; None where nothing is kept.
        determined_by: is all that its energy depends on, see `determinants`.
        record: is the measurement of earlier weights with what is of today's, if there is one to take.
    """

    file: Path | None
    determined_by: Mapping[str, Any]
    record: dict[str, Any] | None


def kept_or_measured_in_processes(
    folder: Path | None, open_bench: Callable[[], Bench], settings: EnergySettings, seed: int
) -> dict[str, Any]:
    """The record in `folder`, or that of `measure_in_processes`, which is kept there; see `kept_or_measured`.

    The first process looks up, and measures where there is nothing to take: so all is loaded once for both.
    """
    place, first = in_own_process(_looked_up_or_measured, folder, open_bench, settings, seed)
    return kept_or_measured(place, lambda: measure_in_processes(open_bench, settings, seed, first))


def _looked_up_or_measured(
    folder: Path | None, open_bench: Callable[[], Bench], settings: EnergySettings, seed: int
) -> tuple[Place, FirstPart | None]:
    bench = open_bench()
    place = look_up(folder, bench, settings, seed)
    return place, None if place.record is not None else measure_first(bench, settings, seed)


def look_up(folder: Path | None, bench: Bench, settings: EnergySettings, seed: int) -> Place:
    """Where the measurement of a subject is kept, and what is kept there; nothing is computed on the device.

    Args:
        folder: holds the records of all systems; None keeps nothing.
        bench: has the subject, its device and meter.
        settings, seed: as for `measure_energy`. `settings.reuse` lets earlier records count.
    """
    if folder is None:
        return Place(None, {}, None)
    determined_by = determinants(bench.subject, settings, bench.meter, bench.device, seed)
    file = folder / bench.subject.system.name / f"{digest(determined_by)}.json"
    kept = _kept(file, determined_by) if settings.reuse else None
    return Place(file, determined_by, kept and {**kept, **weights_of(bench.subject), "reused": True})


def kept_or_measured(place: Place, measure: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """The record at `place`, or that of `measure`, which is kept there.

    Returns:
        The record of `measure_energy`, with `measured_at` (UTC, ISO 8601), `measured_with` (the digest and the training
        of the weights that were measured) and `reused`; `checkpoint_digest` and `training` are those of today's.
    """
    if place.record is not None:
        log.info(
            "%s: not measured again. Nothing that its energy depends on has changed since %s, when it was measured "
            "with checkpoint %s (%s). To measure it again, set config key energy.reuse: false and force the rule "
            "(--forcerun).",
            place.record["system"], place.record["measured_at"], place.record["measured_with"]["checkpoint_digest"],
            place.file,
        )  # fmt: skip
        return place.record
    measured = measure()
    now = datetime.now(UTC).isoformat(timespec="seconds")
    weights = {name: measured[name] for name in ("checkpoint_digest", "training")}
    record = {**measured, "measured_at": now, "measured_with": weights, "reused": False}
    if place.file is not None:
        _keep(place.file, place.determined_by, record)
    return record


def determinants(
    subject: Subject, settings: EnergySettings, meter: Meter, device: torch.device, seed: int
) -> dict[str, Any]:
    """All that the energy of `subject` depends on, as plain values.

    Of the training only whether there was any: layers that begin at zero draw another power than trained ones.
    """
    system = subject.system
    software = software_description(PROGRAMS)
    return {
        "system": system.to_generate(),
        "untrained": subject.training.get("steps") == 0,
        "flops_per_audio_second": subject.flops_per_audio_second,
        "input": hashlib.sha256(np.ascontiguousarray(subject.mels).data).hexdigest()[:16],
        "protocol": settings.protocol(),
        "seed": seed,
        "meter": _identity_of_meter(meter),
        "device": device_identity(device),
        "software": {
            **{name: value for name, value in software.items() if name != "git"},
            "torch": torch.__version__,
            "cuda": torch.version.cuda,
        },
        "code": _code_that_measures(system),
    }


def _identity_of_meter(meter: Meter) -> dict[str, Any]:
    """How `meter` counts. What an estimate takes a core to draw is no part: tables restate it (analysis/estimates).

    Nor is what was found out when it was opened, which holds counts: its domains tell what followed from it.
    """
    description = {name: value for name, value in meter.description().items() if name != "findings"}
    if not meter.is_estimate:
        return description
    domains = {name: {"unit": domain["unit"]} for name, domain in description["domains"].items()}
    return {**description, "domains": domains, "power_limit_watts": None}


def _code_that_measures(system: SystemSettings) -> dict[str, str]:
    """The param `code` of the rule measure_energy."""
    program = PROGRAMS / "measure_energy.py"
    return code_version([program, module_file(system.vocoder, PROGRAMS)], PROGRAMS, program.stem)


def _kept(file: Path, determined_by: Mapping[str, Any]) -> dict[str, Any] | None:
    """The measurement in `file`, if it is whole and was not disturbed."""
    if not file.exists():
        return None
    try:
        found = read_json(file)
    except (UserError, OSError):
        found = None
    if not isinstance(found, dict) or found.get("digest") != _sealed(determined_by, found.get("measurement"))["digest"]:
        log.warning("%s: damaged, or not the record of this measurement; measuring again", file)
        return None
    measurement = found["measurement"]
    disturbances = set(measurement["flags"]) - _LASTING_FLAGS - set(measurement["meter"]["notes"])
    if disturbances or measurement[ENERGY] is None:
        log.info("%s: flagged (%s); measuring again", file, ", ".join(measurement["flags"]))
        return None
    return measurement


def _keep(file: Path, determined_by: Mapping[str, Any], measurement: Mapping[str, Any]) -> None:
    """Write `measurement` to `file`; where that cannot be done, it is still a measurement."""
    try:
        write_json(file, _sealed(determined_by, measurement))
    except UserError as error:
        log.warning("the measurement is not kept for weights that are trained anew: %s", error)


def _sealed(determined_by: Mapping[str, Any], measurement: Any) -> dict[str, Any]:
    """The content of a file, with a digest that tells a damaged one."""
    content = {"determined_by": determined_by, "measurement": measurement}
    return {**content, "digest": digest(content)}
