"""What recipes of one network share: Adam, whose rate may decay by steps, epochs or the used share of the budget."""

from dataclasses import dataclass
from typing import Literal

from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import ExponentialLR

from vocoder_pareto.training.objectives.objective import Objective, Schedule


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


class AdamObjective(Objective):
    """An objective by Adam with PyTorch's moments, since the papers name none, at the rate of its recipe."""

    recipe: DecayingRate

    def optimizer(self, turn: str) -> Optimizer:
        """Return Adam."""
        return Adam(self.vocoder.parameters(), self.recipe.learning_rate)

    def schedule(self, turn: str, optimizer: Optimizer) -> Schedule | None:
        """Return the decay of the recipe; None where it has none."""
        recipe = self.recipe
        if recipe.decay == 1:
            return None
        return Schedule(ExponentialLR(optimizer, recipe.decay), recipe.decay_interval, recipe.decay_every)
