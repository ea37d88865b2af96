"""What a measurement can physically be; a result outside is flagged, never silently used."""

from dataclasses import dataclass
from typing import Any

# Kernels of convolutions that save multiplications do up to 2.25 times fewer than are counted (Winograd's minimal
# filtering F(2×2, 3×3); Lavin & Gray 2016), and a device below its power limit does up to about twice the operations
# per joule.
EFFICIENCY_ALLOWANCE = 2.25 * 2.0
POWER_ALLOWANCE = 1.1


@dataclass(frozen=True)
class Bounds:
    """What one device can do at one precision; None where that is not known.

    Attributes:
        idle_power_watts: what was measured while the device did nothing.
        power_limit_watts: what the device enforces.
        peak_flops_per_second: what its arithmetic units do at most.
    """

    idle_power_watts: float | None
    power_limit_watts: float | None
    peak_flops_per_second: float | None

    @property
    def highest_power_watts(self) -> float | None:
        """The mean power that a window can have at most."""
        return None if self.power_limit_watts is None else POWER_ALLOWANCE * self.power_limit_watts

    @property
    def highest_flops_per_joule(self) -> float | None:
        """The operations that the device can do with a joule at most."""
        if self.peak_flops_per_second is None or not self.power_limit_watts:
            return None
        return EFFICIENCY_ALLOWANCE * self.peak_flops_per_second / self.power_limit_watts


def violations(bounds: Bounds, mean_power_watts: float, flops_per_joule: float | None) -> dict[str, str]:
    """The bounds that a result breaks, as flag → sentence; a bound that is not known is not broken."""
    broken = {}
    lowest, highest = bounds.idle_power_watts, bounds.highest_power_watts
    if lowest is not None and mean_power_watts < lowest:
        broken["implausible_power"] = f"mean power {mean_power_watts:.4g} W is below the idle power of {lowest:.4g} W"
    if highest is not None and mean_power_watts > highest:
        broken["implausible_power"] = (
            f"mean power {mean_power_watts:.4g} W is above {POWER_ALLOWANCE:g} × the limit of "
            f"{bounds.power_limit_watts:.4g} W"
        )
    efficiency = bounds.highest_flops_per_joule
    if flops_per_joule is not None and efficiency is not None and flops_per_joule > efficiency:
        broken["implausible_flops_per_joule"] = (
            f"{flops_per_joule:.3g} FLOPs per joule, the device can do {efficiency:.3g} at most"
        )
    return broken


def record(bounds: Bounds, flops_per_joule: float | None) -> dict[str, Any]:
    """The bounds as they were applied, for the result."""
    return {
        "lowest_power_watts": bounds.idle_power_watts,
        "highest_power_watts": bounds.highest_power_watts,
        "peak_flops_per_second": bounds.peak_flops_per_second,
        "highest_flops_per_joule": bounds.highest_flops_per_joule,
        "flops_per_joule": flops_per_joule,
    }
