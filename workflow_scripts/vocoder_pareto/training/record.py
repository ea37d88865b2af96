"""What is known of a run beside its weights: saved with them in every state, and the summary in the end."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from vocoder_pareto.study.provenance import installed_version
from vocoder_pareto.study.sections.training import CarbonSettings
from vocoder_pareto.study.systems import SystemSettings
from vocoder_pareto.training.accounting import EnergyTotals
from vocoder_pareto.training.budget import Budget, Prediction, Used, prediction_from
from vocoder_pareto.training.run_settings import RunSettings

GIVEN = "given_checkpoint"
PACKAGES = ("torch", "lightning", "numpy", "pyJoules")


@dataclass
class RunRecord:
    """Over all pieces of a run.

    Attributes:
        batch_size: clips per step; 0 before it is known.
        steps_per_epoch: steps that see every training clip about once.
        steps, seconds, energy: used so far.
        losses: of the newest row of the curve.
        validation_d_stft: mean of the newest validation.
        collapsed: whether audio of the newest validation is silent, constant or not finite.
        prediction: of the whole run, made in its first minutes.
        devices: that pieces ran on, each once.
        pieces: how often the training was started.
    """

    batch_size: int = 0
    steps_per_epoch: int = 1
    steps: int = 0
    seconds: float = 0.0
    energy: EnergyTotals = field(default_factory=EnergyTotals)
    losses: dict[str, float] = field(default_factory=dict)
    validation_d_stft: float | None = None
    collapsed: bool = False
    prediction: Prediction | None = None
    devices: list[str] = field(default_factory=list)
    pieces: int = 0

    @classmethod
    def from_saved(cls, saved: dict[str, Any]) -> Self:
        """The record in a saved state, the inverse of `as_dict`."""
        energy, prediction = EnergyTotals(**saved["energy"]), prediction_from(saved["prediction"])
        return cls(**{**saved, "energy": energy, "prediction": prediction})

    def as_dict(self) -> dict[str, Any]:
        """Plain types, for the saved state."""
        return asdict(self)

    @property
    def used(self) -> Used:
        """What counts against the budget."""
        return Used(self.steps, self.seconds, self.energy.joules)

    @property
    def epochs(self) -> float:
        """Passes through the training set."""
        return self.steps / self.steps_per_epoch

    @property
    def flags(self) -> list[str]:
        """What a reader of the results must know."""
        return [*(["generator_collapse"] if self.collapsed else []), *self.energy.flags]


def summary_of(
    record: RunRecord, system: SystemSettings, run: RunSettings, seed: int, carbon: CarbonSettings
) -> dict[str, Any]:
    """summary.json of a run that used up its budget, which its checkpoint holds too."""
    joules, budget = record.energy.joules, Budget.of(run)
    return {
        "system": system.name,
        "steps": record.steps,
        "epochs": record.epochs,
        "seconds": record.seconds,
        "pieces": record.pieces,
        "batch_size": record.batch_size,
        "precision": run.precision,
        "device": "; ".join(record.devices),
        "stopped_by": budget.used_up(record.used),
        "energy_joules": joules,
        "energy_source": record.energy.source,
        "energy_by_domain": record.energy.by_domain,
        "energy_unmeasured_seconds": record.energy.missing_seconds,
        "energy_faults": record.energy.faults,
        "mean_power_watts": None if joules is None or not record.seconds else joules / record.seconds,
        "co2eq_kg": None if joules is None else joules * carbon.kg_per_joule,
        "carbon": asdict(carbon),
        "prediction": None if record.prediction is None else asdict(record.prediction),
        "prediction_errors": None if record.prediction is None else record.prediction.errors(record.used),
        "losses": record.losses,
        "validation_d_stft": record.validation_d_stft,
        "flags": record.flags,
        "settings": {"system": asdict(system), "run": asdict(run), "seed": seed},
        "versions": {name: installed_version(name) for name in PACKAGES},
    }


def summary_of_given(
    system: SystemSettings, run: RunSettings, seed: int, carbon: CarbonSettings, known: dict[str, Any]
) -> dict[str, Any]:
    """summary.json of weights that were given: `known` is what their file says of their training, if it is ours."""
    unknown = dict.fromkeys(("steps", "epochs", "seconds", "pieces", "batch_size", "device", "energy_joules"))
    return {
        **summary_of(RunRecord(), system, run, seed, carbon),
        **unknown,
        "co2eq_kg": None,
        **known,
        "system": system.name,
        "stopped_by": GIVEN,
        "checkpoint": run.checkpoint,
    }
