"""How uncertain the values of objectives are: chance, which an interval tells, and the error of what measured them.

    true value = (value + s · t) · g        g = (1 + r)^((√c · z_device + √(1 − c) · z_system) / 1.96)

s is the standard error of the value and t is drawn from Student's distribution with its degrees of freedom: the
posterior of the mean of n independent normal values, with n − 1 (Gelman et al. 2013, Bayesian Data Analysis, section
3.2). g is the gain of the instrument: r is its relative systematic uncertainty, such that g lies between 1 / (1 + r)
and 1 + r in 95 of 100 cases, and c the share of its variance (of the logarithm) that all systems measured by one
instrument on one device have in common. The z are standard normal. A gain is a factor, so its logarithm is drawn, and
no energy becomes negative.

Letters of shapes are those of `pareto`: N points, K objectives.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit

from vocoder_pareto.tables.columns import SYSTEMS_COLUMNS

COMMON_SHARE = 0.8  # as `pareto.systematic_common_share`
EXACT_COLUMNS = frozenset(column.name for column in SYSTEMS_COLUMNS if column.record == "complexity")  # counted
# Of the columns that say how uncertain a column is, and the least that each may be.
SUFFIXES = {
    "_ci95": 0.0, "_degrees_of_freedom": 1.0, "_comparison_ci95": 0.0, "_comparison_degrees_of_freedom": 1.0,
    "_systematic": 0.0,
}  # fmt: skip
_NORMAL_QUANTILE_95 = 1.959964  # half-width of a 95 % interval in standard deviations


@dataclass(frozen=True)
class Uncertainty:
    """How uncertain N points are in K objectives.

    Attributes:
        standard_errors: (N, K), in the unit of the values; 0 where a value is exact, NaN where nothing is known.
        degrees_of_freedom: (N, K), at least 1; infinite for a normal distribution.
        systematic: (N, K), relative uncertainty r of the gain; 0 for none, NaN where it is not known.
        instruments: (N,), a number for what measured a point on which device: equal ones share the common part.
        common_share: 0 to 1, the share of the variance of the gain that is common.
    """

    standard_errors: np.ndarray
    degrees_of_freedom: np.ndarray
    systematic: np.ndarray
    instruments: np.ndarray
    common_share: float = COMMON_SHARE

    def __post_init__(self):
        shapes = {array.shape for array in (self.standard_errors, self.degrees_of_freedom, self.systematic)}
        if len(shapes) > 1 or self.instruments.shape != self.standard_errors.shape[:1]:
            raise ValueError(f"shapes {sorted(shapes)} and {self.instruments.shape} do not fit: (N, K) and (N,)")
        if (self.standard_errors < 0).any() or (self.systematic < 0).any():
            raise ValueError("standard errors and systematic uncertainties must not be negative")
        if not (self.degrees_of_freedom >= 1).all() or not 0 <= self.common_share <= 1:
            raise ValueError("degrees of freedom are at least 1, and the common share is 0 to 1")

    @property
    def unknown(self) -> np.ndarray:
        """Which values (N, K) nothing is known of."""
        return np.isnan(self.standard_errors)

    @property
    def is_uncertain(self) -> bool:
        """Whether any value is known to be uncertain."""
        return bool((np.nan_to_num(self.standard_errors) > 0).any() or (np.nan_to_num(self.systematic) > 0).any())

    def of(self, points: np.ndarray, objectives: Sequence[int]) -> Self:
        """The same of some of the points and objectives, given by their indices, in that order."""
        return type(self)(
            self.standard_errors[points][:, objectives],
            self.degrees_of_freedom[points][:, objectives],
            self.systematic[points][:, objectives],
            self.instruments[points],
            self.common_share,
        )

    def bounds(self, values: np.ndarray, chance: float) -> tuple[np.ndarray, np.ndarray]:
        """Lower and upper bounds (N, K) that a draw has all its values between, but for a `chance` at most.

        Each random number of a draw is beyond its own bound with an equal share of that chance (Bonferroni).
        """
        points, objectives = values.shape
        share = chance / (2 * points * objectives + (self.instruments.max(initial=0) + 1) * objectives)
        finite = np.isfinite(self.degrees_of_freedom)
        of_student = -stdtrit(np.where(finite, self.degrees_of_freedom, 1.0), share / 2)
        half = self.standard_errors * np.where(finite, of_student, -ndtri(share / 2))
        parts = np.sqrt(self.common_share) + np.sqrt(1 - self.common_share)
        gain = np.exp(self._log_gains * parts * -ndtri(share / 2))
        low, high = values - half, values + half
        return np.minimum(low * gain, low / gain), np.maximum(high * gain, high / gain)

    @cached_property
    def _log_gains(self) -> np.ndarray:
        """The standard deviation (N, K) of the logarithm of the gain; 0 where it is not known."""
        return np.log1p(np.nan_to_num(self.systematic)) / _NORMAL_QUANTILE_95

    def draws(self, values: np.ndarray, count: int, generator: np.random.Generator) -> np.ndarray:
        """What the true values may be, given the measured `values` (N, K): `count` draws, (count, N, K).

        A systematic uncertainty that is not known is left out.
        """
        drawn = np.repeat(values[None].astype(np.float64), count, axis=0)
        for index in range(values.shape[1]):  # what is exact needs no random numbers
            if self.standard_errors[:, index].any():
                drawn[..., index] += self._noise(index, count, generator)
            if self._log_gains[:, index].any():
                drawn[..., index] *= np.exp(self._log_gains[:, index] * self._gains(count, generator))
        return drawn

    def _noise(self, index: int, count: int, generator: np.random.Generator) -> np.ndarray:
        """What chance adds to the values in an objective, (count, N)."""
        errors, degrees = self.standard_errors[:, index], self.degrees_of_freedom[:, index]
        noise = errors * generator.standard_normal((count, len(errors)))
        finite = np.isfinite(degrees)
        if finite.any():
            known = np.where(finite, degrees, 1.0)
            noise *= np.where(finite, np.sqrt(known / generator.chisquare(known, noise.shape)), 1.0)
        return noise

    def _gains(self, count: int, generator: np.random.Generator) -> np.ndarray:
        """The logarithms of the gains in an objective, in standard deviations, (count, N)."""
        common = generator.standard_normal((count, self.instruments.max(initial=0) + 1))[:, self.instruments]
        own = generator.standard_normal((count, len(self.instruments)))
        return np.sqrt(self.common_share) * common + np.sqrt(1 - self.common_share) * own


def uncertainty_of(
    table: pd.DataFrame,
    names: Sequence[str],
    exact: Collection[str] = EXACT_COLUMNS,
    common_share: float = COMMON_SHARE,
) -> Uncertainty:
    """What the columns beside `names` say of their uncertainty.

    `{name}_ci95` is the half-width of a 95 % interval, which is Student's where `{name}_degrees_of_freedom` has a
    number and normal elsewhere. Where `{name}_comparison_ci95` has a number, this one counts, with its
    `{name}_comparison_degrees_of_freedom`: it leaves out what all rows have in common, which changes no order.
    `{name}_systematic` is relative. `device` and `energy_source` tell instruments apart.

    Args:
        table: a row per system.
        names: objectives.
        exact: those of them that are counted, so that a value without an interval is exact; elsewhere it is unknown.
        common_share: see `Uncertainty`.

    Raises:
        ValueError: a negative half-width or systematic uncertainty, or less than 1 degree of freedom.
    """
    shape = (len(table), len(names))
    errors, degrees, systematic = (np.empty(shape) for _ in range(3))
    for index, name in enumerate(names):
        systematic[:, index] = _column(table, f"{name}_systematic")
        half_widths, known_degrees = _of_chance(table, name)
        degrees[:, index] = np.where(np.isnan(known_degrees), np.inf, known_degrees)
        errors[:, index] = half_widths / quantile_95(degrees[:, index])
        if name in exact:
            errors[:, index] = np.nan_to_num(errors[:, index])
            systematic[:, index] = np.nan_to_num(systematic[:, index])
    marks = [table[name].astype("str") for name in ("device", "energy_source") if name in table]
    labels = pd.Series(list(zip(*marks, strict=True)) if marks else [()] * len(table), dtype="object")
    return Uncertainty(errors, degrees, systematic, pd.factorize(labels)[0], common_share)


def quantile_95(degrees_of_freedom: np.ndarray) -> np.ndarray:
    """Half-width of a 95 % interval in standard errors: Student's quantile, the normal one for infinite degrees."""
    finite = np.isfinite(degrees_of_freedom)
    return np.where(finite, stdtrit(np.where(finite, degrees_of_freedom, 1.0), 0.975), _NORMAL_QUANTILE_95)


def _of_chance(table: pd.DataFrame, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Half-widths of the 95 % intervals that are drawn from, and their degrees of freedom."""
    whole, compared = (
        [_column(table, f"{name}{part}{suffix}") for suffix in ("_ci95", "_degrees_of_freedom")]
        for part in ("", "_comparison")
    )
    is_compared = np.isfinite(compared[0])
    half_widths, degrees = (np.where(is_compared, *pair) for pair in zip(compared, whole, strict=True))
    return half_widths, degrees


def _column(table: pd.DataFrame, name: str) -> np.ndarray:
    return pd.to_numeric(table[name]).to_numpy(dtype=float) if name in table else np.full(len(table), np.nan)
