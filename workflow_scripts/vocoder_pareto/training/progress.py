"""How far a training run is, over all its pieces, and when its budget ends it."""

from dataclasses import asdict, dataclass
from typing import Any

from vocoder_pareto.training.run_settings import RunSettings

JOULES_PER_KWH = 3.6e6


@dataclass
class Progress:
    """Counted over all pieces of a run; set-up, validation and saving are not counted as training time.

    Attributes:
        steps: optimisation steps.
        seconds: spent in steps.
        joules: used in the meantime; None once a piece could not be measured.
    """

    steps: int = 0
    seconds: float = 0.0
    joules: float | None = 0.0

    def as_dict(self) -> dict[str, Any]:
        """For the saved state."""
        return asdict(self)


def reason_to_stop(progress: Progress, run: RunSettings) -> str | None:
    """The budget that is used up (`steps`, `hours` or `energy_kwh`), or None."""
    if run.steps is not None and progress.steps >= run.steps:
        return "steps"
    if run.hours is not None and progress.seconds >= run.hours * 3600:
        return "hours"
    measured = run.energy_kwh is not None and progress.joules is not None
    return "energy_kwh" if measured and progress.joules >= run.energy_kwh * JOULES_PER_KWH else None


def share_done(progress: Progress, run: RunSettings) -> float:
    """Share of the budget that is used, 0 to 1: of the part that will end the training first."""
    shares = [0.0]
    if run.steps:
        shares.append(progress.steps / run.steps)
    if run.hours:
        shares.append(progress.seconds / (run.hours * 3600))
    if run.energy_kwh and progress.joules is not None:
        shares.append(progress.joules / (run.energy_kwh * JOULES_PER_KWH))
    return min(1.0, max(shares))


@dataclass(frozen=True)
class Prediction:
    """What a whole run will take, from the part that is done, in proportion (as Carbontracker does)."""

    at_step: int
    seconds: float
    joules: float | None
    co2eq_kg: float | None


def predicted(progress: Progress, run: RunSettings, kg_per_joule: float) -> Prediction | None:
    """The whole run's time, energy and emissions; None before anything is done."""
    share = share_done(progress, run)
    if share <= 0:
        return None
    joules = None if progress.joules is None else progress.joules / share
    return Prediction(
        progress.steps, progress.seconds / share, joules, None if joules is None else joules * kg_per_joule
    )
