"""Whether the counters of two dies of a socket are one and the same: then their energy counts once.

Linux lists a counter for every die of a socket, but on some processors (AMD's of several dies) all of them show that of
the whole socket. It is decided from what they count side by side. Counter B is read between two readings of counter A,
again and again: if both are one, what B has counted since the beginning lies between what A had counted just before and
just after. Two copies that are each refreshed every millisecond, at times of their own, differ by what a millisecond
draws, which may be twice the mean; that and the time between three readings are all that is allowed. Readings that were
interrupted are not used: of several, those between which A moved least. So two dies that work alike do not pass: over
four seconds their means would have to agree to about half a thousandth, and each part as closely.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

POINTS = 16
STEP_SECONDS = 0.25
REFRESH_SECONDS = 1.0e-3
_TRIES = 10  # of three readings; a busy machine interrupts some


@dataclass(frozen=True)
class Comparison:
    """Two counters, side by side.

    Attributes:
        counter, other: where they are.
        seconds: for how long they were watched.
        counts, other_counts: what each of them counted in that time.
        mirrored: whether they are one; None if one stood still, so that nobody can tell.
    """

    counter: str
    other: str
    seconds: float
    counts: float
    other_counts: float
    mirrored: bool | None


def compare(
    counters: Sequence[tuple[str, Callable[[], float]]],
    wraps_at: float | None,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Comparison]:
    """Compare the first counter with each of the others, for four seconds.

    Args:
        counters: where each is, and how it is read.
        wraps_at: they fall back to 0 from here; None if they never do.
        sleep: waits for so many seconds.

    Raises:
        OSError: a counter cannot be read.
    """

    def counted(begin: float, end: float) -> float:
        return (end - begin) % wraps_at if wraps_at else end - begin

    def quickest() -> list[float]:
        return min((_snapshot(counters) for _ in range(_TRIES)), key=lambda each: counted(each[0], each[-1]))

    snapshots = [quickest()]
    for _ in range(POINTS):
        sleep(STEP_SECONDS)
        snapshots.append(quickest())
    (first_before, *first_others, first_after), later = snapshots[0], snapshots[1:]
    counts = counted(first_before, later[-1][0])
    slack = counts * 2 * REFRESH_SECONDS / (POINTS * STEP_SECONDS)

    found = []
    for place, (where, _) in enumerate(counters[1:], start=1):
        within = all(
            counted(first_after, each[0]) - slack
            <= counted(first_others[place - 1], each[place])
            <= counted(first_before, each[-1]) + slack
            for each in later
        )
        other_counts = counted(first_others[place - 1], later[-1][place])
        mirrored = within if counts > 0 and other_counts > 0 else None
        found.append(Comparison(counters[0][0], where, POINTS * STEP_SECONDS, counts, other_counts, mirrored))
    return found


def _snapshot(counters: Sequence[tuple[str, Callable[[], float]]]) -> list[float]:
    """All counters in their order, and the first once more."""
    return [read() for _, read in (*counters, counters[0])]
