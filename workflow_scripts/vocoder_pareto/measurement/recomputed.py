"""What a stored record concludes, concluded anew from its windows by the code that measures, and compared leaf by leaf.

Numbers, intervals, bounds and flags of a record follow from its windows and rests, its protocol and its meter. Words
may change with a version; the numbers in them may not.
"""

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from vocoder_pareto.measurement.assessment import assessed
from vocoder_pareto.measurement.meter import Energy, Meter, Reading
from vocoder_pareto.measurement.protocol import Measured
from vocoder_pareto.measurement.protocol import Window as MeasuredWindow
from vocoder_pareto.measurement.sensor import Domain, Sensor
from vocoder_pareto.measurement.set_schema import SetRecord
from vocoder_pareto.measurement.window_schema import Moment, Rest, Window
from vocoder_pareto.study.sections.measurement import EnergySettings
from vocoder_pareto.tables.columns import ENERGY
from vocoder_pareto.tables.sources import ESTIMATED

TOLERANCE = 1e-6  # relative; numbers are written with all their digits
_NUMBER = re.compile(r"\d+(?:\.\d+)?(?:e[+-]?\d+)?")
# A counter that stood still may have done so before a window, of which a record says nothing but in this flag.
_SEEN_BY_NO_WINDOW = {"invalid_window"}
# Flags that there were not yet when the earliest records were written.
_UNKNOWN_TO_EARLY_RECORDS = {"unsteady_idle"}


def faults_of_conclusions(record: SetRecord, settings: EnergySettings) -> Iterator[str]:
    """What of a record does not follow from its windows and rests, a line for each key."""
    meter = _meter_of(record)
    measured = _measured_of(record)
    flops = record.bounds.flops_per_joule
    if flops is not None and record.energy_joules_per_audio_second is not None:
        flops *= record.energy_joules_per_audio_second
    found = assessed(measured, meter, settings, flops, record.bounds.peak_flops_per_second)
    told = record.model_dump()
    for key in _NUMBERS:
        yield from _unequal(key, told[key], found[key])
    for key, value in found["bounds"].items():
        yield from _unequal(f"bounds.{key}", told["bounds"][key], value)
    yield from _faults_of_flags(record, found["reasons"])


def faults_of_counting(record: SetRecord) -> Iterator[str]:
    """Windows that are counted and should not be, or the other way, and disturbances that their states do not show."""
    measured = _measured_of(record)
    counted = set(map(id, measured.counted))
    for place, (window, again) in enumerate(zip(record.windows, measured.windows, strict=True)):
        yield from _unequal(f"windows.{place}.counted", window.counted, id(again) in counted)
        yield from _unequal(f"windows.{place}.disturbances", window.disturbances, list(again.disturbances))


_NUMBERS = (
    ENERGY,
    f"{ENERGY}_ci95",
    f"{ENERGY}_degrees_of_freedom",
    "energy_combined_by",
    "energy_relative_process_spread",
    f"net_{ENERGY}",
    "mean_power_watts",
    "energy_source",
    "idle_power_watts",
    "real_time_factor",
)


def _unequal(key: str, told: Any, found: Any) -> Iterator[str]:
    if isinstance(told, float | int) and isinstance(found, float | int) and math.isfinite(found):
        same = math.isclose(told, found, rel_tol=TOLERANCE, abs_tol=TOLERANCE * TOLERANCE)
    else:
        same = told == found
    if not same:
        yield f"{key} is {_shown(told)}, but {_shown(found)} follows from the windows; restore what was measured"


def _shown(value: Any) -> str:
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return f"{value:.8g}" if isinstance(value, float) else str(value)


