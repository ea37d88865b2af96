"""What energy means in emissions. Imports nothing heavy: tables account for training without PyTorch."""

from dataclasses import dataclass

from vocoder_pareto.units import JOULES_PER_KWH


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
