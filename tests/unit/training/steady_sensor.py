"""A sensor of constant power on a clock that only moves when it is told to."""

from vocoder_pareto.measurement.sensor import Domain, Sensor


class HandClock:
    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


class SteadySensor(Sensor):
    """Counts joules; `wraps_at` joules it falls back to 0; while `broken` it cannot be read."""

    source = "nvml"

    def __init__(self, clock, watts: float = 100.0, wraps_at: float | None = None, longest_gap: float | None = None):
        self.clock, self.watts, self.broken = clock, watts, False
        self.domains = (Domain("gpu", "J", 1.0, "a simulation", wraps_at, longest_gap),)

    @property
    def power_limit_watts(self) -> None:
        return None

    def read(self, domain: Domain) -> float:
        if self.broken:
            raise OSError("no answer")
        counter = self.watts * self.clock()
        return counter % domain.wraps_at if domain.wraps_at else counter
