"""The learning rate of recipes of one optimiser, and its decay by steps, epochs or the used share of the budget."""

from dataclasses import dataclass
from typing import Literal

from torch.optim import Optimizer
from torch.optim.lr_scheduler import ExponentialLR

from vocoder_pareto.training.objectives.objective import Schedule


@dataclass(frozen=True)
class DecayingRate:
    """A learning rate, and how it decays.

    Attributes:
        learning_rate: The learning rate of Adam.
        decay: The factor of the learning rate after every `decay_every`, in (0, 1]; 1 is no decay.
        decay_every: After how many steps or epochs, or after which share of the budget; greater than 0.
        decay_interval: What `decay_every` counts: step, epoch or budget.

    Raises:
        ValueError: A setting is out of its range.
    """

    learning_rate: float = 2.0e-4
    decay: float = 1.0
    decay_every: float = 0.025
    decay_interval: Literal["step", "epoch", "budget"] = "budget"

    def __post_init__(self):
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay is {self.decay}; must be greater than 0 and at most 1")
        if self.decay_every <= 0:
            raise ValueError(f"decay_every is {self.decay_every}; must be greater than 0")
        if self.decay_interval == "budget" and self.decay_every > 1:
            raise ValueError(
                f"decay_every is {self.decay_every}, more than the whole budget; give a share of it, at most 1, or set "
                "decay_interval: step or epoch"
            )

    def schedule(self, optimizer: Optimizer) -> Schedule | None:
        """The decay of the rate of `optimizer`; None where there is none."""
        if self.decay == 1:
            return None
        return Schedule(ExponentialLR(optimizer, self.decay), self.decay_interval, self.decay_every)
