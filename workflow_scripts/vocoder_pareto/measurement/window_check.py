"""Whether the windows and rests of a stored record agree with their counters, clocks, work and protocol."""

import math
from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import pairwise

import numpy as np

from vocoder_pareto.measurement.meter import COUNTS_LATE_SECONDS
from vocoder_pareto.measurement.set_schema import Domain, SetRecord
from vocoder_pareto.measurement.window_schema import Latencies, Rest, Window
from vocoder_pareto.tables.sources import ESTIMATED

_TOLERANCE = 1e-6  # relative; numbers are written with all their digits
_UTC_SECONDS = 1.0  # that a clock may be set while a window lasts
_STATE_SECONDS = 60.0  # that a busy machine takes to tell its state
_READING_SECONDS = 1.0  # that a slow meter takes at the ends of a window
_SETTLING_SECONDS = 2.0  # that any meter asks for before a reading
_RESTORE = "restore what was measured"
_QUANTILES = {"minimum": 0.0, "p5": 0.05, "p50": 0.5, "p95": 0.95, "p99": 0.99, "maximum": 1.0}


def faults_of_windows(record: SetRecord) -> Iterator[str]:
    """What of the windows and rests contradicts itself or the protocol, a line each."""
    for place, window in enumerate(record.windows):
        for faults in (_of_counters, _of_clocks, _of_work, _of_states):
            yield from (f"windows.{place}.{fault}" for fault in faults(window, record))
    for place, rest in enumerate(record.idle):
        yield from (f"idle.{place}.{fault}" for fault in _of_rest(rest, record))
    yield from _of_order(record)
    yield from _of_all_latencies(record)


def _of_counters(window: Window, record: SetRecord) -> Iterator[str]:
    domains, start, end = record.meter.domains, window.start.counters, window.end.counters
    for key, found in (
        ("start.counters", start),
        ("end.counters", end),
        ("joules_by_domain", window.joules_by_domain),
    ):
        if found.keys() != domains.keys():
            yield f"{key} is of {sorted(found)}, meter.domains of {sorted(domains)}; {_RESTORE}"
            return
    for name, domain in domains.items():
        yield from _of_counter(
            f"joules_by_domain.{name}", domain, start[name], end[name], window.joules_by_domain[name]
        )
        if (joules := window.joules_by_domain[name]) is not None:
            yield from _of_highest(f"joules_by_domain.{name}", joules, domain, window.seconds)
    yield from _of_sum(window.joules, window.joules_by_domain, record.meter.headline)
    yield from _of_validity(window.valid, window.joules, window.reasons)
    for key, told, divisor in (
        ("joules_per_audio_second", window.joules_per_audio_second, window.audio_seconds),
        ("mean_power_watts", window.mean_power_watts, window.seconds),
    ):
        yield from _unequal(key, told, None if window.joules is None else window.joules / divisor)


def _of_counter(
    key: str, domain: Domain, start: float | None, end: float | None, joules: float | None
) -> Iterator[str]:
    """Whether joules follow from a counter at both ends, and from whole rounds of one that wraps."""
    if joules is None:
        return
    if start is None or end is None:
        yield f"{key} is {joules:.8g}, though its counter could not be read; {_RESTORE}"
        return
    rounds = 0.0
    if domain.wraps_at is not None:
        if max(start, end) > domain.wraps_at:
            yield f"{key}: its counter shows {max(start, end):.8g}, and wraps at {domain.wraps_at:.8g}; {_RESTORE}"
            return
        rounds = max(0.0, float(round((joules / domain.joules_per_unit - (end - start)) / domain.wraps_at)))
    counts = end - start + rounds * (domain.wraps_at or 0.0)
    yield from _unequal(key, joules, counts * domain.joules_per_unit)


def _of_highest(key: str, joules: float, domain: Domain, seconds: float) -> Iterator[str]:
    if domain.highest_watts is not None and joules > domain.highest_watts * (seconds + COUNTS_LATE_SECONDS):
        yield f"{key} {joules:.6g} in {seconds:.3g} s is above highest_watts, {domain.highest_watts:g}; {_RESTORE}"


def _of_sum(joules: float | None, by_domain: Mapping[str, float | None], headline: list[str]) -> Iterator[str]:
    parts = [by_domain.get(name) for name in headline]
    known = [part for part in parts if part is not None]
    yield from _unequal("joules", joules, sum(known) if len(known) == len(parts) else None)


def _of_validity(valid: bool, joules: float | None, reasons: list[str]) -> Iterator[str]:
    if valid != (joules is not None):
        yield f"valid is {str(valid).lower()}, joules is {'null' if joules is None else f'{joules:.6g}'}; {_RESTORE}"
    if not valid and not reasons:
        yield f"reasons is empty, though valid is false; {_RESTORE}"


