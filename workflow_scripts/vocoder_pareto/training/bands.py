"""An early warning: whether the curve of a training is where that of a run that went well was, at the same share."""

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from vocoder_pareto.errors import UserError
from vocoder_pareto.study.settings_faults import nearest
from vocoder_pareto.tables.columns import METRIC_COLUMNS, column_of
from vocoder_pareto.tables.csv_files import read_csv
from vocoder_pareto.tables.text_table import TextTable
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
        smaller_budget: What the run that it comes from could spend, where that was less than the training can; else
            None.
    """

    share: float
    metric: str
    low: float
    high: float
    smaller_budget: Budget | None = None

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
        bands: Its bands, one for each share and metric.
    """

    system: str
    bands: Sequence[Band] = ()

    @classmethod
    def of(cls, path: str | Path | None, system: str, budget: Budget) -> Self:
        """Read the bands of `system` from a table; none without a table.

        Of a share and a metric, that of the same budget is taken, or else of the largest smaller one with the same
        bounds: at the same share more is spent of the larger budget, so that a curve that goes well is not worse there.

        Raises:
            UserError: The table is missing or malformed.
        """
        if path is None:
            return cls(system)
        chosen: dict[tuple[float, str], tuple[Budget, Band]] = {}
        for name, written, band in _read(path):
            if name == system and _at_most(written, budget):
                place = (round(band.share, 9), band.metric)
                if place not in chosen or _bounds(chosen[place][0]) < _bounds(written):
                    chosen[place] = written, band
        return cls(system, [
            band if _at_most(budget, written) else replace(band, smaller_budget=written)
            for written, band in chosen.values()
        ])  # fmt: skip

    def announce(self, shares: Sequence[float]) -> None:
        """Log at which `shares` of the budget, those of the validations, there is a band, or that there is none."""
        compared = sorted({
            share for share in shares if any(math.isclose(band.share, share, rel_tol=ROUNDING) for band in self.bands)
        })  # fmt: skip
        if compared:
            at = ", ".join(f"{100 * share:.3g} %" for share in compared)
            log.info("the curve will be held against training.bands after %s of the budget", at)
        else:
            log.info(
                "training.bands has no band of %s for this budget, or a smaller one, at any of validation_shares",
                self.system,
            )

    def tell(self, shares: Sequence[float], values: Mapping[str, float | None]) -> None:
        """Log where `values`, metrics by name, lie at each of the `shares` that were reached; a warning where worse."""
        for share in shares:
            for band in self.bands:
                if math.isclose(band.share, share, rel_tol=ROUNDING) and band.metric in values:
                    self._tell(band, values[band.metric])

    def _tell(self, band: Band, value: float | None) -> None:
        verdict = band.verdict(value)
        run = f"a run of {self.system} that went well{_with_less(band.smaller_budget)}"
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


def _with_less(budget: Budget | None) -> str:
    """Within which smaller budget a run went well, in words."""
    if budget is None:
        return ""
    units = {"steps": "steps", "hours": "h", "energy_kwh": "kWh"}
    bounds = ((getattr(budget, name), units[name]) for name in BOUNDS)
    return f" within {', '.join(f'{bound:.4g} {unit}' for bound, unit in bounds if bound is not None)} in all"


def _read(path: str | Path) -> list[tuple[str, Budget, Band]]:
    """The rows of a table: system, budget, band."""
    try:
        table = read_csv(path, BAND_COLUMNS)
        numbers = {name: table.numbers(name) for name in (*BOUNDS, "budget_share", "low", "high")}
        texts = {name: [text.strip() for text in table.texts(name)] for name in ("system", "metric")}
        rows, places = [], set()
        for row in range(len(table.rows)):
            number = {name: column[row] for name, column in numbers.items()}
            system, metric = texts["system"][row], texts["metric"][row]
            _require_sense(table, row, number, metric)
            budget = _budget(number["steps"], number["hours"], number["energy_kwh"])
            place = (system, budget, number["budget_share"], metric)
            if place in places:
                table.refuse(row, "metric", "stands in another row of this system, budget and share; keep one of them")
            places.add(place)
            rows.append((system, budget, Band(number["budget_share"], metric, number["low"], number["high"])))
    except UserError as error:
        raise UserError(f"config key training.bands: {error}") from error
    return rows


def _require_sense(table: TextTable, row: int, number: Mapping[str, float], metric: str) -> None:
    if not 0 < number["budget_share"] <= 1:
        table.refuse(row, "budget_share", "is not more than 0 and at most 1")
    if math.isnan(number["low"]) or math.isnan(number["high"]):
        table.refuse(row, "low" if math.isnan(number["low"]) else "high", "is no number; a band has two ends")
    if number["low"] > number["high"]:
        table.refuse(row, "low", f"is above high, {number['high']:g}")
    if metric not in METRIC_COLUMNS:
        table.refuse(row, "metric", f"is unknown{nearest(metric, METRIC_COLUMNS)}")
    if all(math.isnan(number[name]) for name in BOUNDS):
        table.refuse(row, "hours", f"is empty, as are the others of {', '.join(BOUNDS)}; a budget has one of them")
    for name in BOUNDS:
        if number[name] <= 0 or (name == "steps" and number[name] % 1 > 0):
            table.refuse(row, name, "is not allowed; a budget is more than 0, and of whole steps")


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
