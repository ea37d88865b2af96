"""The unit of work that a measurement repeats."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from vocoder_pareto.measurement.clocks import Clock


@dataclass(frozen=True)
class Work:
    """The unit of work.

    Attributes:
        passes: call the vocoder once each.
        audio_seconds: is how much audio each of them makes.
    """

    passes: Sequence[Callable[[], None]]
    audio_seconds: Sequence[float]

    def turned(self, turns: int) -> Self:
        """The same work, begun with another clip."""
        turns %= len(self.passes)
        return type(self)(
            [*self.passes[turns:], *self.passes[:turns]], [*self.audio_seconds[turns:], *self.audio_seconds[:turns]]
        )


def repeated(work: Work, clock: Clock, seconds: float) -> None:
    """Work for at least so long (not at all for 0), pass by pass, and let the device end it."""
    begin = clock.seconds()
    done = 0
    while clock.seconds() - begin < seconds:
        work.passes[done % len(work.passes)]()
        clock.synchronise()
        done += 1
