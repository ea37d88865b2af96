"""What is known of a training beside its weights, and is saved with them in every state."""

from dataclasses import asdict, dataclass, field
from typing import Any, Self

from vocoder_pareto.training.accounting import EnergyTotals
from vocoder_pareto.training.budget import Budget, Prediction, Used, prediction_from


@dataclass
class TrainingRecord:
    """The history of a training over all its pieces.

    Attributes:
        batch_size: The number of clips per step; 0 before it is known.
        steps_per_epoch: The number of steps that see every training clip about once.
        steps: The number of steps so far.
        seconds: The seconds that were spent in them.
        energy: The energy that they used.
        losses: The losses in the newest row of the curve, by name.
        validation_d_stft: The mean D_STFT of the newest validation, or None.
        collapsed: Whether audio of the newest validation is silent, constant or not finite.
        prediction: What the whole training will take, as was told in its first minutes, or None.
        devices: The names of the devices that pieces ran on, each once.
        pieces: How often the training was started.
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
        """Return the record in a saved state, the inverse of `as_dict`."""
        energy, prediction = EnergyTotals(**saved["energy"]), prediction_from(saved["prediction"])
        return cls(**{**saved, "energy": energy, "prediction": prediction})

    def as_dict(self) -> dict[str, Any]:
        """Return the record in plain types, for the saved state."""
        return asdict(self)

    def begin_piece(self, batch_size: int, steps_per_epoch: int, device: str, budget: Budget) -> None:
        """Note how another piece trains, and forget a prediction that was made for another budget."""
        self.batch_size, self.steps_per_epoch = batch_size, steps_per_epoch
        self.pieces += 1
        self.devices = list(dict.fromkeys([*self.devices, device]))
        if self.prediction and self.prediction.budget != asdict(budget):
            self.prediction = None

    def note_validation(self, d_stft: float | None, collapsed: bool) -> None:
        """Note what the newest validation found."""
        self.validation_d_stft, self.collapsed = d_stft, collapsed

    def curve_row(self, learning_rate: float, d_stft: float | None) -> dict[str, float | int | None]:
        """Return the row of the curve for the newest step; `d_stft` is None where there was no validation."""
        return {
            "step": self.steps, "epoch": self.epochs, "seconds": self.seconds, "joules": self.energy.joules,
            "learning_rate": learning_rate, "d_stft": d_stft, **self.losses,
        }  # fmt: skip

    @property
    def used(self) -> Used:
        """What counts against the budget."""
        return Used(self.steps, self.seconds, self.energy.joules)

    @property
    def epochs(self) -> float:
        """The number of passes through the training set."""
        return self.steps / self.steps_per_epoch

    @property
    def flags(self) -> list[str]:
        """What a reader of the results must know."""
        return [*(["generator_collapse"] if self.collapsed else []), *self.energy.flags]
