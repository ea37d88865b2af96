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

BAND_COLUMNS = ("system", "steps", "hours", "energy_kwh", "budget_share", "metric", "low", "high")
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
    """The bands of one system within one budget; none, where nothing is known of it.

    Attributes:
        system: The name of the system.
        bands: Its bands.
    """

    system: str
    bands: Sequence[Band] = ()

    @classmethod
    def of(cls, path: str | Path | None, system: str, budget: Budget) -> Self:
        """Read the bands of `system` from a table, those alone that hold for `budget`; none without a table.

        Raises:
            UserError: The table is missing or malformed.
        """
        if path is None:
            return cls(system)
        try:
            table = read_csv(path, BAND_COLUMNS)
            bounds = {name: table.numbers(name) for name in ("steps", "hours", "energy_kwh")}
            shares, lows, highs = (table.numbers(name) for name in ("budget_share", "low", "high"))
        except UserError as error:
            raise UserError(f"config key training.bands: {error}") from error
        wanted = {"steps": budget.steps, "hours": budget.hours, "energy_kwh": budget.energy_kwh}
        return cls(system, [
            Band(shares[row], metric, lows[row], highs[row])
            for row, (name, metric) in enumerate(zip(table.texts("system"), table.texts("metric"), strict=True))
            if name == system and all(_same(bounds[bound][row], value) for bound, value in wanted.items())
        ])  # fmt: skip

    def tell(self, shares: Sequence[float], values: Mapping[str, float | None]) -> None:
        """Log where `values`, metrics by name, lie at each of the `shares` that were reached; a warning where worse."""
        for share in shares:
            for band in self.bands:
                if math.isclose(band.share, share, rel_tol=ROUNDING) and band.metric in values:
                    self._tell(band, values[band.metric])

    def _tell(self, band: Band, value: float | None) -> None:
        verdict = band.verdict(value)
        place = f"{verdict} the band of a run of {self.system} that went well, {band.low:.4g} to {band.high:.4g}"
        shown = "unknown" if value is None else f"{value:.4g}"
        if verdict == "worse than":
            log.warning(
                "after %.3g %% of the budget %s is %s, %s: compare losses and samples before more is spent (a slower "
                "machine, under a budget of hours, or another corpus make it worse, too)",
                100 * band.share, band.metric, shown, place,
            )  # fmt: skip
        else:
            log.info("after %.3g %% of the budget %s is %s, %s", 100 * band.share, band.metric, shown, place)


def _same(written: float, bound: float | None) -> bool:
    """Whether the bound of a budget is the one `written` in a table, where NaN is none."""
    return math.isnan(written) if bound is None else math.isclose(written, bound, rel_tol=ROUNDING)
