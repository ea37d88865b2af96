"""The budget of a training: how much of it is used, when it ends the training, and what the whole will take."""

from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple, Self

from vocoder_pareto.study.sections.training import TrainingSettings
from vocoder_pareto.units import JOULES_PER_KWH, SECONDS_PER_HOUR

# A prediction is made once, from the first minutes, or from the first part of a training that is over before.
PREDICT_AFTER_SECONDS = 300.0
PREDICT_AFTER_SHARE = 0.1


class Used(NamedTuple):
    """What a training has used over all its pieces. Set-up, validation and saving count for nothing.

    Attributes:
        steps: The number of optimisation steps.
        seconds: The seconds that were spent in them.
        joules: The energy that they used; None where that is unknown.
    """

    steps: int
    seconds: float
    joules: float | None


@dataclass(frozen=True)
class Budget:
    """What a training may use; None is no bound.

    Attributes:
        steps: The number of optimisation steps.
        hours: The hours that are spent in them.
        energy_kwh: The energy that they use, as measured.
    """

    steps: int | None = None
    hours: float | None = None
    energy_kwh: float | None = None

    @classmethod
    def of(cls, settings: TrainingSettings) -> Self:
        """Return the budget among the settings of a training."""
        return cls(settings.steps, settings.hours, settings.energy_kwh)

    def shares(self, used: Used) -> dict[str, float]:
        """Return the used part of each bound by its name; 1 and more is used up. An unknown energy is left out.

        A budget of 0 steps is used up from the beginning.
        """
        shares = {}
        if self.steps is not None:
            shares["steps"] = used.steps / self.steps if self.steps else 1.0
        if self.hours is not None:
            shares["hours"] = used.seconds / (self.hours * SECONDS_PER_HOUR)
        if self.energy_kwh is not None and used.joules is not None:
            shares["energy_kwh"] = used.joules / (self.energy_kwh * JOULES_PER_KWH)
        return shares

    def share(self, used: Used) -> float:
        """Return the used part of the bound that will end the training, 0 to 1."""
        return min(1.0, max(self.shares(used).values(), default=0.0))

    def used_up(self, used: Used) -> str | None:
        """Return the bound that ends the training (`steps`, `hours` or `energy_kwh`), or None."""
        return next((name for name, share in self.shares(used).items() if share >= 1), None)


@dataclass(frozen=True)
class Prediction:
    """What a whole training will take, from its first part, in proportion (as Carbontracker does).

    Attributes:
        budget: The budget that it holds for.
        at_step, at_seconds: When it was made, in steps and seconds of training.
        steps, seconds, joules: What the whole training will take; joules are None where the energy is unknown.
        co2eq_kg: The emissions of the whole training.
        ends_at: The date and time of the end in UTC, if nothing interrupts the training.
    """

    budget: dict[str, float | None]
    at_step: int
    at_seconds: float
    steps: float
    seconds: float
    joules: float | None
    co2eq_kg: float | None
    ends_at: str

    def in_words(self) -> str:
        """Return the prediction for readers: `5,000 steps, 1.5 h, 0.2 kWh, until 2026-01-31T12:00:00+00:00`."""
        emissions = "" if self.co2eq_kg is None else f", {self.co2eq_kg:.3g} kg CO2eq"
        spent = f"{self.steps:,.0f} steps, {self.seconds / SECONDS_PER_HOUR:.3g} h, {energy_in_words(self.joules)}"
        return f"{spent}{emissions}, until {self.ends_at} if nothing interrupts it"

    def errors(self, used: Used) -> dict[str, float | None]:
        """Return predicted over actual, minus 1, of steps, seconds and joules; None where one is unknown."""
        return {
            name: None if predicted is None or not actual else predicted / actual - 1
            for name, predicted, actual in (
                ("steps", self.steps, used.steps),
                ("seconds", self.seconds, used.seconds),
                ("joules", self.joules, used.joules),
            )
        }


def energy_in_words(joules: float | None) -> str:
    """Return an energy for readers, in joules or kilowatt hours."""
    if joules is None:
        return "energy unknown"
    return f"{joules:.3g} J" if joules < 0.01 * JOULES_PER_KWH else f"{joules / JOULES_PER_KWH:.3g} kWh"


def predicted(used: Used, budget: Budget, kg_per_joule: float, now: datetime | None = None) -> Prediction | None:
    """Return what the whole training will take; None while too little is done to tell, or once it is over."""
    share = budget.share(used)
    early = used.seconds < PREDICT_AFTER_SECONDS and share < PREDICT_AFTER_SHARE
    if early or not 0 < share < 1:
        return None
    joules = None if used.joules is None else used.joules / share
    seconds = used.seconds / share
    end = (now or datetime.now(UTC)) + timedelta(seconds=seconds - used.seconds)
    return Prediction(
        budget=asdict(budget),
        at_step=used.steps,
        at_seconds=used.seconds,
        steps=used.steps / share,
        seconds=seconds,
        joules=joules,
        co2eq_kg=None if joules is None else joules * kg_per_joule,
        ends_at=end.isoformat(timespec="seconds"),
    )


def prediction_from(saved: dict[str, Any] | None) -> Prediction | None:
    """Return the prediction in a saved state, if there is one."""
    return None if saved is None else Prediction(**saved)
