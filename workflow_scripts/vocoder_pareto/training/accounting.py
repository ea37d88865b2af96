"""Energy of training: the meter read often enough, summed while steps run, and what it means in emissions."""

from dataclasses import dataclass

from vocoder_pareto.measurement.meter import Meter, Reading
from vocoder_pareto.training.progress import JOULES_PER_KWH

# NVML's counter moves every 100 ms: a stretch that is shorter may count nothing, and its energy falls to the next one.
COUNTER_MAY_STAND_SECONDS = 1.0


@dataclass(frozen=True)
class CarbonSettings:
    """How energy becomes emissions: the section `carbon` of the configuration.

    Attributes:
        intensity_kg_per_kwh: kgCO2eq per kWh of electricity.
        intensity_source: where that number comes from.
        intensity_year: the year that it holds for.
        power_usage_effectiveness: energy of the site per energy of its computers.
    """

    intensity_kg_per_kwh: float = 0.7
    intensity_source: str = ""
    intensity_year: int | None = None
    power_usage_effectiveness: float = 1.0

    @property
    def kg_per_joule(self) -> float:
        """kgCO2eq per joule of the computer."""
        return self.intensity_kg_per_kwh * self.power_usage_effectiveness / JOULES_PER_KWH


class EnergyAccount:
    """Sums the meter's joules between `resume` and `pause`, in short stretches so that no counter wraps unseen.

    A stretch that is not valid makes the sum unknown (None), since a missing sensor is no zero; the reasons are kept.

    Args:
        meter: to read.
        interval_seconds: a stretch is closed by `update` when it is at least this long.
    """

    def __init__(self, meter: Meter, interval_seconds: float):
        longest = meter.longest_gap_seconds
        self.meter = meter
        self.interval_seconds = min(interval_seconds, longest / 2) if longest else interval_seconds
        self.joules: float | None = 0.0
        self.by_domain: dict[str, float | None] = {}
        self.reasons: list[str] = []
        self._start: Reading | None = None

    def resume(self) -> None:
        """Begin a stretch."""
        self._start = self.meter.read()

    def update(self, seconds_since_update: float) -> bool:
        """Close the stretch and begin the next one if it is long enough; True if it was."""
        if self._start is None or seconds_since_update < self.interval_seconds:
            return False
        self.pause()
        self.resume()
        return True

    def pause(self) -> None:
        """Close the stretch and count it."""
        if self._start is None:
            return
        energy = self.meter.energy_between(self._start, self.meter.read(), COUNTER_MAY_STAND_SECONDS)
        self._start = None
        self.joules = _sum(self.joules, energy.joules if energy.valid else None)
        for domain, joules in energy.by_domain.items():
            self.by_domain[domain] = _sum(self.by_domain.get(domain, 0.0), joules)
        self.reasons += energy.reasons


def _sum(total: float | None, joules: float | None) -> float | None:
    return None if total is None or joules is None else total + joules
