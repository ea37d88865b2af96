"""Ticks of logarithmic axes with plain numbers: labels here are never mathematics, so a power would be its source."""

import numpy as np
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullFormatter

FEWEST_TICKS = 2  # with a number, on every axis
DENSE_DECADES = 3.0  # axes shorter than this have ticks at 1, 2 and 5


def logarithmic_ticks(low: float, high: float) -> Locator:
    """Ticks at powers of ten, with 2 and 5 between few of them; where less than two lie on the axis, even ones."""
    subs = (1.0, 2.0, 5.0) if np.log10(high) - np.log10(low) < DENSE_DECADES else (1.0,)
    powers = 10.0 ** np.arange(np.floor(np.log10(low)), np.ceil(np.log10(high)) + 1)
    places = np.outer(powers, subs)
    if ((places >= low) & (places <= high)).sum() >= FEWEST_TICKS:
        return LogLocator(subs=subs, numticks=20)
    return MaxNLocator(4, steps=(1, 2, 5, 10))


def number_ticks(axis: Axis, low: float, high: float) -> None:
    """Give a logarithmic axis from `low` to `high` ticks with plain numbers."""
    axis.set_major_locator(logarithmic_ticks(low, high))
    axis.set_minor_formatter(NullFormatter())
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
