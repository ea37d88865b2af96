"""An early warning: whether the curve of a training is where that of a run that went well was, at the same share."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from vocoder_pareto.errors import UserError
from vocoder_pareto.tables.columns import column_of
from vocoder_pareto.tables.csv_files import read_csv
from vocoder_pareto.training.budget import Budget

BOUNDS = ("steps", "hours", "energy_kwh")  # of a budget
BAND_COLUMNS = ("system", *BOUNDS, "budget_share", "metric", "low", "high")
ROUNDING = 1e-9  # of shares and bounds of a budget, as they are written

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Band:
    """Where a metric of a run that went well was.

    Attributes:
        share: The used share of the budget, greater than 0 and at most 1.
        metric: The name of the metric, a column of the curve.
        low, high: The ends of the band.
    """

    share: float
    metric: str
    low: float
    high: float

    def verdict(self, value: float | None) -> str:
        """Say in words where `value` lies: `within`, `better than` or `worse than`, also of a value that is unknown."""
        if value is not None and self.low <= value <= self.high:
            return "within"
        if value is None:
            return "worse than"
        above_is_better = column_of(self.metric).direction == "max"
        return "better than" if (value > self.high) == above_is_better else "worse than"


@dataclass(frozen=True)
class Bands:
    """The bands of one system; none, where nothing is known of it.

    Attributes:
        system: The name of the system.
        bands: Its bands.
        smaller_budget: What the run that they come from could spend, where that was less; else None.
    """

    system: str
    bands: Sequence[Band] = ()
    smaller_budget: Budget | None = None

    @classmethod
    def of(cls, path: str | Path | None, system: str, budget: Budget) -> Self:
        """Read the bands of `system` from a table; none without a table.

        Those of the same budget are taken, or else of the largest smaller one with the same bounds: at the same share
        more is spent of the larger budget, so that a curve that goes well is not worse there.

        Raises:
            UserError: The table is missing or malformed.
        """
        if path is None:
            return cls(system)
        bands_of: dict[Budget, list[Band]] = {}
        for name, written, band in _read(path):
            if name == system and _at_most(written, budget):
                bands_of.setdefault(written, []).append(band)
        if not bands_of:
            return cls(system)
        largest = max(bands_of, key=_bounds)
        return cls(system, bands_of[largest], None if _at_most(budget, largest) else largest)

    def tell(self, shares: Sequence[float], values: Mapping[str, float | None]) -> None:
        """Log where `values`, metrics by name, lie at each of the `shares` that were reached; a warning where worse."""
        for share in shares:
            for band in self.bands:
                if math.isclose(band.share, share, rel_tol=ROUNDING) and band.metric in values:
                    self._tell(band, values[band.metric])

    def _with_less(self) -> str:
        """Of which smaller budget the bands are, in words."""
        if self.smaller_budget is None:
            return ""
        bounds = {name: getattr(self.smaller_budget, name) for name in BOUNDS}
        spent = ", ".join(f"{bound:.4g} {name}" for name, bound in bounds.items() if bound is not None)
        return f" within {spent} in all"

    def _tell(self, band: Band, value: float | None) -> None:
        verdict = band.verdict(value)
        run = f"a run of {self.system} that went well{self._with_less()}"
        place = f"{verdict} the band of {run}, {band.low:.4g} to {band.high:.4g}"
        shown = "unknown" if value is None else f"{value:.4g}"
        if verdict == "worse than":
            log.warning(
                "after %.3g %% of the budget %s is %s, %s: compare losses and samples before more is spent (a slower "
                "machine, under a budget of hours, or another corpus make it worse, too)",
                100 * band.share, band.metric, shown, place,
            )  # fmt: skip
        else:
            log.info("after %.3g %% of the budget %s is %s, %s", 100 * band.share, band.metric, shown, place)


def _read(path: str | Path) -> list[tuple[str, Budget, Band]]:
    """The rows of a table: system, budget, band."""
    try:
        table = read_csv(path, BAND_COLUMNS)
        budgets = [_budget(*row) for row in zip(*(table.numbers(name) for name in BOUNDS), strict=True)]
        numbers = zip(*(table.numbers(name) for name in ("budget_share", "low", "high")), strict=True)
        systems, metrics = table.texts("system"), table.texts("metric")
    except UserError as error:
        raise UserError(f"config key training.bands: {error}") from error
    bands = [Band(share, metric, low, high) for metric, (share, low, high) in zip(metrics, numbers, strict=True)]
    return list(zip(systems, budgets, bands, strict=True))


def _budget(steps: float, hours: float, energy_kwh: float) -> Budget:
    """The budget that a row has written; NaN is no bound."""
    return Budget(
        None if math.isnan(steps) else int(steps),
        None if math.isnan(hours) else hours,
        None if math.isnan(energy_kwh) else energy_kwh,
    )


def _bounds(budget: Budget) -> tuple[float, ...]:
    """The bounds of a budget, infinite where there is none."""
    bounds = (getattr(budget, name) for name in BOUNDS)
    return tuple(math.inf if bound is None else bound for bound in bounds)


def _at_most(budget: Budget, other: Budget) -> bool:
    """Whether a budget has the bounds of another, each the same or smaller."""
    pairs = zip(_bounds(budget), _bounds(other), strict=True)
    return all(math.isinf(one) == math.isinf(two) and one <= two * (1 + ROUNDING) for one, two in pairs)