def _of_clocks(window: Window, record: SetRecord) -> Iterator[str]:
    start, end, before, after = window.start, window.end, window.state_before, window.state_after
    yield from _unequal("seconds", window.seconds, end.monotonic_seconds - start.monotonic_seconds)
    try:
        utc = (datetime.fromisoformat(end.utc) - datetime.fromisoformat(start.utc)).total_seconds()
    except ValueError:
        yield f"start.utc {start.utc} or end.utc {end.utc} is no time; {_RESTORE}"
        return
    if abs(utc - window.seconds) > _UTC_SECONDS:
        yield f"end.utc {end.utc} is not {window.seconds:.3f} s after start.utc {start.utc}; {_RESTORE}"
    led_in = start.monotonic_seconds - before.monotonic_seconds
    unit_seconds = window.latency_seconds.maximum * math.ceil(record.protocol.clips / record.protocol.batch_size)
    longest = max(record.protocol.lead_in_seconds, _SETTLING_SECONDS) + unit_seconds + _STATE_SECONDS
    if not 0 <= led_in <= longest or not 0 <= after.monotonic_seconds - end.monotonic_seconds <= _STATE_SECONDS:
        yield f"state_before or state_after is not of the moment before or after, by monotonic_seconds; {_RESTORE}"
    if window.seconds < record.protocol.min_window_seconds:
        yield (
            f"seconds {window.seconds:.6g} is shorter than protocol.min_window_seconds "
            f"{record.protocol.min_window_seconds:g}; {_RESTORE}"
        )


def _of_work(window: Window, record: SetRecord) -> Iterator[str]:
    """Whether audio and passes are whole units of work, and as long as their latencies."""
    protocol, latency = record.protocol, window.latency_seconds
    passes_of_unit = math.ceil(protocol.clips / protocol.batch_size)
    units = window.passes / passes_of_unit
    if not units.is_integer() or window.passes < protocol.min_repeats:
        yield (
            f"passes {window.passes} are no whole units of {passes_of_unit}, or fewer than protocol.min_repeats "
            f"{protocol.min_repeats}; {_RESTORE}"
        )
    yield from _unequal("audio_seconds", window.audio_seconds, units * protocol.clips * protocol.audio_seconds_per_clip)
    yield from _of_latencies("latency_seconds", latency)
    yield from _unequal("latency_seconds.passes", latency.passes, window.passes)
    worked = latency.mean * latency.passes
    if not 0.5 * window.seconds - _READING_SECONDS <= worked <= window.seconds * (1 + _TOLERANCE) + 1e-3:
        yield f"latency_seconds.mean × passes is {worked:.6g} s in a window of {window.seconds:.6g} s; {_RESTORE}"


def _of_latencies(key: str, latency: Latencies) -> Iterator[str]:
    ordered = [getattr(latency, name) for name in _QUANTILES]
    slack = 1 + _TOLERANCE
    if any(low > high * slack for low, high in pairwise(ordered)):
        yield f"{key} does not rise from minimum to maximum; {_RESTORE}"
    if not ordered[0] <= latency.mean * slack or not latency.mean <= ordered[-1] * slack:
        yield f"{key}.mean {latency.mean:.6g} does not lie between minimum and maximum; {_RESTORE}"
    known = {1: [latency.minimum], 2: [latency.minimum, latency.maximum]}.get(latency.passes, [])
    yield from _of_known_latencies(key, latency, known)


def _of_known_latencies(key: str, latency: Latencies, known: list[float]) -> Iterator[str]:
    """Whether a distribution is that of the seconds of all its passes, where they are known."""
    if known:
        yield from _unequal(f"{key}.mean", latency.mean, sum(known) / len(known))
        for name, share in _QUANTILES.items():
            yield from _unequal(f"{key}.{name}", getattr(latency, name), float(np.quantile(known, share)))


def _of_states(window: Window, record: SetRecord) -> Iterator[str]:
    before, after = window.state_before, window.state_after
    for key in ("machine_cpu_seconds", "own_cpu_seconds"):
        spent = getattr(after, key) - getattr(before, key)
        elapsed = after.monotonic_seconds - before.monotonic_seconds
        # The kernel counts by ticks of its own, of at most 10 ms a core.
        at_most = record.hardware.cpu.logical_cores * (elapsed * 1.01 + 0.05)
        if not 0 <= spent <= at_most:
            yield (
                f"state_after.{key} is {spent:.6g} s more than before, in {elapsed:.6g} s on "
                f"{record.hardware.cpu.logical_cores} cores; {_RESTORE}"
            )
    told = record.windows[0].state_before.model_fields_set
    if before.model_fields_set != told or after.model_fields_set != told:
        yield f"state_before and state_after do not tell {sorted(told)} as that of windows.0 does; {_RESTORE}"
    gpu = record.hardware.gpu
    for name, state in (("state_before", before), ("state_after", after)):
        for key, highest in (
            ("sm_clock_mhz", gpu and gpu.max_sm_clock_mhz),
            ("memory_clock_mhz", gpu and gpu.max_memory_clock_mhz),
        ):
            found = getattr(state, key)
            if found is not None and highest is not None and found > highest:
                yield f"{name}.{key} {found:g} is above hardware.gpu.max_{key} {highest:g}; {_RESTORE}"


