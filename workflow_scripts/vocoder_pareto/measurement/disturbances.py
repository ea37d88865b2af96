"""What else went on while a window was measured, from the states of the device at both its ends."""

from collections.abc import Mapping
from typing import Any

OTHERS_AT_MOST = 0.5  # cores busy with other programs
NORMAL = {"power_cap"}  # the reason for a lower clock that a GPU at full load has anyway


def disturbances(before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> dict[str, str]:
    """What disturbed a window, as flag → sentence: `other_processes`, `busy_machine`, `throttled`; mostly nothing.

    Args:
        before, after: are states of the device, see `hardware.device_state`; what they do not tell disturbs nothing.
        seconds: lie between them, if they do not say when they were taken.
    """
    found = {}
    processes = max(len(state.get("processes", [])) for state in (before, after))
    if processes > 1:
        found["other_processes"] = f"{processes - 1} other processes were on the GPU"
    busy = busy_with_others(before, after, seconds)
    if busy > OTHERS_AT_MOST:
        found["busy_machine"] = f"other programs kept {busy:.2g} CPU cores busy during a window"
    throttled = sorted({why for state in (before, after) for why in state.get("throttle_reasons") or []} - NORMAL)
    if throttled:
        found["throttled"] = f"the GPU lowered its clocks: {', '.join(throttled)}"
    return found


def busy_with_others(before: Mapping[str, Any], after: Mapping[str, Any], seconds: float) -> float:
    """The mean number of cores that others kept busy; 0 where that is not known.

    Others are programs of any priority, interrupts, and the neighbours to whom a hypervisor gave our cores.
    """
    if "monotonic_seconds" in before and "monotonic_seconds" in after:
        seconds = after["monotonic_seconds"] - before["monotonic_seconds"]
    machine, own = (after.get(name, 0.0) - before.get(name, 0.0) for name in ("machine_cpu_seconds", "own_cpu_seconds"))
    return (machine - own) / seconds if seconds > 0 else 0.0


def busy_seconds(times: Mapping[str, float]) -> float:
    """What all cores of the machine spent on anything, niced programs and interrupts too, or had to give to others.

    Linux counts guests among `user` and `nice` already; `steal` is what a hypervisor gave to its other machines.
    """
    return sum(seconds for kind, seconds in times.items() if kind not in ("idle", "iowait", "guest", "guest_nice"))
