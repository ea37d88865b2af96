"""What recipes of one network share: Adam, whose rate may decay by steps, epochs or the used share of the budget."""

from dataclasses import dataclass
from math import inf
from typing import Literal

from torch.optim import Adam, Optimizer
from torch.optim.lr_scheduler import ExponentialLR

from vocoder_pareto.training.objectives.objective import Objective, Schedule

A_FORTIETH = 0.025
LEAST_SHARE = 1e-5  # of the budget, between two decays


@dataclass(frozen=True)
class DecayingRate:
    """A learning rate, and how it decays.

    Attributes:
        learning_rate: The learning rate of Adam.
        decay: The factor of the learning rate after every `decay_every`, in (0, 1]; 1 is no decay.
        decay_every: After how many steps or epochs (at least 1), or after which share of the budget (`LEAST_SHARE` to
            1); None is a fortieth of the budget.
        decay_interval: What `decay_every` counts: step, epoch or budget.

    Raises:
        ValueError: A setting is out of its range.
    """

    learning_rate: float = 2.0e-4
    decay: float = 1.0
    decay_every: float | None = None
    decay_interval: Literal["step", "epoch", "budget"] = "budget"

    def __post_init__(self):
        if not 0 < self.decay <= 1:
            raise ValueError(f"decay is {self.decay}; must be greater than 0 and at most 1")
        if self.decay_every is None and self.decay_interval != "budget":
            raise ValueError(f"decay_every is missing; say after how many of decay_interval: {self.decay_interval}")
        least, most = (LEAST_SHARE, 1) if self.decay_interval == "budget" else (1, inf)
        if not least <= self.every <= most:
            bounds = f"{least:g} to 1, a share of the budget" if most == 1 else "at least 1"
            other = "; or set step or epoch" if most == 1 else ""
            raise ValueError(
                f"decay_every is {self.every:g}; must be {bounds}, for decay_interval: {self.decay_interval}{other}"
            )

    @property
    def every(self) -> float:
        """`decay_every`, or its default."""
        return A_FORTIETH if self.decay_every is None else self.decay_every


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
        return Schedule(ExponentialLR(optimizer, recipe.decay), recipe.decay_interval, recipe.every)