def _of_rest(rest: Rest, record: SetRecord) -> Iterator[str]:
    if rest.by_domain.keys() != record.meter.domains.keys():
        yield f"by_domain is of {sorted(rest.by_domain)}, meter.domains of {sorted(record.meter.domains)}; {_RESTORE}"
        return
    yield from _of_sum(rest.joules, rest.by_domain, record.meter.headline)
    yield from _of_validity(rest.valid, rest.joules, rest.reasons)
    for name, joules in rest.by_domain.items():
        if joules is not None:
            yield from _of_highest(f"by_domain.{name}", joules, record.meter.domains[name], rest.seconds)
    if rest.source != record.energy_source:
        yield f"source {rest.source} is not energy_source {record.energy_source}; {_RESTORE}"
    if rest.seconds < (least := record.protocol.idle_seconds):
        yield f"seconds {rest.seconds:.6g} is shorter than protocol.idle_seconds {least:g}; {_RESTORE}"
    if rest.stood_still and rest.valid:
        yield f"stood_still is true, though valid is true; {_RESTORE}"


def _of_order(record: SetRecord) -> Iterator[str]:
    """Whether windows follow each other in time, processes one another, and each has as many as the protocol says."""
    for place, (one, other) in enumerate(pairwise(record.windows), start=1):
        if other.start.monotonic_seconds < one.end.monotonic_seconds or other.start.utc < one.start.utc:
            yield f"windows.{place} begins before windows.{place - 1} ends; {_RESTORE}"
        before, after = other.state_before, one.state_after
        if before.machine_cpu_seconds < after.machine_cpu_seconds or (
            other.process == one.process and before.own_cpu_seconds < after.own_cpu_seconds
        ):
            yield f"windows.{place}.state_before: CPU seconds are fewer than after windows.{place - 1}; {_RESTORE}"
        step = (other.process - one.process, other.attempt - one.attempt)
        if step not in ((0, 0), (0, 1), (1, -one.attempt)):
            yield f"windows.{place}.process or attempt does not follow that of windows.{place - 1}; {_RESTORE}"
    protocol = record.protocol
    for process in range(record.windows[-1].process + 1):
        attempts = [window.attempt for window in record.windows if window.process == process]
        if attempts.count(0) != protocol.windows or max(attempts, default=0) > protocol.max_retries:
            yield (
                f"windows: process {process} has {attempts.count(0)} windows at first and {max(attempts, default=0)} "
                f"retries; protocol.windows is {protocol.windows}, max_retries {protocol.max_retries}; {_RESTORE}"
            )
    rests = 2 * protocol.processes_done if protocol.idle_seconds > 0 and record.energy_source != ESTIMATED.word else 0
    if len(record.idle) != rests:
        yield f"idle holds {len(record.idle)} rests, {rests} by protocol.idle_seconds and processes_done; {_RESTORE}"
    if not record.windows[-1].process + 1 == protocol.processes_done == protocol.processes:
        yield (
            f"protocol.processes_done is {protocol.processes_done}, processes {protocol.processes}, and windows are of "
            f"{record.windows[-1].process + 1}; {_RESTORE}"
        )


def _of_all_latencies(record: SetRecord) -> Iterator[str]:
    """Whether the latencies of all counted windows together are those of each."""
    parts = [window.latency_seconds for window in record.windows if window.counted]
    latency, key = record.latency_seconds, "latency_seconds"
    yield from _of_latencies(key, latency)
    if not parts:
        return
    passes = sum(part.passes for part in parts)
    yield from _unequal(f"{key}.passes", latency.passes, passes)
    yield from _unequal(f"{key}.mean", latency.mean, sum(part.mean * part.passes for part in parts) / passes)
    yield from _unequal(f"{key}.minimum", latency.minimum, min(part.minimum for part in parts))
    yield from _unequal(f"{key}.maximum", latency.maximum, max(part.maximum for part in parts))
    if all(part.passes == 1 for part in parts):
        yield from _of_known_latencies(key, latency, [part.mean for part in parts])


def _unequal(key: str, told: float | None, expected: float | None) -> Iterator[str]:
    if told is None or expected is None:
        if told is not expected:
            yield f"{key} is {_shown(told)}, and should be {_shown(expected)} by what it is made of; {_RESTORE}"
    elif not math.isclose(told, expected, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE**2):
        yield f"{key} {told:.8g} does not follow from what it is made of, {expected:.8g}; {_RESTORE}"


def _shown(value: float | None) -> str:
    return "null" if value is None else f"{value:.8g}"
