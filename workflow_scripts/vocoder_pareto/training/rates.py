"""The learning rate over a whole training, foreseen: what it ends at, and where it is next to nothing before."""

import logging
from dataclasses import dataclass
from math import ceil

import torch

from vocoder_pareto.training.objectives.objective import ROUNDING, Objective, Progress

VANISHING = 0.01  # a rate of less than this share of the highest one
MUCH_OF_THE_BUDGET = 0.5
MOST_ADVANCES = 1_000_000  # of a scheduler, which take some ten seconds

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class ForeseenRate:
    """The learning rate over a whole training.

    Attributes:
        highest: The highest rate.
        last: The rate of the last steps.
        vanishing_share: The share of the training at a rate of less than `VANISHING` times the highest, 0 to 1.
    """

    highest: float
    last: float
    vanishing_share: float


def foreseen_rate(objective: Objective, turn: str, first_rate: float, end: Progress) -> ForeseenRate | None:
    """Take the schedule of `turn` through a whole training, without the training.

    Args:
        objective: What is trained.
        turn: The turn whose schedule is meant.
        first_rate: The learning rate that the schedule starts from.
        end: The steps, epochs and the share of the budget at the end.

    Returns:
        The rate; None where the end is not known in what the schedule counts, or lies too far for its advances.
    """
    stand_in = torch.optim.Adam([torch.zeros(1)], first_rate)
    schedule = objective.schedule(turn, stand_in)
    if schedule is None:
        return ForeseenRate(first_rate, first_rate, 0.0)
    advances = schedule.advances(end)
    if advances is None or not 0 < advances <= MOST_ADVANCES:
        return None
    stand_in.step()  # before any of the scheduler, as PyTorch demands
    rates = [stand_in.param_groups[0]["lr"]]
    for _ in range(ceil(advances - ROUNDING) - 1):
        schedule.scheduler.step()
        rates.append(stand_in.param_groups[0]["lr"])
    lengths = [1.0] * (len(rates) - 1) + [advances - len(rates) + 1]
    highest = max(rates)
    vanishing = sum(length for rate, length in zip(rates, lengths, strict=True) if rate < VANISHING * highest)
    return ForeseenRate(highest, rates[-1], vanishing / advances)


def tell(rate: ForeseenRate, config_key: str) -> None:
    """Log what rate the training will end at, and warn where most of the budget is spent at next to none.

    Args:
        rate: The rate.
        config_key: The key below which the recipe of the system stands, which the warning names.
    """
    log.info("the learning rate will be %.2g at the most, and %.2g at the end of the budget", rate.highest, rate.last)
    if rate.vanishing_share > MUCH_OF_THE_BUDGET:
        log.warning(
            "%.0f %% of the budget will be spent at a learning rate below %.1g, a hundredth of the highest, where next "
            "to nothing is learnt: let the rate decay more slowly in config key %s, by the share of the budget "
            "(decay_interval: budget) where the recipe has that, or train for less",
            100 * rate.vanishing_share,
            VANISHING * rate.highest,
            config_key,
        )