def _faults_of_flags(record: SetRecord, found: Mapping[str, str]) -> Iterator[str]:
    """Flags that are missing or follow from nothing, and sentences of other numbers than those they are about."""
    cpu = record.hardware.cpu
    expected = {flag: sentence for flag, sentence in found.items() if flag not in ("threads_spin", "not_publishable")}
    if record.energy_source == ESTIMATED.word and cpu.omp_wait_policy != "passive" and cpu.torch_threads > 1:
        expected["threads_spin"] = ""
    if record.is_early:
        expected = {flag: why for flag, why in expected.items() if flag not in _UNKNOWN_TO_EARLY_RECORDS}
    told = [flag for flag in record.flags if flag != "not_publishable"]
    for flag in expected:
        if flag not in told:
            why = f", though {expected[flag]}" if expected[flag] else ""
            yield f"flags lack {flag}{why}; restore what was measured"
    for flag in told:
        if flag not in expected and flag not in _SEEN_BY_NO_WINDOW:
            yield f"flags hold {flag}, which does not follow from the record; restore what was measured"
    if record.publishable == bool(record.flags):
        yield f"publishable is {str(record.publishable).lower()} with flags {record.flags}; restore both"
    if ("not_publishable" in record.flags) != bool(told) or len(set(record.flags)) < len(record.flags):
        yield f"flags are {record.flags}: not_publishable stands behind other flags, and each stands once; restore them"
    if list(record.reasons) != record.flags:
        yield f"reasons are of {list(record.reasons)}, flags are {record.flags}; restore both"
        return
    if record.flags and record.reasons["not_publishable"] != "; ".join(record.reasons[flag] for flag in told):
        yield "reasons.not_publishable is not what the other reasons say; restore what was measured"
    for flag, sentence in expected.items():
        if _NUMBER.findall(sentence) != _NUMBER.findall(record.reasons.get(flag, sentence)) and sentence:
            yield f"reasons.{flag} is {record.reasons[flag]!r}, but {sentence!r} follows; restore what was measured"


def _measured_of(record: SetRecord) -> Measured:
    """What was observed, as far as a record holds it: all but the times of single passes and what led in to windows."""
    protocol = record.protocol
    return Measured(
        tuple(_window_of(window, record) for window in record.windows),
        tuple(_rest_of(rest) for rest in record.idle),
        protocol.warmup_passes_done,
        protocol.warmup_stable,
        protocol.warmup_power_stable,
    )


def _window_of(window: Window, record: SetRecord) -> MeasuredWindow:
    energy = Energy(
        window.joules,
        window.seconds,
        dict(window.joules_by_domain),
        record.energy_source,
        window.valid,
        tuple(window.reasons),
        _stood_still(window.reasons, record.meter.headline),
    )
    return MeasuredWindow(
        window.attempt,
        _reading_of(window.start),
        _reading_of(window.end),
        energy,
        window.audio_seconds,
        (window.latency_seconds.mean,),
        window.state_before.model_dump(exclude_unset=True),
        window.state_after.model_dump(exclude_unset=True),
        window.process,
    )


def _stood_still(reasons: list[str], headline: list[str]) -> bool:
    return any(reason.startswith(f"{name} stood still") for reason in reasons for name in headline)


def _reading_of(moment: Moment) -> Reading:
    return Reading(moment.utc, moment.monotonic_seconds, dict(moment.counters), {}, {})


def _rest_of(rest: Rest) -> Energy:
    return Energy(
        rest.joules, rest.seconds, dict(rest.by_domain), rest.source, rest.valid, tuple(rest.reasons), rest.stood_still
    )


class _RecordedSensor(Sensor):
    """A sensor that was read once, and is known from its record alone, which names its source."""

    source = "none"

    def __init__(self, record: SetRecord):
        meter = record.meter
        self.source, self.boundary = meter.source, meter.boundary
        self.domains = tuple(
            Domain(name, domain.unit, domain.joules_per_unit, domain.where, domain.wraps_at)
            for name, domain in meter.domains.items()
            if name in meter.headline
        )
        self._power_limit_watts = meter.power_limit_watts

    def read(self, domain: Domain) -> float:
        """See `Sensor`."""
        raise OSError("a record is read no more")

    @property
    def power_limit_watts(self) -> float | None:
        """See `Sensor`."""
        return self._power_limit_watts


class _RecordedEstimate(_RecordedSensor):
    """The same of an estimate."""

    estimated_from: ClassVar[str | None] = "CPU time"


def _meter_of(record: SetRecord) -> Meter:
    kind = _RecordedEstimate if record.meter.source == ESTIMATED.word else _RecordedSensor
    return Meter(kind(record), notes={note: record.reasons.get(note, note) for note in record.meter.notes})
