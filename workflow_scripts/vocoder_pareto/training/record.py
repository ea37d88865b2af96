"""What is known of a training beside its weights, and is saved with them in every state."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from vocoder_pareto.training.accounting import EnergyTotals
from vocoder_pareto.training.budget import Budget, Prediction, Used, prediction_from


@dataclass
class LostWork:
    """What was spent on steps that are in no weights: a kill, a crash or a full disk took them since the last state.

    Attributes:
        steps: The number of these steps.
        seconds: The seconds that were spent in them.
        energy: The energy that they used.
        known: Whether that is all; False once the journal that tells it is damaged or gone.
    """

    steps: int = 0
    seconds: float = 0.0
    energy: EnergyTotals = field(default_factory=EnergyTotals)
    known: bool = True


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
        killed_pieces: How many of them ended without saving: by a kill, a crash or a full disk.
        ended: Whether the newest piece ended by saving its last step.
        lost: What was spent on steps that are lost; `steps`, `seconds` and `energy` are without it.
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
    killed_pieces: int = 0
    ended: bool = False
    lost: LostWork = field(default_factory=LostWork)

    @classmethod
    def from_saved(cls, saved: dict[str, Any]) -> Self:
        """Return the record in a saved state, the inverse of `as_dict`."""
        lost = saved.get("lost", {"energy": {}})  # which states of earlier versions do not tell
        return cls(
            **{
                **saved,
                "energy": EnergyTotals(**saved["energy"]),
                "prediction": prediction_from(saved["prediction"]),
                "lost": LostWork(**{**lost, "energy": EnergyTotals(**lost["energy"])}),
            }
        )

    def as_dict(self) -> dict[str, Any]:
        """Return the record in plain types, for the saved state."""
        return asdict(self)

    def begin_piece(self, batch_size: int, steps_per_epoch: int, device: str, budget: Budget) -> None:
        """Note how another piece trains, and forget a prediction that was made for another budget."""
        self.batch_size, self.steps_per_epoch = batch_size, steps_per_epoch
        self.pieces, self.ended = self.pieces + 1, False
        self.devices = list(dict.fromkeys([*self.devices, device]))
        if self.prediction and self.prediction.budget != asdict(budget):
            self.prediction = None

    def take_up(self, journal: Self | None) -> None:
        """Account for what was spent since this record was saved in a state, and lost.

        Args:
            journal: The record as the last piece left it beside the state, see `Journal`; None if there is none.
        """
        if journal is None or journal.pieces < self.pieces:  # gone, damaged, or older than the state
            was_killed = self.pieces > 0 and not self.ended
            self.killed_pieces += was_killed
            self.lost.known &= not was_killed and (journal is None or journal.lost.known)
            return
        spent, accounted = journal.seconds + journal.lost.seconds, self.seconds + self.lost.seconds
        if spent > accounted:
            self.lost = LostWork(
                journal.steps + journal.lost.steps - self.steps,
                spent - self.seconds,
                journal.spent_energy.since(self.energy),
            )
        self.lost.known &= journal.lost.known
        ended = journal.ended or (self.ended and self.pieces == journal.pieces)
        self.pieces, self.killed_pieces = journal.pieces, journal.killed_pieces + (not ended)
        self.devices = list(dict.fromkeys([*self.devices, *journal.devices]))

    def note_validation(self, d_stft: float | None, collapsed: bool) -> None:
        """Note what the newest validation found."""
        self.validation_d_stft, self.collapsed = d_stft, collapsed

    def curve_row(self, learning_rate: float, judged: Mapping[str, float | None]) -> dict[str, float | int | None]:
        """Return the row of the curve for the newest step; `judged` are what a validation after it found."""
        return {
            "step": self.steps, "epoch": self.epochs, "seconds": self.seconds, "joules": self.energy.joules,
            "watts_per_core": self.energy.watts_per_core, "learning_rate": learning_rate, **judged, **self.losses,
        }  # fmt: skip

    @property
    def used(self) -> Used:
        """What counts against the budget: what the weights went through, without the steps that are lost."""
        return Used(self.steps, self.seconds, self.energy.joules)

    @property
    def spent_energy(self) -> EnergyTotals:
        """The energy of all steps, those that are lost too."""
        return self.energy.plus(self.lost.energy)

    @property
    def lost_joules(self) -> float | None:
        """The energy of the steps that are lost; None if it is unknown."""
        return self.spent_energy.since(self.energy).joules if self.lost.known else None

    @property
    def epochs(self) -> float:
        """The number of passes through the training set."""
        return self.steps / self.steps_per_epoch

    @property
    def flags(self) -> list[str]:
        """What a reader of the results must know."""
        return [
            *(["generator_collapse"] if self.collapsed else []),
            *([] if self.lost.known else ["lost_work_unknown"]),
            *self.spent_energy.flags,
        ]
