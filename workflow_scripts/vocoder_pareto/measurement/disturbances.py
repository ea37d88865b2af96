"""What else went on while a window was measured, from the states of the device at both its ends."""

from collections.abc import Mapping
from typing import Any

OTHERS_AT_MOST = 0.5  # cores busy with other programs
# Where a counter holds what all cores draw, others' joules are in the reading: no more of them than a tenth of our own.
OTHERS_TO_OWN_AT_MOST = 0.1
COUNT_ALL_CORES = ("rapl", "zeus_apple")
NORMAL = {"power_cap"}  # the reason for a lower clock that a GPU at full load has anyway
THROTTLED_AT_MOST = 0.01  # of a window


def disturbances(
    before: Mapping[str, Any], after: Mapping[str, Any], seconds: float, source: str = ""
) -> dict[str, str]:
    """What disturbed a window, as flag → sentence: `other_processes`, `busy_machine`, `throttled`; mostly nothing.

    Args:
        before, after: are states of the device, see `hardware.device_state`; what they do not tell disturbs nothing.
        seconds: lie between them, if they do not say when they were taken.
        source: is the word for where the joules come from, see `tables.sources`.
    """
    found = {}
    if "monotonic_seconds" in before and "monotonic_seconds" in after:
        seconds = after["monotonic_seconds"] - before["monotonic_seconds"]
    processes = max(len(state.get("processes", [])) for state in (before, after))
    if processes > 1:
        found["other_processes"] = f"{processes - 1} other processes were on the GPU"
    own, others = busy_cores(before, after, seconds)
    if others > OTHERS_AT_MOST:
        found["busy_machine"] = f"other programs kept {others:.2g} CPU cores busy during a window"
    elif source in COUNT_ALL_CORES and others > OTHERS_TO_OWN_AT_MOST * own:
        found["busy_machine"] = (
            f"other programs kept {others:.2g} CPU cores busy during a window, beside {own:.2g} of the measured work: "
            "the counter holds both"
        )
    throttled = _reasons_at_the_ends(before, after) + _reasons_between(before, after, seconds)
    if throttled:
        found["throttled"] = f"the GPU lowered its clocks: {', '.join(throttled)}"
    return found


def busy_cores(before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> tuple[float, float]:
    """The mean number of cores that this process kept busy, and that others did; 0 where that is not known.

    Others are programs of any priority, interrupts, and the neighbours to whom a hypervisor gave our cores.
    """
    machine, own = (after.get(name, 0.0) - before.get(name, 0.0) for name in ("machine_cpu_seconds", "own_cpu_seconds"))
    return (own / seconds, (machine - own) / seconds) if seconds > 0 else (0.0, 0.0)


def busy_seconds(times: Mapping[str, float]) -> float:
    """What all cores of the machine spent on anything, niced programs and interrupts too, or had to give to others.

    Linux counts guests among `user` and `nice` already; `steal` is what a hypervisor gave to its other machines.
    """
    return sum(seconds for kind, seconds in times.items() if kind not in ("idle", "iowait", "guest", "guest_nice"))


def _reasons_at_the_ends(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return sorted({why for state in (before, after) for why in state.get("throttle_reasons") or []} - NORMAL)


def _reasons_between(before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> list[str]:
    """Why clocks were held down for part of the window, by counters that are read at its ends."""
    first, last = (state.get("throttled_seconds") or {} for state in (before, after))
    rises = {reason: last[reason] - first[reason] for reason in sorted(first.keys() & last.keys())}
    return [
        f"{reason}, for {rise:.2g} of {seconds:.2g} s"
        for reason, rise in rises.items()
        if rise > THROTTLED_AT_MOST * seconds
    ]
