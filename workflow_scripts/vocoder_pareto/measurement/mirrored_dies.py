"""Whether the counters of two dies of a socket are one and the same: then their energy counts once.

Linux lists a counter for every die of a socket, but on some processors (AMD's of several dies) all of them show that of
the whole socket. It is decided from what they count side by side. Counter B is read between two readings of counter A,
again and again: if both are one, what B has counted since the beginning lies between what A had counted just before and
just after. Nothing but the time between three readings, less than a millisecond, is a tolerance, so that two dies that
work alike do not pass: over two seconds their means would have to agree to about a thousandth, and so would each part.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

POINTS = 8
STEP_SECONDS = 0.25


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
    """Compare the first counter with each of the others, for two seconds.

    Args:
        counters: where each is, and how it is read.
        wraps_at: they fall back to 0 from here; None if they never do.
        sleep: waits for so many seconds.

    Raises:
        OSError: a counter cannot be read.
    """
    snapshots = [_snapshot(counters)]
    for _ in range(POINTS):
        sleep(STEP_SECONDS)
        snapshots.append(_snapshot(counters))
    (first_before, *first_others, first_after), later = snapshots[0], snapshots[1:]

    def counted(begin: float, end: float) -> float:
        return (end - begin) % wraps_at if wraps_at else end - begin

    found = []
    for place, (where, _) in enumerate(counters[1:], start=1):
        within = all(
            counted(first_after, each[0])
            <= counted(first_others[place - 1], each[place])
            <= counted(first_before, each[-1])
            for each in later
        )
        counts = counted(first_before, later[-1][0])
        other_counts = counted(first_others[place - 1], later[-1][place])
        mirrored = within if counts > 0 and other_counts > 0 else None
        found.append(Comparison(counters[0][0], where, POINTS * STEP_SECONDS, counts, other_counts, mirrored))
    return found


def _snapshot(counters: Sequence[tuple[str, Callable[[], float]]]) -> list[float]:
    """All counters in their order, and the first once more."""
    return [read() for _, read in (*counters, counters[0])]
